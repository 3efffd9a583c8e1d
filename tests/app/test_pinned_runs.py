"""Pinned runs: kept, compared, restarted."""

import re

import msgspec
import numpy as np
import pytest

from app import palette
from app.sharing.pinned import Runs, settings, table
from engine import (
    MAX_PINNED,
    SETTINGS,
    Begin,
    Choice,
    Experiment,
    RunConfig,
    SetKnob,
    Stack,
    digest,
    percent,
)
from tests.app.obedient_handle import ObedientHandle
from tests.app.seen import control, page_text

NAME = "Name of this run"
ALERT = 'role="alert"'


@pytest.fixture
def handle(config) -> ObedientHandle:
    return ObedientHandle(Experiment(config))


@pytest.fixture
def runs(handle) -> Runs:
    runs = Runs(handle)
    runs.opened()
    return runs


@pytest.fixture
def press(runs, handle):
    def press_button(label: str) -> None:
        control(runs.view, label).clicks += 1
        runs.show(handle.latest)

    return press_button


@pytest.fixture
def pin(runs, press):
    def pin_under(name: str) -> None:
        control(runs.view, NAME).value = name
        press("Pin this run")

    return pin_under


def rows(text: str, kind: str) -> dict[str, list[str]]:
    """The cells of the rows of this kind, by label."""
    found = re.findall(rf'<tr class="{kind}"><th scope="row">(.*?)</th>(.*?)</tr>', text)
    return {label: re.findall(r"<td>(.*?)</td>", cells) for label, cells in found}


def test_a_pinned_run_is_compared_with_this_one(handle, pin):
    handle.experiment.train(30)
    pin("baseline")
    handle.send(SetKnob("model.activation", Choice("tanh")))
    handle.send(SetKnob("optimization.learning_rate", 0.5))
    handle.experiment.train(20)
    text = table(handle.latest)
    assert re.findall(r'<th scope="col">(.*?)</th>', text) == ["this run", "baseline"]
    differing = rows(text, "differs")
    assert differing == {"Activation": ["tanh", "ReLU"], "Learning rate": ["0.5", "0.01"]}
    assert "Optimizer" in rows(text, "same")
    assert rows(text, "")["Steps"] == ["50", "30"]


def test_the_table_has_the_final_figures_of_runs(handle, pin):
    handle.experiment.train(500)
    pin("learned")
    ends = handle.latest.curves.last("validation_accuracy")
    handle.experiment.train(200)
    assert rows(table(handle.latest), "")["Validation accuracy"][1] == percent(ends, 1)


def test_every_setting_is_listed(config):
    assert {setting.label for setting in SETTINGS.values()} < settings(config).keys()
    stacks = [s.label for s in SETTINGS.values() if isinstance(s.values, Stack)]
    assert {settings(config)[label] for label in stacks} == {"64, 64", "none"}


def test_a_seventh_pinned_run_is_refused(runs, handle, pin, press):
    for number in range(MAX_PINNED):
        pin(f"number {number}")
    assert ALERT not in page_text(runs.view)
    pin("one more")
    assert "6 runs are pinned already: unpin one first." in page_text(runs.view)
    assert len(handle.latest.pinned) == MAX_PINNED
    press("Unpin number 2")
    pin("one more")
    assert "one more" in [past.name for past in handle.latest.pinned]
    assert ALERT not in page_text(runs.view)


@pytest.mark.parametrize("name", ["", "  ", "twice", "x" * 41])
def test_an_illegal_name_is_refused(runs, handle, name, pin):
    pin("twice")
    pin(name)
    assert ALERT in page_text(runs.view)
    assert len(handle.latest.pinned) == 1


def test_loading_starts_a_run_with_the_pinned_settings(handle, config, pin, press):
    handle.experiment.train(10)
    pin("baseline")
    handle.send(SetKnob("model.hidden", "8, 8"))
    assert handle.latest.config != config
    press("Load baseline")
    assert handle.latest.config == config and handle.latest.step == 0


def test_repeating_makes_the_same_run_again_with_its_changes(handle, config, pin, press):
    handle.experiment.train(10)
    handle.send(SetKnob("optimization.learning_rate", 0.07))
    handle.experiment.train(20)
    pin("baseline")
    bits = digest(handle.experiment)
    handle.send(SetKnob("model.hidden", "8, 8"))
    press("Repeat baseline")
    handle.experiment.train(30)
    assert (handle.latest.config, digest(handle.experiment)) == (
        config.replace("optimization.learning_rate", 0.07),
        bits,
    )


def test_the_suggested_name_is_free(runs, handle, press):
    assert control(runs.view, NAME).value == "run 1"
    press("Pin this run")
    assert control(runs.view, NAME).value == "run 1 (2)"


def test_names_are_escaped(handle, pin):
    pin("<script>")
    text = table(handle.latest)
    assert "<script>" not in text and "&lt;script&gt;" in text


def test_runs_with_different_configs_are_compared(handle, config, pin):
    handle.experiment.train(1)
    pin("all")
    few = {"data": {"examples": 20, "seed": 4, "classes": ["1", "2"]}}
    handle.send(Begin(msgspec.convert(few, RunConfig)))
    differing = rows(table(handle.latest), "differs")
    assert differing["Examples"][0] == "the first 20" and differing["Examples"][1] == "–"
    assert differing["Classes"][0] == "1, 2"


XYZ = np.array([[0.434, 0.376, 0.190], [0.213, 0.715, 0.072], [0.018, 0.109, 0.873]])  # of white: 1


def lab(colour: str) -> np.ndarray:
    """Its place in the CIE 1976 L*a*b* space."""
    values = np.array([int(colour[n : n + 2], 16) for n in (1, 3, 5)]) / 255
    x, y, z = np.cbrt(XYZ @ np.where(values > 0.04, ((values + 0.055) / 1.055) ** 2.4, 0))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("place", range(MAX_PINNED))
@pytest.mark.parametrize("other", [palette.TRAIN, palette.VALIDATION])
def test_a_pinned_run_is_not_taken_for_the_current_one(place, other):
    assert np.linalg.norm(lab(palette.past(place)) - lab(other)) > 23

"""A | B on the page: both in the plots, a change goes where it is meant, the line between them."""

import numpy as np
import pytest

from app.page.buttons import Presses
from app.page.timeline import Timeline
from app.plots import view_of
from app.plots.other_run import signed
from app.plots.plot_cache import draw, key_of
from app.plots.plot_data import status
from app.settings.settings import Settings
from app.theme import STYLES
from engine import (
    Choice,
    EndLockstep,
    Experiment,
    Lockstep,
    Pause,
    RunConfig,
    SetKnob,
    StartLockstep,
    Turn,
)
from tests.app.obedient_handle import ObedientHandle

RATE = "optimization.learning_rate"
VIEWS = ("loss", "accuracy", "updates")
COLUMNS = {"loss": "validation_loss", "accuracy": "train_accuracy", "updates": "penalty"}


@pytest.fixture
def pair(config: RunConfig) -> Lockstep:
    experiment = Experiment(config)
    experiment.train(30)
    return Lockstep(experiment)


@pytest.mark.parametrize("view", VIEWS)
def test_each_row_of_b_reaches_the_page_once(pair, view):
    seen: dict[str, list[float]] = {}
    changes: list[str] = []
    since = -1
    pair.apply(SetKnob(RATE, 0.05), "B")
    for steps in (1, 0, 3, 50, 1, 1, 200, 7):
        if steps == 50:
            pair.apply(SetKnob(RATE, 0.02), "B")
        if steps == 200:
            pair.apply(SetKnob(RATE, 0.3), "A")
        pair.train(steps)
        snapshot = pair.a.snapshot()
        stream = view_of(view).columns(snapshot, since).stream
        for name, columns in stream.items():
            if ".b." in name:
                seen.setdefault(name, []).extend(columns["step"])
        changes += [label for label in stream[f"{view}.markers"]["label"] if label[:2] == "B:"]
        since = snapshot.curves.rows - 1
    curves = pair.b.curves
    last = snapshot.curves["step"][-1]
    assert len(seen) == (3 if view == "updates" else 2)
    for name, given in seen.items():
        column = "loss" if name == "loss.b.train" else COLUMNS[view]
        steps = curves["step"][np.isfinite(curves[column])].tolist()
        wanted = [x for x in steps if 30 <= x <= last]
        assert given == wanted, name
    assert changes == ["B: Learning rate 0.01 → 0.05", "B: Learning rate 0.05 → 0.02"]


@pytest.mark.parametrize("view", VIEWS)
def test_the_drawing_in_lockstep_is_one_of_its_own(pair, view):
    two = pair.a.snapshot()
    drawn = str(draw(view_of(view)(two, STYLES["desk"])).plot)
    pair.end()
    one = pair.a.snapshot()
    assert key_of(view, one, "desk") != key_of(view, two, "desk")
    alone = str(draw(view_of(view)(one, STYLES["desk"])).plot)
    assert f"{view}.b." in drawn and f"{view}.b." not in alone


def test_the_difference_is_told_with_its_sign(pair):
    pair.apply(SetKnob(RATE, 0.3), "B")
    pair.train(100)
    snapshot, far = pair.a.snapshot(), pair.difference
    text = view_of("accuracy").columns(snapshot, -1).text["accuracy.other"]
    train, validation = (far[f"{x}_accuracy"] for x in ("train", "validation"))
    words = signed(train, shares=True), signed(validation, shares=True)
    assert text == "train {}, validation {}".format(*words)
    assert far["loss_average"] < 0
    assert "train −" in view_of("loss").columns(snapshot, -1).text["loss.other"]
    assert "B (dashed) run 2, the same up to step 30" in status(snapshot, -1).text["lockstep"]
    pair.end()
    assert status(pair.a.snapshot(), -1).text["lockstep"] == ""


def test_a_difference_of_nothing_has_no_sign():
    assert signed(0.0) == "0.000"
    assert signed(-0.25, shares=True) == "−25.0 points"
    assert signed(float("nan")) == "–"


def test_a_knob_turns_the_run_that_is_aimed_at(config):
    held = ObedientHandle(Experiment(config))
    timeline = Timeline(held.send, lambda: held, presses := Presses())
    settings = Settings(timeline.send_change, config)
    timeline.on_target = lambda: settings.show(timeline.config)
    settings.learning_rate = 0.02
    presses.press("lockstep")
    settings.learning_rate = 0.03  # of B, at first
    presses.press("turns", "A")
    assert settings.learning_rate == 0.02
    settings.learning_rate = 0.04
    presses.press("turns", "C")  # there is no such run
    presses.press("turns", "both")
    settings.learning_rate = 0.05
    presses.press("lockstep")
    settings.learning_rate = 0.06
    assert held.sent == [
        SetKnob(RATE, 0.02),
        StartLockstep(),
        Turn(SetKnob(RATE, 0.03), "B"),
        SetKnob(RATE, 0.04),
        Turn(SetKnob(RATE, 0.05), "both"),
        EndLockstep(),
        SetKnob(RATE, 0.06),
    ]


def test_between_both_the_page_says_what_there_is(pair):
    def words() -> str:
        return view_of("between").columns(pair.a.snapshot(), -1).text["between.words"]

    pair.apply(SetKnob(RATE, 0.3), "B")
    pair.train(20)
    assert words() == "pause, and it is measured"
    pair.a.apply(Pause())
    pair.a.advance(1e-9)
    assert words() == "being measured"
    pair.a.advance(60.0)
    assert words().endswith("of the training loss") or "connected" in words()
    columns = view_of("between").columns(pair.a.snapshot(), -1).set["between"]
    assert len(columns["place"]) == len(columns["train"]) == 25
    pair.apply(SetKnob("model.activation", Choice("tanh")), "B")
    pair.a.advance(60.0)
    assert "more than their weights" in words()
    pair.end()
    assert words().startswith("press A | B")

"""The columns of a frame, without a browser: pure functions of a snapshot."""

import json
import math

import msgspec
import numpy as np
import pytest

from app import columns
from app.frames import Ask, Composer
from app.views import VIEWS
from engine import Choice, Experiment, RunConfig, SetKnob, Snapshot
from engine.config import ModelConfig


@pytest.fixture
def experiment(config) -> Experiment:
    experiment = Experiment(config)
    experiment.train(60)
    return experiment


def lengths(data) -> set[int]:
    return {len(column) for column in data.values()}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("hidden", [(8,), (8, 8), (8,) * 10], ids=["one", "two", "ten"])
def test_columns_of_one_source_have_one_length(view, hidden):
    snapshot = Experiment(RunConfig(model=ModelConfig(hidden=hidden))).snapshot()
    part = VIEWS[view].make.columns(snapshot, -1)
    for data in [*part.stream.values(), *part.set.values()]:
        assert len(lengths(data)) == 1


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_fills_just_the_sources_and_words_that_it_draws(view, experiment):
    snapshot = experiment.snapshot()
    drawn = VIEWS[view].make(snapshot)
    part = drawn.columns(snapshot, -1)
    sources = {
        model.name: set(model.data)
        for model in drawn.figure.references()
        if hasattr(model, "data") and model.name
    }
    filled = {name: set(data) for name, data in {**part.stream, **part.set}.items()}
    assert filled == sources
    assert set(part.text) == {text for text, _, _ in drawn.keys if text}


def test_rows_after_the_cursor_and_no_others(experiment):
    snapshot = experiment.snapshot()
    everything = columns.loss(snapshot, -1).stream["loss"]
    rest = columns.loss(snapshot, 20).stream["loss"]
    assert everything["step"] == snapshot.curves["step"].tolist()
    for name, column in rest.items():
        assert column == everything[name][21:]


def test_numbers_are_rounded_to_what_can_be_seen(experiment):
    snapshot = experiment.snapshot()
    shown = columns.loss(snapshot, -1).stream["loss"]["train"]
    np.testing.assert_allclose(shown, snapshot.curves["loss"], rtol=1e-3)
    assert max(len(repr(value)) for value in shown) <= 7


def test_a_marker_is_told_once_with_the_row_that_follows_it(experiment):
    def told(since: int) -> list[str]:
        return columns.loss(experiment.snapshot(), since).stream["loss.markers"]["label"]

    last = experiment.snapshot().curves.rows - 1
    experiment.apply(SetKnob("optimization.learning_rate", 0.1))
    assert told(last) == []  # no row after it yet
    experiment.train(1)
    assert told(last) == ["Learning rate 0.01 → 0.1"]
    assert told(last + 1) == []
    assert told(-1) == ["Learning rate 0.01 → 0.1"]


def test_the_red_bar_is_the_share_of_zeros(config):
    snapshot = Experiment(config).snapshot()
    rows = columns.activations(snapshot, -1).set["activations.rows"]
    for base, top, layer in zip(rows["base"], rows["zero"], snapshot.layers, strict=True):
        share = (top - base) / columns.BAR_HEIGHT
        assert share == pytest.approx(layer.zero, abs=0.01)


def test_ticks_stand_where_their_values_lie(experiment):
    layer = experiment.snapshot().layers[0]
    ticks = columns.activations(experiment.snapshot(), -1).set["activations.ticks"]
    for x, label in zip(ticks["x"], ticks["label"], strict=True):
        value = float(label.replace("−", "-"))
        edges = np.arange(len(layer.edges))
        assert np.interp(np.arcsinh(value), np.arcsinh(layer.edges), edges) == pytest.approx(
            x, abs=0.01
        )


class TestComposer:
    """What one connection is told, frame by frame."""

    @staticmethod
    def frame(composer: Composer, snapshot: Snapshot, since: int) -> dict:
        frame = composer.compose(snapshot, Ask(since))
        return json.loads(msgspec.json.encode(frame))

    def test_the_first_frame_resets_and_the_next_ones_stream(self, experiment):
        composer = Composer()
        first = self.frame(composer, experiment.snapshot(), -1)
        assert set(first["reset"]) >= {"loss", "loss.markers", "accuracy", "updates"}
        assert "stream" not in first
        experiment.train(5)
        second = self.frame(composer, experiment.snapshot(), first["row"])
        assert "reset" not in second
        assert second["stream"]["loss"]["step"] == [61, 62, 63, 64, 65]

    def test_what_has_not_changed_is_not_told_again(self, experiment):
        composer = Composer()
        snapshot = experiment.snapshot()
        row = self.frame(composer, snapshot, -1)["row"]
        again = self.frame(composer, snapshot, row)
        assert set(again) == {"run", "row", "step"}

    def test_a_new_run_resets(self, experiment):
        composer = Composer()
        row = self.frame(composer, experiment.snapshot(), -1)["row"]
        experiment.apply(SetKnob("data.preprocessing", Choice("none")))
        fresh = self.frame(composer, experiment.snapshot(), row)
        assert (fresh["run"], fresh["row"]) == (2, 0)
        assert fresh["reset"]["loss"]["step"] == [0]
        assert fresh["reset"]["loss.markers"] == {"step": [], "label": []}

    def test_a_frame_does_not_grow_with_the_run(self, experiment):
        composer, sizes = Composer(), []
        for steps in (1_000, 30_000):
            experiment.train(steps)
            row = self.frame(composer, experiment.snapshot(), -1)["row"]
            while experiment.snapshot().curves.rows < row + 5:
                experiment.train(10)
            sizes.append(len(json.dumps(self.frame(composer, experiment.snapshot(), row))))
        assert sizes[1] < 1.2 * sizes[0]
        assert max(sizes) < 2500

    @pytest.mark.parametrize("since", [-7, 10**9])
    def test_a_cursor_from_nowhere_gets_everything(self, experiment, since):
        frame = self.frame(Composer(), experiment.snapshot(), since)
        assert frame["reset"]["loss"]["step"][0] == 0

    def test_what_is_not_finite_is_null(self, config):
        experiment = Experiment(config.replace("optimization.learning_rate", 1e6))
        experiment.train(50)
        frame = self.frame(Composer(), experiment.snapshot(), -1)
        assert frame["reset"]["updates"]["W1"][0] is None  # before the first step
        assert None not in frame["reset"]["accuracy"]["train"]
        assert not any(
            isinstance(v, float) and math.isnan(v) for v in frame["reset"]["loss"]["train"]
        )

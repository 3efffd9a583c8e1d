"""The columns of a frame, without a browser: pure functions of a snapshot."""

import itertools
import json
import math
import re
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from app import numbers, theme
from app.panels.lab_data import lab_columns
from app.plots import VIEWS, places, plot_data, view_of
from app.plots.accuracy import accuracy_columns
from app.plots.activations import BAR_HEIGHT, activations_columns, axis_ticks
from app.plots.ghost_runs import ghosts
from app.plots.loss import USUAL, loss_columns, percentiles
from app.plots.plot_data import Part
from app.plots.run_columns import epochs
from app.plots.updates import updates_columns
from app.server.frames import FrameRequest
from engine import (
    Choice,
    Condition,
    Experiment,
    Laboratory,
    LookBack,
    Pause,
    Pin,
    Play,
    Restart,
    RunConfig,
    SetKnob,
    Snapshot,
)
from engine.training.config_sections import ModelConfig
from engine.training.history import History
from tests.app.composing_page import Page

DEFAULT_PAGE = [name for name in VIEWS if view_of(name).tab in places()[:2]]


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
    part = view_of(view).columns(snapshot, -1)
    for data in [*part.stream.values(), *part.set.values()]:
        assert len(lengths(data)) == 1


@pytest.mark.parametrize("view", ["activations", "signal"])
def test_what_was_not_measured_again_is_not_computed_again(view, experiment):
    before = view_of(view).columns(experiment.snapshot(), -1).set
    after = view_of(view).columns(experiment.snapshot(), -1).set
    assert all(after[source] is before[source] for source in before)
    experiment.train(1)
    after = view_of(view).columns(experiment.snapshot(), -1).set
    assert after[view] != before[view]


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_fills_exactly_the_sources_and_texts_that_it_draws(view, experiment):
    snapshot = experiment.snapshot()
    drawn = view_of(view)(snapshot, theme.DESK)
    part = drawn.columns(snapshot, -1)
    sources = {
        model.name: set(model.data)
        for figure in drawn.figures
        for model in figure.references()
        if hasattr(model, "data") and model.name and model.name != "updates.ghost"
    }
    filled = {
        name: set(data) | ({"x"} & sources[name] if {"step", "steps"} & set(data) else set())
        for name, data in {**part.stream, **part.set}.items()
    }  # where steps lie the browser works out
    assert filled == sources
    assert set(part.text) == {text for text, _, _ in drawn.keys if text}
    assert part.alternative()


def test_only_rows_after_the_cursor_are_sent(experiment):
    snapshot = experiment.snapshot()
    everything = loss_columns(snapshot, -1).stream["loss"]
    rest = loss_columns(snapshot, 20).stream["loss"]
    assert everything["step"] == snapshot.curves["step"].tolist()
    for name, column in rest.items():
        assert column == everything[name][21:]


def test_numbers_are_rounded_to_visible_precision(experiment):
    snapshot = experiment.snapshot()
    shown = loss_columns(snapshot, -1).stream["loss"]["train"]
    np.testing.assert_allclose(shown, snapshot.curves["loss_average"], rtol=1e-3)
    assert max(len(repr(value)) for value in shown) <= 7


def test_a_marker_is_sent_once_with_the_next_row(experiment):
    def told(since: int) -> list[str]:
        return loss_columns(experiment.snapshot(), since).stream["loss.markers"]["label"]

    last = experiment.snapshot().curves.rows - 1
    experiment.apply(SetKnob("optimization.learning_rate", 0.1))
    assert told(last) == []  # no row after it yet
    experiment.train(1)
    assert told(last) == ["Learning rate 0.01 → 0.1"]
    assert told(last + 1) == []
    assert told(-1) == ["Learning rate 0.01 → 0.1"]


def test_the_red_bar_is_the_share_of_zeros(config):
    snapshot = Experiment(config).snapshot()
    ends = activations_columns(snapshot, -1).set["activations.ends"]
    for base, top, layer in zip(ends["base"], ends["top"], snapshot.layers, strict=True):
        share = (top - base) / BAR_HEIGHT
        assert share == pytest.approx(layer.zero, abs=0.01)


def test_ticks_are_at_their_values(experiment):
    layer = experiment.snapshot().layers[0]
    ticks = activations_columns(experiment.snapshot(), -1).set["activations.ticks"]
    for x, label in zip(ticks["x"], ticks["label"], strict=True):
        value = float(label.replace("−", "-"))
        edges = np.arange(len(layer.edges))
        assert np.interp(np.arcsinh(value), np.arcsinh(layer.edges), edges) == pytest.approx(
            x, abs=0.01
        )


@pytest.mark.parametrize("doublings", range(1, 41))
def test_the_numbers_below_the_activations_do_not_touch(doublings):
    bins, bin_width, letter = 48, 4.1, 9.0  # pixels, on a projector 1280 wide
    ticks = axis_ticks(bins, 2.0**doublings)
    assert len(ticks) >= 3
    for (left, before), (right, after) in itertools.pairwise(ticks):
        assert (len(before) + len(after)) / 2 * letter < (right - left) * bin_width


def test_a_spike_does_not_flatten_the_curve(config):
    experiment = Experiment(config)
    experiment.train(300)
    before = loss_columns(experiment.snapshot(), -1).set["loss.frame"]["y"]
    experiment.apply(SetKnob("optimization.learning_rate", 5.0))
    experiment.train(1)
    experiment.apply(SetKnob("optimization.learning_rate", 0.01))
    experiment.train(200)
    curves = experiment.snapshot().curves
    assert curves["loss"].max() > 3 * before[1]
    high = loss_columns(experiment.snapshot(), -1).set["loss.frame"]["y"][1]
    assert high < 3 * before[1]


@pytest.mark.parametrize("count", [1, 2, 7, 1350])
def test_the_percentiles_agree_with_numpy(count):
    values = np.random.default_rng(count).lognormal(size=count)
    assert percentiles(sorted(values.tolist()), USUAL) == pytest.approx(
        np.percentile(values, USUAL), rel=1e-12
    )


def test_without_a_new_row_labels_only_move_with_the_step(config):
    experiment = Experiment(config)
    experiment.train(3000)
    before, row = experiment.snapshot(), experiment.snapshot().curves.rows - 1
    experiment.train(1)
    now = experiment.snapshot()
    assert now.curves is before.curves
    for view in ("loss", "accuracy", "updates"):
        part, part_before = (view_of(view).columns(x, row) for x in (now, before))
        ends, ends_before = (x.set[f"{view}.ends"] for x in (part, part_before))
        assert set(ends["step"]) == {now.step}
        assert ends | {"step": []} == ends_before | {"step": []}
        assert not any(column for rows in part.stream.values() for column in rows.values())


@pytest.mark.parametrize("looked_at", [None, 130])
def test_a_name_is_tied_to_the_end_of_its_line_where_a_dear_network_is_judged_seldom(looked_at):
    config = RunConfig().replace("data.dataset", Choice("Fashion-MNIST"))
    experiment = Experiment(config.replace("model.convolutions", "4 of 5x5"))
    experiment.train(180)
    if looked_at:
        experiment.apply(LookBack(looked_at))
        experiment.advance(1e6)
    now = experiment.snapshot()
    assert now.so_far.last_known("validation_loss")[0] < now.so_far["step"][-1]
    for view, source in {"loss": "loss.validation", "accuracy": "accuracy"}.items():
        part = view_of(view).columns(now, -1)
        ends, judged = part.set[f"{view}.ends"], part.stream[source]["step"]
        end = ends["end"][ends["label"].index("validation")]
        assert end == max(step for step in judged if step <= now.step) < now.step
        told = re.findall(r"at step (\d+)", part.alternative(), re.IGNORECASE)
        assert told == {"loss": [str(now.step), str(end)], "accuracy": [str(end)]}[view]


def test_chance_is_ln_c_for_softmax_and_the_mean_for_scaled_targets(config):
    chance = loss_columns(Experiment(config).snapshot(), -1).set["loss.levels"]
    assert chance["y"] == [pytest.approx(math.log(10), abs=1e-4)]
    assert chance["label"] == ["chance: ln 10 = 2.303"]
    values = Experiment(config)
    values.apply(SetKnob("data.dataset", Choice("plane")))
    mean = loss_columns(values.snapshot(), -1).set["loss.levels"]
    assert mean["y"] == [1.0]
    assert "in variances of the values" in mean["label"][0]
    values.apply(SetKnob("data.target_scaling", Choice("none")))
    assert loss_columns(values.snapshot(), -1).set["loss.levels"]["y"] == []


def test_the_step_of_a_divergence_is_marked(config):
    experiment = Experiment(config.replace("optimization.learning_rate", 1e6))
    experiment.train(50)
    snapshot = experiment.snapshot()
    broken = loss_columns(snapshot, -1).stream["loss.broken"]["step"]
    assert snapshot.status == "diverged"
    assert broken == [snapshot.step]


def test_labels_of_lines_never_overlap():
    lines = [(str(n), 1.0 + n / 1000, "red") for n in range(6)]
    heights = np.log(plot_data.ends(9, lines, 0.1, 10, log=True)["y"])
    assert np.diff(heights).min() > 0.9 * plot_data.LINE_GAP * np.log(100)
    assert heights.max() < np.log(10)
    assert np.mean(heights) == pytest.approx(0, abs=0.01)  # around where the lines end


def test_labels_without_neighbours_stay_at_the_ends_of_their_lines():
    lines = [("low", 0.2, "red"), ("high", 0.8, "red"), ("middle", 0.5, "red")]
    assert plot_data.ends(9, lines, 0, 1, log=False)["y"] == [0.2, 0.8, 0.5]
    assert len(plot_data.ends(9, lines * 9, 0, 1, log=False)["y"]) == 11


def test_a_dragged_learning_rate_scales_the_last_ratios(experiment):
    snapshot = experiment.snapshot()
    made = updates_columns(snapshot, -1).set["updates.rate"]
    curves = snapshot.curves
    ratios = [curves[name][-1] for name in curves if name.startswith("ratio")]
    np.testing.assert_allclose(made["ratio"], ratios, rtol=1e-3)
    assert made["rate"] == [0.01] * 3


def test_a_converged_run_is_labelled_and_its_band_fades(experiment):
    healthy = experiment.snapshot()
    done = msgspec.structs.replace(healthy, condition=Condition.CONVERGED)
    assert plot_data.status(healthy, -1).text["health"] == "healthy"
    assert plot_data.status(done, -1).text["health"] == "converged"
    clear, faint = (updates_columns(x, -1).set["updates.band"] for x in (healthy, done))
    assert faint["alpha"] < clear["alpha"]
    clear, faint = (updates_columns(x, -1).set["updates.levels"] for x in (healthy, done))
    assert (clear["label"], faint["label"]) == ([], ["this run has converged"])
    assert "converged" in updates_columns(done, -1).alternative()


@pytest.mark.parametrize("data", ["plane", "digits"])
def test_the_accuracy_axis_starts_at_0_unless_r2_is_negative(config, data):
    config = config.replace("data.dataset", Choice(data))
    if data == "plane":
        config = config.replace("optimization.loss", Choice("mean squared error"))
    experiment = Experiment(config)
    low, high = accuracy_columns(experiment.snapshot(), -1).set["accuracy.frame"]["y"]
    worst = experiment.snapshot().curves["validation_accuracy"][0]
    assert high == 1
    assert low == 0 if worst >= 0 else low <= max(-1, worst)


def test_changes_close_together_are_all_listed(experiment):
    for rate in (0.1, 0.2, 0.3):
        experiment.apply(SetKnob("optimization.learning_rate", rate))
        experiment.train(1)
    for view in ("loss", "accuracy", "updates"):
        marks = view_of(view).columns(experiment.snapshot(), -1).stream[f"{view}.markers"]
        assert marks["step"] == [60, 61, 62]
        assert marks["label"][-1] == "Learning rate 0.2 → 0.3"


def with_end(snapshot: Snapshot, column: str, value: float) -> Snapshot:
    """The snapshot with this value in the second half of a curve."""
    curves = snapshot.curves
    history = History(list(curves)[1:])
    for row in range(curves.rows):
        values = {name: float(curves[name][row]) for name in curves}
        if row > curves.rows / 2:
            values[column] = value
        history.append(int(values["step"]), values)
    return msgspec.structs.replace(snapshot, curves=history.curves())


@pytest.mark.parametrize("value", [0.0, 1.1e-62])
def test_the_axis_of_a_loss_that_reached_0_is_sensible(experiment, value):
    part = loss_columns(with_end(experiment.snapshot(), "validation_loss", value), -1)
    low, high = part.set["loss.frame"]["y"]
    assert plot_data.FLOOR / 2 < low < plot_data.FLOOR < high < 1000
    ends = part.set["loss.ends"]
    assert ends["y"][ends["label"].index("validation")] == plot_data.FLOOR
    assert part.stream["loss.validation"]["validation"][-1] == plot_data.FLOOR


def test_words_on_a_step_that_is_looked_at_stay_as_they_are_once_it_is_rebuilt():
    clock = iter(range(10**9))
    experiment = Experiment(RunConfig(), work=lambda: float(next(clock)), max_bytes=0)
    experiment.train(200)
    experiment.apply(LookBack(100))
    begun = plot_data.status(experiment.snapshot(), -1).text["look"]
    experiment.advance(3)
    rebuilding = plot_data.status(experiment.snapshot(), -1).text["look"]
    experiment.advance(1e6)
    shown = plot_data.status(experiment.snapshot(), -1).text["look"]
    assert shown == begun == "Looking at step 100 of 200"
    assert rebuilding.startswith(f"{shown}, ") and rebuilding.endswith("% rebuilt")


@pytest.mark.parametrize("value", [0.0, 1.1e-62])
def test_a_ratio_of_0_is_drawn_at_the_bottom_of_the_axis(experiment, value):
    column = next(x for x in experiment.snapshot().curves if x.startswith("ratio "))
    part = updates_columns(with_end(experiment.snapshot(), column, value), -1)
    assert part.set["updates.ends"]["y"][0] == plot_data.FLOOR
    assert part.set["updates.frame"]["y"][0] == pytest.approx(plot_data.FLOOR)
    assert part.stream["updates"]["W1"][-1] == plot_data.FLOOR


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0.000"),
        (-0.0, "0.000"),  # the gradient of a unit that is off, times a negative one
        (0.0625, "0.063"),
        (9.9996, "10"),
        (78.81, "78.81"),
        (999.96, "1,000"),
        (67_657, "67,657"),
        (83_161.4, "83,161"),
        (-12_345, "−12,345"),
        (-0.25, "−0.250"),
        (-3e-5, "−3.0e-5"),
        (-math.inf, "−∞"),
        (123_456, "1.2e5"),
        (1.1e-62, "1.1e-62"),
        (3e104, "3.0e104"),
        (math.inf, "∞"),
        (math.nan, "–"),
    ],
)
def test_numbers_have_one_format(value, words):
    assert numbers.number(value) == words


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("count", "−12,345"),
        ("number", "−12,345"),
        ("tick", "−12,345"),
        ("exactly", "−12345"),
        ("short", "−1e4"),
        ("percent", "−1.2e6\N{NO-BREAK SPACE}%"),
        ("decimal_percent", "−1.2e6\N{NO-BREAK SPACE}%"),
    ],
)
def test_whatever_writes_a_number_writes_a_minus(words, text):
    assert getattr(numbers, words)(-12_345) == text


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0"),
        (0.5, "0.5"),
        (1, "1"),
        (100, "100"),
        (25_000, "25,000"),
        (2e-5, "2e-5"),
        (1e6, "1e6"),
    ],
)
def test_tick_labels_have_no_trailing_zeros(value, words):
    assert numbers.tick(value) == words


def test_a_loss_of_0_can_be_drawn_on_a_log_axis(config):
    config = config.replace("optimization.loss", Choice("multiclass hinge"))
    experiment = Experiment(config.replace("optimization.learning_rate", 0.1))
    experiment.train(2000)
    snapshot = experiment.snapshot()
    assert snapshot.curves["loss_low"].min() == 0
    assert min(loss_columns(snapshot, -1).stream["loss"]["low"]) > 0


def test_ghost_runs_have_their_own_values_and_are_sent_once(config):
    experiment = Experiment(config)
    experiment.train(40)
    experiment.apply(Pin("first"))
    experiment.train(1)  # or the run before would stand there twice
    experiment.apply(Restart(1))
    experiment.train(10)
    snapshot = experiment.snapshot()
    drawn = ghosts(snapshot, "loss", {"validation_loss": "dashed"})["loss.ghosts"]
    assert drawn["label"] == ["before", "first"]
    others = [snapshot.previous, *snapshot.pinned]
    for past, steps, passes, values in zip(
        others, drawn["steps"], drawn["epochs"], drawn["y"], strict=True
    ):
        judged = np.isfinite(past.curves["validation_loss"])
        np.testing.assert_array_equal(steps, past.curves["step"][judged])
        np.testing.assert_allclose(passes, past.curves["epoch"][judged], rtol=1e-5)
        np.testing.assert_allclose(values, past.curves["validation_loss"][judged], rtol=1e-3)
    composer = Page()
    row = composer.compose(snapshot, FrameRequest(-1)).row
    experiment.train(1)
    assert "loss.ghosts" not in composer.compose(experiment.snapshot(), FrameRequest(row)).set


def test_a_ghost_run_is_named_in_short_at_the_last_of_its_curves(config):
    experiment = Experiment(config)
    experiment.train(40)
    experiment.apply(Pin("a name that is far too long"))
    experiment.train(1)  # or the run before would stand there twice
    experiment.apply(Restart(1))
    drawn = ghosts(experiment.snapshot(), "loss", dict.fromkeys(("loss", "validation_loss"), ""))
    assert drawn["loss.ghosts"]["label"] == ["", "", "before", "a name that is far…"]


def test_epochs_are_told_by_where_the_batch_size_was_turned(config):
    experiment = Experiment(config.replace("optimization.batch_size", 32))
    told = [epochs(experiment.snapshot())]
    experiment.train(100)
    experiment.apply(SetKnob("optimization.batch_size", 8))
    experiment.train(300)
    told.append(epochs(experiment.snapshot()))
    examples = experiment.snapshot().data.training
    assert told[0] == {"step": [0, 1], "epoch": [0, 32 / examples]}
    assert len(told[1]["step"]) == 4  # the first, that of the change, the last and the next
    passes = np.interp([50, 100, 250, 399], told[1]["step"], told[1]["epoch"])
    assert passes * examples == pytest.approx([1600, 3200, 4400, 5592])


def test_a_ghost_run_shows_the_median_ratio(config):
    experiment = Experiment(config)
    experiment.train(30)
    experiment.apply(Restart())
    drawn = ghosts(experiment.snapshot(), "updates", {"ratio *": "dashed"})["updates.ghosts"]
    curves = experiment.snapshot().previous.curves
    ratios = np.stack([curves[name][1:] for name in curves if name.startswith("ratio")])
    measured = ratios[:, np.isfinite(ratios).all(axis=0)]
    np.testing.assert_allclose(drawn["y"][0], np.median(measured, axis=0), rtol=1e-3)


class TestComposer:
    """Frame by frame, what one connection receives."""

    @staticmethod
    def frame(composer: Page, snapshot: Snapshot, since: int) -> dict:
        frame = composer.compose(snapshot, FrameRequest(since))
        return json.loads(msgspec.json.encode(frame))

    def test_the_first_frame_resets_and_the_next_ones_stream(self, experiment):
        composer = Page()
        first = self.frame(composer, experiment.snapshot(), -1)
        assert set(first["reset"]) >= {"loss", "loss.markers", "accuracy", "updates"}
        assert "stream" not in first
        experiment.train(5)
        second = self.frame(composer, experiment.snapshot(), first["row"])
        assert "reset" not in second
        assert second["stream"]["loss"]["step"] == [61, 62, 63, 64, 65]

    def test_unchanged_values_are_not_sent_again(self, experiment):
        composer = Page()
        snapshot = experiment.snapshot()
        row = self.frame(composer, snapshot, -1)["row"]
        again = self.frame(composer, snapshot, row)
        assert set(again) == {"run", "row", "step"}

    def test_a_new_run_resets(self, experiment):
        composer = Page()
        row = self.frame(composer, experiment.snapshot(), -1)["row"]
        experiment.apply(SetKnob("data.preprocessing", Choice("none")))
        fresh = self.frame(composer, experiment.snapshot(), row)
        assert (fresh["run"], fresh["row"]) == (2, 0)
        assert fresh["reset"]["loss"]["step"] == [0]
        assert fresh["reset"]["loss.markers"] == {"step": [], "label": []}

    def test_text_alternatives_come_once_a_second_and_as_soon_as_the_run_pauses(self, experiment):
        now = [0.0]
        composer = Page(clock=lambda: now[0])

        def alternative() -> str | None:
            experiment.train(1)
            return self.frame(composer, experiment.snapshot(), row)["text"].get("loss.alt")

        experiment.apply(Play())
        row = self.frame(composer, experiment.snapshot(), -1)["row"]
        assert alternative() is None
        now[0] = 1.0
        assert f"step {experiment.step + 1} " in alternative()
        assert alternative() is None
        experiment.apply(Pause())
        assert f"step {experiment.step + 1} " in alternative()

    def test_a_text_alternative_that_is_not_due_is_not_composed(self, experiment, monkeypatch):
        experiment.apply(Play())
        snapshot, composer = experiment.snapshot(), Page(clock=lambda: 0.0)
        row = self.frame(composer, snapshot, -1)["row"]
        monkeypatch.setattr(Part, "described", pytest.fail)
        self.frame(composer, snapshot, row)

    def test_a_text_alternative_that_fails_leaves_the_other_plots(self, experiment, monkeypatch):
        part = replace(accuracy_columns(experiment.snapshot(), -1), alternative=lambda: 1 / 0)
        monkeypatch.setattr(view_of("accuracy"), "columns", lambda snapshot, since: part)
        frame = self.frame(Page(), experiment.snapshot(), -1)
        assert "stands still" in frame["text"]["health"]
        assert frame["reset"]["loss"]

    def test_a_frame_does_not_grow_with_the_run(self, experiment):
        experiment.apply(Play())
        composer, sizes = Page(clock=lambda: 0.0), []  # text alternatives come once a second
        shown = ["loss", "accuracy", "updates", "activations", "signal"]  # on the opened page

        def frame(since: int) -> dict:
            made = composer.compose(experiment.snapshot(), FrameRequest(since, shown))
            encoded = msgspec.json.encode(made)
            assert since < 0 or len(encoded) < 4096
            return json.loads(encoded)

        for steps in (1_000, 10_000):
            experiment.train(steps)
            row = frame(-1)["row"]
            experiment.train(experiment.step // 20)  # some five rows
            told = frame(row)
            told["set"].pop("activations.strip", None)  # comes now and then, however long the run
            sizes.append(len(json.dumps(told)))
        assert sizes[1] < 1.2 * sizes[0]

    @pytest.mark.parametrize("since", [-7, 10**9])
    def test_an_invalid_cursor_gets_all_rows(self, experiment, since):
        frame = self.frame(Page(), experiment.snapshot(), since)
        assert frame["reset"]["loss"]["step"][0] == 0

    def test_numbers_that_are_not_finite_are_null(self, config):
        experiment = Experiment(config.replace("optimization.learning_rate", 1e6))
        experiment.train(50)
        frame = self.frame(Page(), experiment.snapshot(), -1)
        assert frame["reset"]["updates"]["W1"][0] is None  # before the first step
        assert None not in frame["reset"]["accuracy"]["train"]
        assert not any(
            isinstance(v, float) and math.isnan(v) for v in frame["reset"]["loss"]["train"]
        )


def test_above_a_histogram_of_the_lab_no_line_is_wider_than_that_is_on_a_phone():
    lab = Laboratory()
    words = lab_columns(lab, lab.show())["lab.words"]["text"]
    assert max(len(line) for text in words for line in text.split("\n")) <= 13

"""The Search panel without a browser, against the search's own figures."""

import csv
import io
import json
import math
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from app import palette, theme
from app.page.buttons import Presses
from app.panels.search.axes_form import Axes, addable, first_axes
from app.panels.search.losses import BANDS, POINTS, curve
from app.panels.search.search_controller import SearchController, search_progress
from app.panels.search.space import ticks
from app.panels.search.table import ordered, to_csv, to_html
from app.plots import view_of
from app.server.frames import FrameRequest
from engine import (
    LECTURE_SEARCH,
    SETTINGS,
    Begin,
    Categorical,
    Choice,
    Comparison,
    Conductor,
    Continuous,
    Experiment,
    Search,
    SearchProgress,
    SearchRun,
    SearchStatus,
    Snapshot,
    TrialStatus,
)
from tests.app.composing_page import Page
from tests.app.seen import control
from tests.waiting import PATIENCE, wait_until

VIEWS = ("losses", "trials", "parallel", "comparison")
WIDE = Continuous("optimization.learning_rate", 1e-4, 1e4)  # its upper half diverges


@pytest.fixture
def search(config) -> Search:
    space = (WIDE, Continuous("optimization.l2", 1e-6, 1.0))
    return Search(base=config, space=space, trials=12, epochs=1.0)


@pytest.fixture
def hunt(search) -> SearchRun:
    return SearchRun(search)


def snapshot(config, **shown) -> Snapshot:
    now = Experiment(config).snapshot()
    searched = replace(now.background, search=SearchProgress(**shown))
    return msgspec.structs.replace(now, background=searched)


def columns(name: str, config, **shown) -> dict:
    return view_of(name).columns(snapshot(config, **shown), -1).set


def cells(parts: dict) -> dict[int, dict]:
    """The cells of loss curves by trial number."""
    found = {}
    for band in range(BANDS):
        data = parts[f"losses.{band}"]
        for n, number in enumerate(data["number"]):
            found[number] = {name: column[n] for name, column in data.items()}
    return found


def finish(hunt: SearchRun) -> SearchRun:
    while not hunt.over:
        hunt.advance(0.1)
    return hunt


def test_the_losses_have_a_cell_for_each_trial_and_crosses_out_what_was_stopped(hunt, config):
    frame = finish(hunt).frame()
    shown = cells(columns("losses", config, frame=frame))
    assert sorted(shown) == list(range(12))
    stopped = {t.number for t in frame.trials if t.status is TrialStatus.STOPPED}
    assert stopped
    assert {number for number, cell in shown.items() if cell["cross"]} == stopped
    for number in stopped:
        assert frame.trials[number].reason in shown[number]["words"]
        assert shown[number]["label"] in ("> 3×", "∞")
    for number in frame.ranking:
        accuracy = frame.trials[number].validation_accuracy
        assert shown[number]["label"] == f"{100 * accuracy:.0f}"
        assert shown[number]["colour"] == palette.score_colour(accuracy)


def test_the_words_beside_the_losses_say_why_trials_were_stopped_and_name_settings_as_the_page_does(
    hunt, config
):
    frame = finish(hunt).frame()
    words = view_of("losses").columns(snapshot(config, frame=frame), -1).alternative()
    stopped = [trial for trial in frame.trials if trial.status is TrialStatus.STOPPED]
    assert stopped
    assert all(f", {trial.reason}" in words for trial in stopped)
    assert "> 3×" not in words and "l2" not in words


def test_the_losses_are_sorted_by_accuracy_once_all_have_ended(hunt, config):
    hunt.advance(0.001)
    running = cells(columns("losses", config, frame=hunt.frame()))
    assert list(running) == list(range(12))
    frame = finish(hunt).frame()
    order = sorted(
        cells(columns("losses", config, frame=frame)).values(), key=lambda c: (-c["top"], c["left"])
    )
    assert [cell["number"] for cell in order][: len(frame.ranking)] == list(frame.ranking)


def test_no_two_cells_overlap_and_every_curve_stays_in_its_own(hunt, config):
    shown = cells(columns("losses", config, frame=finish(hunt).frame())).values()
    corners = {(math.floor(c["left"]), math.floor(c["bottom"])) for c in shown}
    assert len(corners) == 12
    for cell in shown:
        assert len(cell["x"]) == len(cell["y"]) <= POINTS
        assert cell["left"] - 0.01 <= min(cell["x"]) <= max(cell["x"]) <= cell["right"] + 0.01
        assert cell["bottom"] - 0.01 <= min(cell["y"]) <= max(cell["y"]) <= cell["top"] + 0.01


def test_a_curve_is_the_cost_as_a_share_of_the_first(hunt):
    frame = finish(hunt).frame()
    trial = frame.trials[frame.ranking[0]]
    _, y = curve(trial, (0.0, 1.0, 0.0, 1.3))
    assert y[0] == pytest.approx(1.0, abs=0.01)
    assert y[-1] == pytest.approx(trial.curve.costs[-1] / trial.curve.costs[0], abs=0.01)


def test_only_the_bands_of_trials_that_moved_are_sent_again(hunt, config):
    composer = Page()
    hunt.advance(0.001)
    before = snapshot(config, frame=hunt.frame())
    row = composer.compose(before, FrameRequest(-1, ["losses"])).row
    first = hunt.frame()
    hunt.advance(0.001)
    again = composer.compose(snapshot(config, frame=hunt.frame()), FrameRequest(row, ["losses"]))
    size = math.ceil(12 / BANDS)
    moved = {
        f"losses.{new.number // size}"
        for old, new in zip(first.trials, hunt.frame().trials, strict=True)
        if new != old
    }
    assert {name for name in again.set if name[5:].isdigit()} <= moved
    assert len(moved) < BANDS


def test_a_frame_of_the_lectures_losses_is_small(config):
    trials = SearchRun(LECTURE_SEARCH)
    composer = Page()
    row = composer.compose(snapshot(config, frame=trials.frame()), FrameRequest(-1, ["losses"])).row
    trials.advance(0.5)
    trials.advance(0.2)
    frame = composer.compose(snapshot(config, frame=trials.frame()), FrameRequest(row, ["losses"]))
    assert len(json.dumps(msgspec.to_builtins(frame))) < 6000


def test_points_lie_at_their_places_and_the_best_is_ringed(hunt, config):
    frame = finish(hunt).frame()
    parts = columns("trials", config, frame=frame)
    for n, number in enumerate(parts["trials"]["number"]):
        place = frame.trials[number].places
        assert (parts["trials"]["x"][n], parts["trials"]["y"][n]) == pytest.approx(place, abs=1e-4)
    best = frame.trials[hunt.best.number].places
    assert parts["trials.best"] == {
        "x": [pytest.approx(best[0], abs=1e-4)],
        "y": [pytest.approx(best[1], abs=1e-4)],
    }


def test_lines_across_the_axes_end_at_the_accuracy_and_the_best_is_drawn_last(hunt, config):
    frame = finish(hunt).frame()
    parts = columns("parallel", config, frame=frame)
    assert len(parts["parallel"]["y"]) == len(frame.ranking)
    last = frame.trials[frame.ranking[0]]
    end = palette.score_place(last.validation_accuracy)
    assert parts["parallel"]["y"][-1] == pytest.approx([*last.places, end], abs=1e-3)


def test_the_comparison_shows_the_last_seeds_places_and_the_median_of_all(search, config):
    small = msgspec.structs.replace(search, trials=4)
    comparison = Comparison(small, range(2))
    while not comparison.advance(0.1):
        pass
    frame = comparison.frame()
    shown = snapshot(config, comparison=frame, compared=small)
    part = view_of("comparison").columns(shown, -1)
    for n, line in enumerate(frame.lines):
        np.testing.assert_allclose(
            part.set[f"comparison.{n}"]["x"], line.places[-1][:, 0], rtol=1e-3
        )
        np.testing.assert_allclose(
            part.set[f"comparison.line{n}"]["middle"], line.middle, rtol=1e-3
        )
    assert part.text["comparison.values0"] == "4 values"
    assert part.text["comparison.values1"] == "2 values"
    assert part.text["comparison.seeds"] == "2"


@pytest.mark.parametrize("view", VIEWS)
def test_a_search_view_fills_exactly_what_it_draws(view, hunt, config):
    shown = snapshot(config, frame=finish(hunt).frame())
    drawn = view_of(view)(shown, theme.DESK)
    part = view_of(view).columns(shown, -1)
    sources = {
        model.name: set(model.data)
        for figure in drawn.figures
        for model in figure.references()
        if hasattr(model, "data") and model.name
    }
    assert {name: set(data) for name, data in part.set.items()} == sources


@pytest.mark.parametrize(
    "space",
    [
        (WIDE,),
        (Categorical("model.activation", (Choice("ReLU"), Choice("tanh"))), WIDE),
        (
            WIDE,
            Continuous("model.dropout", 0.0, 0.5, "linear"),
            Categorical("model.hidden", ("8", "8, 8")),
        ),
    ],
    ids=["one", "a menu", "three"],
)
def test_any_space_can_be_drawn(space, config):
    hunt = finish(SearchRun(Search(base=config, space=space, trials=6, epochs=1.0)))
    shown = snapshot(config, frame=hunt.frame())
    for name in VIEWS:
        view_of(name)(shown, theme.DESK)
        part = view_of(name).columns(shown, -1)
        assert part.alternative()
        for data in part.set.values():
            assert len({len(column) for column in data.values()}) == 1


def test_ticks_are_at_their_values():
    for axis in (*LECTURE_SEARCH.space, Continuous("optimization.l2", 2e-4, 7e-4)):
        words = ticks(axis)
        assert 2 <= len(words) <= 8
        for place, said in words.items():
            assert axis.at(place) == pytest.approx(float(said), rel=0.01)


def test_the_table_is_sorted_by_any_column_and_the_file_has_every_trial(hunt):
    frame = finish(hunt).frame()
    best_first = [trial.number for trial in ordered(frame, 1, False)]
    assert [number for number in best_first if number in frame.ranking] == list(frame.ranking)
    assert len(best_first) == 12  # stopped trials have an accuracy too
    rates = [trial.point[0] for trial in ordered(frame, 4, True)]
    assert rates == sorted(rates, reverse=True)
    assert to_html(frame, 1, False).count("<tr data-press=") == 12
    of_values = replace(frame, measure="R²")  # as in a regression search
    assert "R² " in to_html(of_values, 1, False) and "%<" not in to_html(of_values, 1, False)
    assert "R² " not in to_html(frame, 1, False)
    rows = list(csv.DictReader(io.StringIO(to_csv(frame))))
    for trial, row in zip(frame.trials, rows, strict=True):
        assert float(row["optimization.learning_rate"]) == trial.point[0]
        assert row["reason"] == trial.reason


def test_better_trials_have_colours_farther_along_the_scale():
    assert palette.score_colour(0.0) == palette.score_colour(math.nan) == palette.SCORES[0]
    assert palette.score_colour(1.0) == palette.SCORES[-1]
    assert len({palette.score_colour(x) for x in (0.5, 0.7, 0.8, 0.84, 0.9, 0.95)}) == 6


class TestAxes:
    """The form of a search space."""

    @staticmethod
    def begun(config) -> Axes:
        axes = Axes(config, Presses())
        list(axes.pieces())
        return axes

    def test_a_removed_axis_can_be_added_again(self, config):
        presses = Presses()
        axes = Axes(config, presses)
        list(axes.pieces())
        presses.press("leave out optimization.l2")
        (rate,) = axes.space()
        control(axes.view, "Add an axis").value = "optimization.l2"
        assert [axis.path for axis in axes.space()] == [rate.path, "optimization.l2"]

    def test_the_first_axes_are_around_the_current_learning_rate(self, config):
        rate, decay = self.begun(config).space()
        now = config.value("optimization.learning_rate")
        assert rate.low < now < rate.high
        assert decay.path == "optimization.l2"
        assert (rate, decay) == first_axes(config)

    def test_every_offered_axis_makes_a_search(self, config):
        for path in addable(config).values():
            axes = Axes(config, Presses())
            control(axes.view, "Add an axis").value = path
            (axis,) = axes.space()
            assert Search(base=config, space=(axis,), trials=4).draw()
        assert len(addable(config)) > len(SETTINGS) - 4

    def test_a_range_without_numbers_is_refused(self, config):
        axes = self.begun(config)
        control(axes.view, "Learning rate from").value = "much"
        with pytest.raises(ValueError, match="must be a number, got 'much'"):
            axes.space()


class TestSearchController:
    """Searches of an experiment with a real conductor."""

    @pytest.fixture
    def handle(self, config):
        conductor = Conductor()
        yield conductor.add(Experiment(config))
        conductor.close()

    @staticmethod
    def until(handle, holds):
        told = []
        handle.on_change = lambda snapshot: told.append(search_progress(snapshot))
        told.append(search_progress(handle.latest))  # it may be there already
        wait_until(lambda: holds(told[-1]))
        return told[-1]

    def test_a_search_is_started_reported_and_refined(self, handle, search):
        controller = SearchController(handle)
        controller.begin(search)
        done = self.until(handle, lambda x: x.frame and x.frame.status is SearchStatus.FINISHED)
        assert not done.busy
        controller.refine()
        finer = self.until(handle, lambda x: x.frame and x.frame.search.stage == 2 and not x.busy)
        assert finer.before == (done.best,)
        old, new = search.space[0], finer.frame.search.space[0]
        assert new.high / new.low < old.high / old.low / 10

    def test_a_paused_search_resumes_where_it_stopped(self, handle, search):
        controller = SearchController(handle)
        controller.begin(msgspec.structs.replace(search, epochs=1e5))
        self.until(handle, lambda x: x.frame and x.frame.share > 0)
        controller.pause()
        held = self.until(handle, lambda x: x.paused)
        assert held.busy
        assert held.frame.status is SearchStatus.PAUSED
        assert not handle.submit(lambda slot: slot.jobs.busy).result(PATIENCE)
        controller.resume()
        self.until(handle, lambda x: x.frame.share > held.frame.share)
        controller.cancel()
        given_up = self.until(handle, lambda x: x.frame.status is SearchStatus.CANCELLED)
        assert not given_up.busy

    def test_an_impossible_request_is_refused(self, handle):
        controller = SearchController(handle)
        controller.refine()
        assert "nothing to search around" in self.until(handle, lambda x: x.refusal).refusal

    def test_a_loaded_trial_becomes_the_run_with_the_same_weights(self, handle, search):
        controller = SearchController(handle)
        controller.begin(search)
        done = self.until(handle, lambda x: x.frame and x.frame.status is SearchStatus.FINISHED)
        trial = done.frame.trials[done.frame.ranking[0]]
        controller.load(trial.config)
        again = Experiment(handle.query(lambda experiment: experiment.config).result(PATIENCE))
        again.apply(Begin(trial.config))
        again.train(trial.steps)
        accuracy = again.snapshot().metrics.validation_accuracy
        assert accuracy == pytest.approx(trial.validation_accuracy, abs=1e-12)

    def test_an_ensemble_and_a_comparison_are_reported(self, handle, search):
        controller = SearchController(handle)
        controller.begin(search)
        self.until(handle, lambda x: x.frame and not x.busy)
        controller.average(2)
        both = self.until(handle, lambda x: x.ensemble and x.ensemble.finished)
        assert len(both.ensemble.alone) == 2
        controller.compare(msgspec.structs.replace(search, trials=4), 1)
        compared = self.until(handle, lambda x: x.comparison and x.comparison.finished)
        assert compared.frame.ranking == both.frame.ranking

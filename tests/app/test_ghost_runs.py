"""Other runs in the plots and in the table: only comparable ones, each of them once."""

import re

import msgspec
import pytest

from app.plots import view_of
from app.plots.ghost_runs import ghosts, left_out, own_name
from app.sharing.pinned import table
from engine import BackgroundResults, Choice, Experiment, LessonProgress, Pin, Restart, SetKnob


@pytest.fixture
def experiment(config) -> Experiment:
    experiment = Experiment(config)
    experiment.train(30)
    return experiment


def labels(experiment: Experiment, name: str) -> list[str]:
    """The labels of the ghost runs in this plot."""
    return ghosts(experiment.snapshot(), "view", {name: "solid"})["view.ghosts"]["label"]


def heads(experiment: Experiment) -> list[str]:
    return re.findall(r'<th scope="col">(.*?)</th>', table(experiment.snapshot()))


def in_lesson(experiment: Experiment, titles: list[str], shown: str) -> tuple[list[str], str]:
    """What the pinned runs and the current one are called in the plots of a lesson."""
    lesson = LessonProgress("", count=len(titles), titles=tuple(titles), shown=shown)
    snapshot = msgspec.structs.replace(
        experiment.snapshot(), background=BackgroundResults(lesson=lesson)
    )
    drawn = ghosts(snapshot, "view", {"loss_average": "solid"})["view.ghosts"]["label"]
    return drawn, own_name(snapshot)


def test_runs_of_a_varied_lesson_keep_titles_that_fit(experiment):
    for name in ("before: batches of 10", "batches of 500"):
        experiment.apply(Pin(name))
        experiment.train(1)
    drawn = in_lesson(experiment, ["batches of 10", "batches of 500"], "batches of 10")
    assert drawn == (["before: batches of 10", "batches of 500"], "batches of 10")


def test_titles_that_do_not_fit_lose_no_more_of_what_they_have_in_common_than_must_be(experiment):
    titles = [f"an L2 of 0.1 {way} batch norm" for way in ("without", "with")]
    experiment.apply(Pin(f"before: {titles[1]}"))
    experiment.train(1)
    drawn = in_lesson(experiment, titles, titles[0])
    assert drawn == (["before: with"], "without")


def test_a_run_of_a_lesson_is_called_the_same_before_others_are_played(experiment):
    titles = [f"{way} batch norm, all of it" for way in ("without", "with", "after")]
    alone = in_lesson(experiment, titles, titles[0])[1]
    for name in titles[:2]:
        experiment.apply(Pin(name))
        experiment.train(1)
    drawn, last = in_lesson(experiment, titles, titles[2])
    assert [*drawn, last] == ["without", "with", "after"]
    assert alone == "without"


def test_runs_whose_names_are_long_are_still_told_apart(experiment):
    names = [f"small normal weights, {way} batch norm" for way in ("with", "without")]
    for name in names:
        experiment.apply(Pin(name))
        experiment.train(1)
    drawn = labels(experiment, "loss_average")
    assert len(set(drawn)) == 2
    assert all(len(name) <= 22 for name in drawn)
    experiment.apply(SetKnob("data.dataset", Choice("spiral")))
    told = left_out(experiment.snapshot(), "loss")
    assert all(f"{name} (other data)" in told for name in drawn)


def test_long_titles_of_a_lesson_are_cut_to_the_words_that_differ(experiment):
    titles = [
        f"{size} normal without batch norm ({n})" for size in ("small", "unit") for n in (1, 2)
    ]
    for name in titles[:-1]:
        experiment.apply(Pin(name))
        experiment.train(1)
    drawn, last = in_lesson(experiment, titles, titles[-1])
    assert [*drawn, last] == ["small (1)", "small (2)", "unit (1)", "unit (2)"]


def test_a_lesson_of_one_run_has_its_curves_beside_a_run_that_is_left_out(experiment):
    experiment.apply(Pin("mine"))  # the current run, as it is
    lesson = LessonProgress("", count=1, shown="all there is")
    snapshot = msgspec.structs.replace(
        experiment.snapshot(), background=BackgroundResults(lesson=lesson)
    )
    assert ghosts(snapshot, "view", {"loss_average": "solid"})["view.ghosts"]["label"] == []


def test_a_run_on_the_same_data_is_drawn(experiment):
    experiment.apply(SetKnob("model.hidden", "4"))
    assert labels(experiment, "loss_average") == ["before"]
    assert left_out(experiment.snapshot(), "loss") == ""


@pytest.mark.parametrize("name", ["loss_average", "train_accuracy", "ratio *"])
def test_a_run_on_other_data_is_not_drawn_and_a_note_says_so(experiment, name):
    experiment.apply(SetKnob("data.dataset", Choice("spiral")))
    assert labels(experiment, name) == []
    for view in ("loss", "accuracy", "updates"):
        text = view_of(view).columns(experiment.snapshot(), -1).text
        assert text[f"{view}.apart"] == "not drawn: before (other data)"


def test_with_another_loss_only_losses_are_incomparable(experiment):
    experiment.apply(Pin("soft"))
    experiment.apply(SetKnob("optimization.loss", Choice("multiclass hinge")))
    assert labels(experiment, "validation_loss") == []
    assert labels(experiment, "validation_accuracy") == ["soft"]
    assert left_out(experiment.snapshot(), "loss") == "not drawn: soft (other loss)"
    assert left_out(experiment.snapshot(), "accuracy") == ""


def test_a_pinned_run_that_has_just_ended_is_listed_once(experiment):
    experiment.apply(Pin("run 1"))
    experiment.apply(Restart())
    assert labels(experiment, "loss_average") == ["run 1"]
    assert heads(experiment) == ["this run", "run 1"]


def test_no_two_columns_have_the_same_title(experiment):
    experiment.apply(Pin("run 1"))
    experiment.train(10)  # so that its end differs from the pinned state
    experiment.apply(Restart())
    assert heads(experiment) == ["this run", "before (run 1)", "run 1"]
    assert labels(experiment, "loss_average") == ["before", "run 1"]

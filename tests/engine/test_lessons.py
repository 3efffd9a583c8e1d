"""Every lesson's claim holds, and is refuted when its variation makes it false."""

import dataclasses
import json
import math
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest

from engine import (
    LESSONS,
    MAX_NAME,
    Choice,
    Evidence,
    Experiment,
    Lesson,
    Pretraining,
    Range,
    Restart,
    RunConfig,
    SetKnob,
    Status,
    Variation,
    open_lesson,
    outcome,
    replay,
    to_compare,
)
from engine.cli.main import main
from engine.data import DATASETS, register_folder
from engine.data.files import pictures
from engine.lessons import observing
from engine.lessons.lesson import Run
from engine.lessons.outcome import Outcome
from engine.lessons.play import follow, gather, judge, make, play, play_all
from engine.lessons.play_live import play_live
from engine.training.config_sections import DataConfig
from tests.short_lessons import short

FEW = DataConfig(classes=("5", "6", "7", "8", "9"), examples=30)
FINE_TUNED = RunConfig(
    data=FEW, start=Pretraining(data=DataConfig(classes=("0", "1", "2")), steps=200)
)
QUICK = "first loss", "sigmoid saturates"


@pytest.mark.parametrize("name", LESSONS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_claim_holds_and_fails_when_it_is_made_false(name):
    lesson = open_lesson(name)
    evidence = gather(lesson)
    verdict = lesson.check(evidence)
    assert verdict.holds, verdict
    assert verdict.figures
    broken = lesson.varied(lesson.variations[0])
    assert not broken.check(vary(lesson, evidence, broken)).holds


def vary(lesson: Lesson, evidence: Evidence, varied: Lesson) -> Evidence:
    """What a variation shows: only runs and exhibits that the lesson has not are made."""
    made = [(run.begin, evidence[run.name]) for run in lesson.runs]

    def outcome_of(run: Run) -> Outcome:
        for begin, told in made:  # of another name, maybe
            if begin == run.begin:
                return told
        made.append((run.begin, make(run)))
        return made[-1][1]

    return Evidence(
        {run.name: outcome_of(run) for run in varied.runs},
        {
            name: evidence.exhibits[name] if exhibit == lesson.exhibits[name] else exhibit.show()
            for name, exhibit in varied.exhibits.items()
        },
        varied.titles,
    )


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_has_all_its_texts(name):
    lesson = open_lesson(name)
    assert 40 < len(lesson.look) < 330, "`look` says what to watch, in 40 to 330 letters"
    if lesson.runs:
        assert 40 < len(lesson.why) < 330, "`why` explains what the runs show, likewise"
    assert 20 < len(lesson.setup) < 250, "`setup` says what there is, in 20 to 250"
    assert lesson.title.endswith("?"), "the title is a question"
    assert len(lesson.question.options) > 1
    assert 0 <= lesson.question.right < len(lesson.question.options)
    assert len(lesson.variations) >= 2, "two variations or more; the first makes the claim false"
    names = {run.name for run in lesson.runs} | set(lesson.exhibits)
    assert names, "a lesson has runs or exhibits"
    for by in lesson.variations:
        assert any(fnmatchcase(name, by.of) for name in names), by.label


def test_no_two_lessons_ask_the_same_or_have_the_same_address():
    lessons = [open_lesson(name) for name in LESSONS]
    for called in ({x.title for x in lessons}, {x.slug for x in lessons}):
        assert len(called) == len(lessons)
    assert open_lesson("rate too high: NaN").slug == "rate-too-high-nan"


def test_the_place_of_an_option_does_not_tell_whether_it_is_right():
    """Somebody who always takes the same place is right about as often as by chance."""
    questions = [open_lesson(name).question for name in LESSONS]
    assert all(sorted(q.shuffled) == sorted(q.options) for q in questions)
    for place in range(2):
        right = sum(q.shuffled[place] == q.options[q.right] for q in questions)
        assert 0.2 < right / len(questions) < 0.55


@pytest.mark.parametrize("name", LESSONS)
def test_every_variation_changes_something(name):
    lesson = open_lesson(name)
    for by in lesson.variations:
        broken = lesson.varied(by)
        assert (broken.runs, broken.exhibits) != (lesson.runs, lesson.exhibits), by.label


def test_a_run_is_the_same_as_its_command_makes_it():
    run = open_lesson("dead ReLUs").runs[0]
    watched = Experiment(RunConfig())
    watched.apply(run.begin)
    while watched.status is Status.RUNNING:
        watched.advance(0.01)
    assert watched.step == run.steps
    played = follow(run)
    theta = played.network.parameters.theta
    assert theta.tobytes() == watched.network.parameters.theta.tobytes()


def test_the_curves_end_at_the_figures_of_the_verdict():
    run = open_lesson("convolution").runs[0]  # of figures so dear that few rows have them
    played = follow(dataclasses.replace(run, steps=43))
    curves = played.snapshot().curves
    assert curves["step"][-1] == 43
    assert curves["validation_accuracy"][-1] == pytest.approx(outcome(played).accuracy, abs=1e-3)


def test_an_outcome_has_read_only_copies(config):
    experiment = Experiment(config)
    told = outcome(experiment)
    before = told.parameters["dense 1 W"].copy()
    experiment.train(20)
    assert np.array_equal(told.parameters["dense 1 W"], before)
    for array in (told.scores, told.answers, told.example, *told.responses.values()):
        assert not array.flags.writeable


def test_an_outcome_leaves_the_experiment_as_it_was(config):
    looked_at, left_alone = Experiment(config), Experiment(config)
    for experiment in (looked_at, left_alone):
        experiment.train(30)
        if experiment is looked_at:
            outcome(experiment)
        experiment.train(30)
    thetas = [x.network.parameters.theta.tobytes() for x in (looked_at, left_alone)]
    assert thetas[0] == thetas[1]


def test_the_accuracy_of_an_outcome_is_that_of_the_snapshot(config):
    experiment = Experiment(config)
    experiment.train(200)
    told = outcome(experiment)
    assert told.accuracy == pytest.approx(told.snapshot.metrics.validation_accuracy, abs=0.02)


# ---- pretraining --------------------------------------------------------------------------------


def test_a_fine_tuned_run_keeps_all_pretrained_layers_but_the_last():
    before = Experiment(RunConfig(data=FINE_TUNED.start.data))
    before.train(FINE_TUNED.start.steps)
    learned, now = (outcome(x).parameters for x in (before, Experiment(FINE_TUNED)))
    fresh = outcome(Experiment(RunConfig(data=FEW))).parameters
    assert np.array_equal(now["dense 1 W"], learned["dense 1 W"])
    assert np.array_equal(now["dense 2 b"], learned["dense 2 b"])
    assert np.array_equal(now["scores W"], fresh["scores W"])


def test_a_fine_tuned_run_can_be_replayed_to_the_bit():
    experiment = Experiment(FINE_TUNED)
    experiment.train(50)
    experiment.apply(SetKnob("optimization.learning_rate", 0.02))
    experiment.train(50)
    first = RunConfig.from_json(experiment.first_config.to_json())
    again = replay(first, experiment.journal, experiment.step)
    theta = experiment.network.parameters.theta
    assert theta.tobytes() == again.network.parameters.theta.tobytes()


def test_redrawing_a_fine_tuned_run_draws_random_weights():
    experiment = Experiment(FINE_TUNED)
    learned = outcome(experiment).parameters["dense 1 W"]
    experiment.apply(SetKnob("model.initializer", Choice("Xavier")))
    assert not np.allclose(outcome(experiment).parameters["dense 1 W"], learned)


def test_pretrained_layers_that_do_not_fit_are_drawn():
    Experiment(FINE_TUNED.replace("model.hidden", "64, 32")).train(1)


def test_long_pretraining_is_refused():
    wide = FINE_TUNED.replace("model.hidden", "2000, 2000")
    with pytest.raises(ValueError, match=r"pretraining takes .* multiplications"):
        Experiment(wide)


def test_a_run_can_be_limited_to_some_classes():
    experiment = Experiment(RunConfig(data=FEW))
    assert experiment.data.train.classes == FEW.classes
    assert len(experiment.data.train) == 30
    assert set(experiment.data.validation.y.tolist()) == set(range(5))
    whole = DATASETS.build(Choice("digits"))(np.random.default_rng(0))
    sevens = [whole.x[i].tobytes() for i in np.flatnonzero(whole.y == 7)]
    told = Experiment(RunConfig(data=DataConfig(classes=FEW.classes, preprocessing=Choice("none"))))
    mine = told.data.validation.x[told.data.validation.y == 2]
    assert all(x.tobytes() in sevens for x in mine)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": ("5",)}, "two or more"),
        ({"classes": ("5", "5")}, "all different"),
        ({"seed": -1}, "0 or more, got -1"),
    ],
)
def test_impossible_data_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        DataConfig(**changes)


def test_an_unknown_class_is_refused_by_name():
    with pytest.raises(ValueError, match="unknown class 'cat'; there are 10, such as 0, 1, 2"):
        Experiment(RunConfig(data=DataConfig(classes=("1", "cat"))))


def test_another_data_set_has_other_classes():
    changed = RunConfig(data=FEW).replace("data.dataset", Choice("iris"))
    assert changed.data.classes == ()


def test_runs_of_different_seeds_can_share_their_data():
    a, b = (Experiment(RunConfig(data=DataConfig(seed=3), seed=seed)) for seed in (0, 1))
    assert np.array_equal(a.data.validation.x, b.data.validation.x)
    assert not np.array_equal(a.network.parameters.theta, b.network.parameters.theta)


# ---- the user's own CIFAR-10 --------------------------------------------------------------------


def registered_cifar(
    rng: np.random.Generator, *, per_class: Annotated[int, Range(10, 6000, "log")] = 200
):
    """Noise of 32 x 32 x 3, with another brightness for each class."""
    y = np.arange(600) % 10
    x = rng.integers(0, 120, (600, 32, 32, 3)) + 12 * y[:, None, None, None]
    return pictures(x.astype(np.uint8), y, tuple("abcdefghij"), 255)


@pytest.fixture
def cifar():
    registered_cifar.__doc__ = "Pictures as CIFAR-10 has them, for this test alone."
    DATASETS.register("CIFAR-10")(registered_cifar)
    yield
    DATASETS.remove("CIFAR-10")


def test_babysitting_uses_cifar_if_available(cifar):
    for name in ("first loss", "regularization raises it"):
        played = play(name)
        assert played.data == "CIFAR-10"
        assert played.verdict.holds
    rise = {figure.label: figure.ours for figure in played.verdict.figures}
    assert rise["first loss with its penalty, L2 of 1,000"] == pytest.approx(
        3.0686, abs=0.01
    )  # on the slide


def test_without_cifar_babysitting_uses_the_bundled_images():
    assert open_lesson("first loss").data == "Fashion-MNIST"


def synthetic_cifar(folder: Path) -> None:
    """As many images as the lessons use, in the official layout, with realistic statistics."""
    rng = np.random.default_rng(0)
    y = np.arange(6000) % 10
    coarse = 6 * rng.standard_normal((10, 3, 8, 8))[y] + 40 * rng.standard_normal((6000, 3, 8, 8))
    brightness = 35 * rng.standard_normal((6000, 1, 1, 1))
    pixels = np.repeat(np.repeat(120 + coarse + brightness, 4, axis=2), 4, axis=3)
    rows = np.column_stack([y, pixels.reshape(6000, 3072).clip(0, 255)]).astype(np.uint8)
    (folder / "cifar-10-batches-bin").mkdir()
    names = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
    for name, batch in zip(names, np.split(rows, 6), strict=True):
        (folder / "cifar-10-batches-bin" / f"{name}.bin").write_bytes(batch.tobytes())


def test_still_too_high_uses_larger_batches_for_more_inputs(tmp_path):
    synthetic_cifar(tmp_path)
    assert register_folder(tmp_path) == ["CIFAR-10"]
    try:
        played = play("still too high")
    finally:
        DATASETS.remove("CIFAR-10")
    assert played.data == "CIFAR-10"
    assert played.verdict.holds, played.verdict


# ---- without a page -----------------------------------------------------------------------------


@pytest.fixture
def two_lessons(monkeypatch):
    monkeypatch.setattr("engine.cli.lessons.LESSONS", dict.fromkeys(QUICK))


def test_the_table_has_claims_figures_and_verdicts(two_lessons, capsys):
    assert main(["lessons", "--processes", "1"]) == 0
    table = capsys.readouterr().out
    assert LESSONS["first loss"].summary in table
    assert "the lecture: 2.3026" in table
    assert "2 of 2 claims hold" in table


def test_one_claim_that_fails_makes_the_exit_status_1(two_lessons, capsys, monkeypatch):
    def falsified(name: str) -> Lesson:
        lesson = open_lesson(name)
        return lesson.varied(lesson.variations[0])

    monkeypatch.setattr("engine.lessons.play.open_lesson", falsified)
    assert main(["lessons", "--processes", "1"]) == 1
    assert "These do not: first loss, sigmoid saturates." in capsys.readouterr().out
    assert main(["lesson", "first loss", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["verdict"]["holds"] is False


def test_one_lesson_as_json(capsys):
    assert main(["lesson", "first loss", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["data"] == "Fashion-MNIST"
    assert told["verdict"]["figures"][0]["ours"] == pytest.approx(2.3026, abs=1e-3)


def test_an_unknown_lesson_is_refused(capsys):
    assert main(["lesson", "alchemy"]) == 2
    assert "unknown lesson 'alchemy'" in capsys.readouterr().err


def test_several_processes_give_the_same_result_as_one():
    alone, shared = (list(play_all(QUICK, processes)) for processes in (1, 2))
    assert [x.verdict for x in alone] == [x.verdict for x in shared]


def test_another_seed_does_not_change_the_verdict():
    for name in ("dead ReLUs", "update ratio", "constant weights"):
        other = open_lesson(name).varied(Variation("", commands=(Restart(5),)))
        assert judge(other).holds, name


def test_a_run_of_no_steps_is_held_to_no_pace():
    paces: list[float | None] = []
    lesson = open_lesson("first loss")
    assert [run.steps for run in lesson.runs] == [0]
    (*_, last) = play_live(Experiment(RunConfig()), lesson, paces.append)
    assert last.verdict.holds
    assert paces == [None, None]


# ---- what was seen, and what is varied ----------------------------------------------------------


def test_the_right_answer_follows_the_runs():
    lesson = open_lesson("the gap is overfitting")
    assert lesson.observe(gather(lesson)).answer == "no L2"
    swapped = lesson.varied(Variation("", "no L2", (SetKnob("optimization.l2", 1.0),)))
    assert swapped.observe(gather(swapped)).answer == "L2 of 0.03"
    same = lesson.varied(lesson.variations[0])
    assert same.observe(gather(same)).answer == observing.NEITHER


def test_where_the_first_two_of_three_are_alike_the_third_may_differ():
    def answer(*values: float) -> str:
        found = list(zip("abc", values, strict=False))
        return observing.place_of_highest("?", lambda evidence: found)(Evidence({}, {})).answer

    assert answer(3.0, 2.0, 1.0) == "a"
    assert answer(3.0, 3.0, 1.0) == "two or more alike"
    assert answer(3.0, 3.0) == "no clear difference"


def test_a_figure_that_is_no_number_is_the_answer_that_says_so():
    for form, answer in ((".0%", observing.NONE_OF_THESE), (".2f", observing.NO_NUMBER)):
        asked = observing.how_much("?", lambda evidence: math.nan, (0.1, 0.5), form)
        assert asked(Evidence({}, {})).answer == answer
    at_the_bound = observing.how_much("?", lambda evidence: 0.1, (0.1, 0.5))
    assert at_the_bound(Evidence({}, {})).answer == "up to 10\N{NO-BREAK SPACE}%"


@pytest.mark.parametrize("name", LESSONS)
def test_a_variation_says_what_it_changes(name):
    lesson = open_lesson(name)
    for by in lesson.variations:
        told = lesson.changes(by)
        assert told and all(" → " in line for line in told), (by.label, told)
    assert 2 <= lesson.minutes <= 6


@pytest.mark.parametrize("name", LESSONS)
def test_no_two_runs_of_a_lesson_have_the_same_title(name):
    lesson = open_lesson(name)
    for each in (lesson, *map(lesson.varied, lesson.variations)):
        titles = list(each.titles.values())
        assert len({title[:MAX_NAME] for title in titles}) == len(titles)


def played_live(lesson: Lesson, beside: tuple = ()) -> tuple[Experiment, list]:
    experiment = Experiment(RunConfig())
    experiment.compare_with(beside)
    states = []
    for progress in play_live(experiment, lesson, lambda pace: None):
        states += [progress] if progress else []
        experiment.advance(math.inf)
    return experiment, states


def test_the_runs_of_a_lesson_are_drawn_beside_each_other_by_their_titles():
    lesson = short(open_lesson("update rules"))
    experiment, states = played_live(lesson)
    assert [past.name for past in experiment.pinned] == list(lesson.titles.values())
    assert states[-1].verdict and states[-1].seen
    assert states[-1].shown == "SGD at 0.01"


def test_who_turns_no_knob_is_not_told_of_changed_settings():
    lesson = open_lesson("dead ReLUs")
    sane = lesson.varied(lesson.variations[0])  # its script sets the rate to what it is already
    _, states = played_live(short(sane, steps=310))
    assert states[-1].verdict
    assert (states[-1].note, states[-1].steered) == ("", ())


def test_who_watches_slowly_gets_the_curves_and_figures_of_who_does_not():
    lesson = short(open_lesson("ReLU learns faster"), steps=90)
    experiment = Experiment(RunConfig())
    for _ in play_live(experiment, lesson, lambda pace: None):
        experiment.advance(math.inf, steps=1, apart=1)
    for run, watched in zip(lesson.runs, experiment.pinned, strict=True):
        curves = follow(run).snapshot().curves
        for name in ("step", "train_accuracy", "validation_loss"):
            np.testing.assert_array_equal(watched.curves[name], curves[name])


def test_what_a_variation_changes_is_drawn_beside_it_as_it_was():
    lesson = short(open_lesson("ReLU learns faster"))
    before, _ = played_live(lesson)
    varied = lesson.varied(lesson.variations[1])
    beside = to_compare(lesson, varied, before)
    assert [past.name for past in beside] == ["tanh"]
    after, states = played_live(varied, beside)
    assert [past.name for past in after.pinned] == ["tanh", "ReLU", "ELU", "sigmoid"]
    assert states[-1].verdict
    every = short(open_lesson("an ensemble beats its members"))
    many, _ = played_live(every)
    assert to_compare(every, every.varied(every.variations[0]), many) == ()  # there is no room

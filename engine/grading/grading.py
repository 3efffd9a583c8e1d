"""Grades hand-ins: repeats every run, plays every lesson again, compares, applies the rubric."""

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from engine.grading.hand_in import HandedRun, HandIn, figures_at_end
from engine.grading.machine import kind_of_machine
from engine.grading.rubric import Checked, CheckedAnswer, RepeatedRun, Rubric
from engine.lessons.answers import FAILS, HOLDS, LessonAnswer, ResultFigure, figures_of
from engine.lessons.lesson import LESSONS, Evidence, Lesson, open_lesson, slug_of
from engine.lessons.observing import NEITHER, SEVERAL
from engine.lessons.outcome import outcome
from engine.lessons.play import gather
from engine.number_format import typed
from engine.runtime.experiment import Experiment
from engine.runtime.recording import Recording
from engine.training.config import SETTINGS
from engine.training.setting import Effect

EXACT = 1e-6  # relative difference of figures on the same kind of machine
TOLERANCE = 0.1  # ... on another kind, where the same run rounds otherwise
SHARE = 0.03  # absolute difference of shares there
AT_ONCE = 50  # steps between two looks at the clock
MOST_SECONDS = 60.0  # for the runs of one hand-in

type LessonKey = tuple[str, str]  # of a lesson and its variation
type Clock = Callable[[], float]


@dataclass(frozen=True)
class Outcomes:
    """A lesson played again: what is compared with the answers to it."""

    predicted: str  # the right prediction
    seen: str  # what was to be seen
    figures: tuple[ResultFigure, ...]


@dataclass(frozen=True)
class Grade:
    """The points of a student, by criterion, and remarks for the teacher."""

    student: str
    points: Mapping[str, float]
    remarks: tuple[str, ...] = field(default=())

    @property
    def total(self) -> float:
        """The sum of all points."""
        return sum(self.points.values())


# ---- lessons ----------------------------------------------------------------------------------


def lessons_in(hand_ins: Iterable[HandIn]) -> list[LessonKey]:
    """All lessons and variations that are answered, each once; unknown ones are left out."""
    answered = dict.fromkeys(
        (answer.lesson, answer.variation) for made in hand_ins for answer in made.answers
    )
    return [key for key in answered if _opened(key) is not None]


def play_again(key: LessonKey) -> Outcomes:
    """Play a lesson or a variation; ValueError if there is none of that key."""
    opened = _opened(key)
    if opened is None:
        raise ValueError(f"there is no lesson {key[0]!r} with a variation {key[1]!r}")
    return _judged(*opened, gather(opened[0]))


def _steered_again(answer: LessonAnswer, deadline: float, clock: Clock) -> Outcomes:
    """Repeat the runs of a lesson as a student steered them, and judge those."""
    opened = _opened((answer.lesson, answer.variation))
    runs = dict(answer.runs)
    if opened is None or runs.keys() != {run.name for run in opened[0].runs}:
        raise ValueError("settings were changed, and the file does not say which")
    outcomes = {}
    for run in opened[0].runs:
        begin = runs[run.name]
        if begin.config != run.config:
            raise ValueError(f"the run {run.name!r} does not begin as in the lesson")
        recording = Recording(begin.config, begin.script, min(begin.until or 0, run.steps))
        outcomes[run.name] = outcome(_repeat(recording, deadline, clock))
    exhibits = {name: exhibit.show() for name, exhibit in opened[0].exhibits.items()}
    return _judged(*opened, Evidence(outcomes, exhibits, opened[0].titles))


def _judged(lesson: Lesson, varied: bool, evidence: Evidence) -> Outcomes:
    with np.errstate(invalid="ignore", divide="ignore"):
        verdict, seen = lesson.check(evidence), lesson.observe(evidence)
    expected = (HOLDS if verdict.holds else FAILS) if varied else lesson.question.answer
    return Outcomes(expected, seen.answer, figures_of(verdict))


def _opened(key: LessonKey) -> tuple[Lesson, bool] | None:
    """The lesson, varied if the key says so; None if there is none."""
    slug, label = key
    name = next((name for name in LESSONS if slug_of(name) == slug), None)
    if name is None:
        return None
    lesson = open_lesson(name)
    if not label:
        return lesson, False
    by = next((by for by in lesson.variations if by.label == label), None)
    return (lesson.varied(by), True) if by else None


def _checked(
    answer: LessonAnswer,
    played: Mapping[LessonKey, Outcomes],
    same_machine: bool,
    deadline: float,
    clock: Clock,
) -> tuple[CheckedAnswer, str]:
    outcomes = played.get((answer.lesson, answer.variation))
    called = f"{answer.lesson}{f' ({answer.variation})' if answer.variation else ''}"
    if outcomes is None:
        return CheckedAnswer(answer, False, False, False), f"{called}: there is no such lesson"
    if answer.steered:  # its figures are those of the student's own settings
        try:
            outcomes = _steered_again(answer, deadline, clock)
        except (ValueError, MemoryError) as error:
            reason = str(error) or "out of memory"
            return CheckedAnswer(answer, False, False, False), f"{called}: {reason}"
    right = answer.predicted == outcomes.predicted, _same_seen(answer.seen, outcomes.seen)
    claimed, found = (
        {typed(label): value for label, value in figures}
        for figures in (answer.figures, outcomes.figures)
    )
    wrong = _differing(claimed, found, same_machine)
    remark = f"{called}: {wrong}" if wrong else ""
    return CheckedAnswer(answer, not wrong, *right), remark


def _same_seen(answered: str, found: str) -> bool:
    """Whether this was to be seen; earlier files say NEITHER where there were more than two."""
    return typed(answered) == typed(found) or (answered, found) == (NEITHER, SEVERAL)


# ---- runs -------------------------------------------------------------------------------------


def _repeat(recording: Recording, deadline: float, clock: Clock) -> Experiment:
    """Repeat a run; ValueError if it takes too long, or is not one run."""
    config = recording.config
    for step, turn in recording.turns:
        config = config.replace(turn.path, turn.value)
        if SETTINGS[turn.path].effect is Effect.NEW_RUN:
            raise ValueError(f"step {step:,} changes {turn.path}, which begins another run")
    experiment = Experiment(recording.config)
    for step, turn in recording.turns:
        _train_to(step, experiment, deadline, clock)
        experiment.apply(turn)
    _train_to(recording.steps, experiment, deadline, clock)
    return experiment


def _train_to(step: int, experiment: Experiment, deadline: float, clock: Clock) -> None:
    while experiment.step < step:
        before = experiment.step
        experiment.train(min(AT_ONCE, step - before))
        if experiment.step == before:  # it has diverged
            return
        if clock() > deadline:
            raise ValueError(f"takes too long to repeat: {experiment.step:,} of {step:,} steps")


def repeated(
    run: HandedRun, deadline: float, same_machine: bool, clock: Clock
) -> tuple[RepeatedRun | None, str]:
    """The run, repeated, and a remark if it is not what was handed in."""
    try:
        experiment = _repeat(run.recording, deadline, clock)
    except (ValueError, MemoryError) as error:
        return None, f"run {run.name!r}: {str(error) or 'out of memory'}"
    end = experiment.snapshot()
    same_bits = run.recording.digest == experiment.network.parameters.digest
    wrong = _differing(run.figures, figures_at_end(end.metrics), same_bits)
    repeated = RepeatedRun(run, end, not wrong)
    if wrong:
        return repeated, f"run {run.name!r}: {wrong}"
    if same_bits:
        return repeated, ""
    where = "on the same kind of machine" if same_machine else "another kind of machine"
    return repeated, f"run {run.name!r}: other bits, {where}; its figures agree within a tolerance"


# ---- comparing --------------------------------------------------------------------------------


def _differing(
    claimed: Mapping[str, float | None], found: Mapping[str, float | None], exactly: bool
) -> str:
    """The first figure that differs, in words; empty if all agree."""
    if claimed.keys() != found.keys():
        return "it tells other figures than it has"
    for name, value in found.items():
        if not _agree(claimed[name], value, exactly):
            differences = ", ".join(
                f"{label} {'no number' if x is None else format(x, '.6g')}"
                for label, x in (("handed in as", claimed[name]), ("repeated as", value))
            )
            return f"{name.replace('_', ' ')} {differences}"
    return ""


def _agree(claimed: float | None, found: float | None, exactly: bool) -> bool:
    if claimed is None or found is None:
        return claimed is found
    if exactly:
        return math.isclose(claimed, found, rel_tol=EXACT, abs_tol=EXACT)
    return math.isclose(claimed, found, rel_tol=TOLERANCE, abs_tol=SHARE)


# ---- a hand-in --------------------------------------------------------------------------------


def grade(
    made: HandIn,
    rubric: Rubric,
    played: Mapping[LessonKey, Outcomes],
    seconds: float = MOST_SECONDS,
    clock: Clock = time.monotonic,
) -> Grade:
    """Repeat all of a hand-in and apply the rubric; only what agrees counts."""
    same_machine = made.machine == kind_of_machine()
    deadline = clock() + seconds
    runs = [repeated(run, deadline, same_machine, clock) for run in made.runs]
    answers = [_checked(answer, played, same_machine, deadline, clock) for answer in made.answers]
    remarks = [remark for _, remark in (*runs, *answers) if remark]
    if not made.intact:
        remarks.insert(0, "the file was changed after it was handed in")
    checked = Checked(made, [run for run, _ in runs if run], [answer for answer, _ in answers])
    points = {x.name: round(x.points * x.share(checked), 2) for x in rubric.criteria}
    return Grade(made.student, points, tuple(remarks))

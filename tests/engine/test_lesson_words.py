"""Every number in a verdict comes from the run or exhibit that it is about."""

import dataclasses
import re
from collections.abc import Iterable, Iterator

import msgspec
import pytest

from engine import LESSONS, Lesson, Restart, RunConfig, SetKnob, Variation, Verdict, open_lesson
from engine.lessons.combining import TRIES
from engine.lessons.lesson import Evidence
from engine.lessons.outcome import outcome
from engine.lessons.play import follow

FEW = 12  # steps: verdicts follow the runs, however short these are
# A number with exponent or per cent sign; not a digit in a name, such as L2.
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?%?(?!\w)")
# Numbers in verdicts that are no settings: places, goals, and how many runs there are.
FIXED = {
    "inputs of one sign zig-zag": {0.5, 1, 2},  # one more than the smallest input
    "ReLU learns faster": {98, 0.98},
    "update rules": {95, 0.95},
    "fine-tuning": {TRIES},
    "batch norm can undo itself": {0, 1},
    "batch norm at test time": {0, 1},
    "fast, then stuck": {50, 0.5},
    **{name: {1} for name in LESSONS if "lab" in open_lesson(name).exhibits},  # the first layer
}
VARIED = (
    Variation("", commands=(Restart(5),)),
    Variation("", commands=(SetKnob("model.hidden", "23, 17"),)),
    Variation("", commands=(SetKnob("optimization.learning_rate", 0.0371),)),
    Variation("", commands=(SetKnob("optimization.l2", 0.0137),)),
    Variation("", change=lambda config: with_examples(config, 67)),
)


def with_examples(config: RunConfig, count: int) -> RunConfig:
    data = msgspec.structs.replace(config.data, examples=count)
    return msgspec.structs.replace(config, data=data)


def short(lesson: Lesson) -> Lesson:
    runs = tuple(
        dataclasses.replace(
            run,
            steps=min(run.steps, FEW),
            script=tuple((min(step, FEW - 1), command) for step, command in run.script),
        )
        for run in lesson.runs
    )
    return dataclasses.replace(lesson, runs=runs)


def variations(lesson: Lesson) -> Iterator[Lesson]:
    yield lesson
    for by in lesson.breaks:
        yield lesson.broken(by)
    for by in VARIED:
        if lesson.runs:
            yield lesson.broken(by)


def numbers_in(thing: object) -> Iterator[float]:
    """All numbers in settings, at any depth."""
    if isinstance(thing, dict):
        thing = list(thing.values())
    if isinstance(thing, list | tuple):
        for part in thing:
            yield from numbers_in(part)
    elif isinstance(thing, int | float) and not isinstance(thing, bool):
        yield float(thing)


def settings_of(lesson: Lesson) -> set[float]:
    """The numbers in the settings of a lesson's runs and exhibits."""
    made_of = [msgspec.to_builtins(run.config) for run in lesson.runs]
    made_of += [dataclasses.asdict(exhibit) for exhibit in lesson.exhibits.values()]
    scripts = [msgspec.to_builtins(run.script) for run in lesson.runs]
    return set(numbers_in(made_of)) | set(numbers_in(scripts))


def is_one_of(number: str, values: Iterable[float]) -> bool:
    """Whether the number is one of the values, at the precision at which it is written."""
    bare = number.rstrip("%").replace(",", "")
    mantissa = bare.partition("e")[0]
    digits = len(mantissa.partition(".")[2])
    power = int(bare.partition("e")[2] or 0) - 2 * number.endswith("%")
    written = float(bare) / (100 if number.endswith("%") else 1)
    half = 0.5001 * 10.0 ** (power - digits)
    return any(abs(written - value) <= half for value in values)


def described(lesson: Lesson) -> tuple[Verdict, set[float]]:
    """The verdict, and the numbers of the runs."""
    experiments = {run.name: follow(run) for run in lesson.runs}
    outcomes = {name: outcome(experiment) for name, experiment in experiments.items()}
    exhibits = {name: exhibit.show() for name, exhibit in lesson.exhibits.items()}
    verdict = lesson.check(Evidence(outcomes, exhibits))
    measured: set[float] = set()
    for run in outcomes.values():
        metrics = run.snapshot.metrics
        measured |= {run.snapshot.step, run.snapshot.epoch, metrics.first_loss, metrics.train_loss}
        measured.update(*(maps.shape for maps in run.responses.values()), run.example.shape)
    return verdict, measured


@pytest.mark.parametrize("name", LESSONS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_number_of_a_verdict_comes_from_its_runs(name):
    for lesson in map(short, variations(open_lesson(name))):
        verdict, measured = described(lesson)
        figures = {figure.ours for figure in verdict.figures}
        known = settings_of(lesson) | FIXED.get(name, set())
        labels = [run.title for run in lesson.runs] + [figure.label for figure in verdict.figures]
        for words, values in [(verdict.sentence, figures), *((label, set()) for label in labels)]:
            for number in NUMBER.findall(words):
                assert is_one_of(number, known | values | measured), (number, words)

"""Every number in a verdict comes from the run or exhibit that it is about.

And so does the answer to what was seen. Lessons, variations and runs of other settings are short.
"""

import dataclasses
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pytest

from engine import (
    LESSONS,
    Evidence,
    Lesson,
    Observation,
    Restart,
    RunConfig,
    SetKnob,
    Variation,
    lessons,
    open_lesson,
)
from engine.lessons import combining
from engine.lessons.combining import TRIES
from engine.lessons.play import gather
from engine.number_format import typed
from tests.engine.test_lessons import vary
from tests.short_lessons import short

BUNDLED = sorted(Path(lessons.__file__).parent.glob("bundled/*.json"))
FEW = 12  # steps: verdicts follow the runs, however short these are
# A number with exponent or per cent sign; not a digit in a name, such as L2.
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?%?(?!\w)")
BADLY_WRITTEN = re.compile(r"(?<![\w.])-\d|[-−]0(\.0*)?(?![.\d])|\d \d")  # -2, −0, 1 100 %
ALIKE = re.compile(r" \([1-9]\)")  # of runs that have the same title
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
OTHERWISE = Variation(  # no number of a verdict is any of these by chance
    "",
    commands=(
        Restart(5),
        SetKnob("model.hidden", "23, 17"),
        SetKnob("optimization.learning_rate", 0.0371),
        SetKnob("optimization.l2", 0.0137),
    ),
    change=lambda config: with_examples(config, 67),
)


def with_examples(config: RunConfig, count: int) -> RunConfig:
    data = msgspec.structs.replace(config.data, examples=count)
    return msgspec.structs.replace(config, data=data)


def variations(lesson: Lesson) -> Iterator[Lesson]:
    yield from map(lesson.varied, lesson.variations)
    if lesson.runs:
        yield lesson.varied(OTHERWISE)


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


def measured(evidence: Evidence) -> set[float]:
    """The numbers of the runs."""
    found: set[float] = set()
    for run in evidence.outcomes.values():
        metrics = run.snapshot.metrics
        found |= {run.snapshot.step, run.snapshot.epoch, metrics.first_loss, metrics.train_loss}
        found.update(*(maps.shape for maps in run.responses.values()), run.example.shape)
    return found


def check_numbers(lesson: Lesson, evidence: Evidence, fixed: set[float]) -> None:
    verdict = lesson.check(evidence)
    figures = {figure.ours for figure in verdict.figures}
    known = settings_of(lesson) | fixed | measured(evidence)
    labels = [run.title for run in lesson.runs] + [figure.label for figure in verdict.figures]
    for words, values in [(verdict.sentence, figures), *((label, set()) for label in labels)]:
        for number in NUMBER.findall(typed(ALIKE.sub("", words))):
            assert is_one_of(number, known | values), (number, words)


def check_observation(observation: Observation) -> None:
    assert observation.text.endswith("?")
    assert 0 <= observation.right < len(observation.options)
    assert len(set(observation.options)) == len(observation.options) > 2
    assert not observation.reason.endswith(f": {observation.answer}.")  # that has been said
    assert not observation.reason or observation.reason.endswith(".")


def check_form(lesson: Lesson, evidence: Evidence) -> None:
    """Numbers are written as in the plots, and no two of them run together."""
    verdict, seen = lesson.check(evidence), lesson.observe(evidence)
    figures = [words for figure in verdict.figures for words in (figure.label, figure.text)]
    for words in (verdict.sentence, seen.text, seen.reason, *seen.options, *figures):
        assert not BADLY_WRITTEN.search(words), words


@pytest.mark.parametrize("name", LESSONS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_numbers_and_answers_come_from_the_runs(name, monkeypatch):
    monkeypatch.setattr(combining, "PRETRAINING", FEW)
    lesson = short(open_lesson(name), FEW)
    evidence = gather(lesson)
    shown = [(lesson, evidence)]
    shown += [(other, vary(lesson, evidence, other)) for other in variations(lesson)]
    for each, seen in shown:
        check_numbers(each, seen, FIXED.get(name, set()))
        check_observation(each.observe(seen))
        check_form(each, seen)


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_a_share_has_a_space_before_its_sign_as_everywhere_on_the_page(path):
    assert not re.search(r"\d%", path.read_text())

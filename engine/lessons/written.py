"""Lessons that teachers write in JSON, without Python.

A lesson is one JSON object; engine/README.md has an example. It is checked when it is read, and
then played, judged, varied and handed in like any other.
"""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from engine.json_reader import from_json
from engine.lessons import observing
from engine.lessons.lesson import (
    LESSONS,
    Lesson,
    Observe,
    Question,
    Run,
    Variation,
    slug_of,
)
from engine.lessons.named_figures import figure_named, titled
from engine.lessons.written_check import Comparison, ShownFigure, WrittenCheck
from engine.number_format import joined
from engine.registry import Choice, Registry
from engine.suggestions import instead_of, quoted
from engine.training.commands import SetKnob
from engine.training.config import SETTINGS, RunConfig

VIEWS = (  # of the page, that a lesson can point at
    *("loss", "accuracy", "updates", "activations", "signal", "health", "weights", "data"),
    *("functions", "network", "cost"),
)
LESSON_FILES = "*.lesson.json"
MOST_BYTES = 1_000_000
MOST_RUNS = 6
MOST_STEPS = 20_000

type Sentence = Annotated[str, msgspec.Meta(min_length=3, max_length=600)]
type Option = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
type Name = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
type Steps = Annotated[int, msgspec.Meta(ge=0, le=MOST_STEPS)]
type Settings = dict[str, float | str | Choice]


class WrittenQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The prediction that is asked for."""

    text: Sentence
    options: Annotated[tuple[Option, ...], msgspec.Meta(min_length=2, max_length=6)]
    right: Annotated[int, msgspec.Meta(ge=0)]  # its place, counted from 0


class WrittenRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A run: the settings that differ from the page's, the steps, and changes on the way."""

    name: Name
    steps: Steps
    settings: Settings = {}
    script: tuple[tuple[Steps, Settings], ...] = ()
    titled: str = ""  # from its settings, such as "{rate} {normalization}"; empty: its name
    examples: Annotated[int, msgspec.Meta(ge=1)] | None = None  # None: all of the data set
    seed: Annotated[int, msgspec.Meta(ge=0)] = 0
    pace: Annotated[float, msgspec.Meta(gt=0)] | None = None  # steps a second


class WrittenObservation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked after the runs: which of them is highest or lowest, or between which bounds."""

    text: Sentence
    figure: str
    which: Literal["highest", "lowest"] | None = None
    of: Name | None = None
    bounds: tuple[float, ...] = ()


class WrittenVariation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings that one click changes, in the runs whose names match."""

    label: Name
    settings: Settings
    of: Name = "*"


class WrittenLesson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A lesson as a teacher writes it."""

    title: Sentence
    claim: Sentence
    setup: Sentence
    look: Sentence
    question: WrittenQuestion
    runs: Annotated[tuple[WrittenRun, ...], msgspec.Meta(min_length=1, max_length=MOST_RUNS)]
    check: Annotated[tuple[Comparison, ...], msgspec.Meta(min_length=1, max_length=10)]
    seen: WrittenObservation
    variations: Annotated[tuple[WrittenVariation, ...], msgspec.Meta(min_length=1, max_length=6)]
    section: Name = "Own lessons"
    why: Annotated[str, msgspec.Meta(max_length=600)] = ""
    view: str = "loss"
    name: Name = ""  # by which links call it; empty: its title
    figures: Annotated[tuple[ShownFigure, ...], msgspec.Meta(max_length=12)] = ()
    sentence: str = ""  # of the verdict, with figures in braces; empty: all comparisons in words

    def __post_init__(self) -> None:
        _check(self)


def read_lesson(raw: bytes) -> Lesson:
    """The lesson in JSON text; ValueError says in one sentence what is wrong with it."""
    if len(raw) > MOST_BYTES:
        raise ValueError(f"is larger than a lesson: {len(raw):,} bytes")
    return _built(from_json(raw, WrittenLesson))


# ---- checking ---------------------------------------------------------------------------------


def _check(lesson: WrittenLesson) -> None:
    if not lesson.title.endswith("?"):
        raise ValueError(f"a lesson's title must be a question, got {quoted(lesson.title)}")
    _known(lesson.view, VIEWS, "view")
    question, names = lesson.question, [run.name for run in lesson.runs]
    if len(set(question.options)) < len(question.options):
        raise ValueError("each option must differ from the others")
    if question.right >= len(question.options):
        last, got = len(question.options) - 1, question.right
        raise ValueError(f"right counts the options from 0: it must be at most {last}, got {got}")
    if len(set(names)) < len(names):
        raise ValueError("each run needs a name of its own")
    _check_of(lesson).refuse_unknown()
    _check_seen(lesson.seen, names)
    _built(lesson)  # its settings are checked as they are made


def _check_seen(seen: WrittenObservation, names: list[str]) -> None:
    figure_named(seen.figure)
    if (seen.which is None) == (seen.of is None):
        raise ValueError("what was seen is asked by which (of several runs), or of (one run)")
    if seen.which and len(names) < 2:
        raise ValueError("which asks between several runs, but there is one")
    if seen.of is not None:
        _known(seen.of, names, "run")
        if len(seen.bounds) < 2 or list(seen.bounds) != sorted(seen.bounds):
            raise ValueError("bounds must be two or more rising numbers")


def _known(name: str, known: Any, kind: str) -> None:
    if name not in known:
        raise ValueError(f"unknown {kind} {quoted(name)}; {instead_of(name, known)}")


# ---- building ---------------------------------------------------------------------------------


def _built(written: WrittenLesson) -> Lesson:
    question = written.question
    lesson = Lesson(
        section=written.section,
        title=written.title,
        setup=written.setup,
        look=written.look,
        why=written.why,
        question=Question(question.text, question.options, question.right),
        check=_check_of(written).verdict,
        observe=_observing(written.seen),
        variations=tuple(
            Variation(by.label, by.of, _commands(by.settings)) for by in written.variations
        ),
        view=written.view,
        runs=tuple(map(_run, written.runs)),
        name=written.name or written.title.rstrip("?"),
        claim=written.claim,
    )
    for by in lesson.variations:
        names = [run.name for run in lesson.runs]
        if not any(fnmatchcase(name, by.of) for name in names):
            _known(by.of, names, "run")
        if lesson.varied(by).runs == lesson.runs:
            raise ValueError(f"the variation {quoted(by.label)} changes nothing")
    return lesson


def _check_of(written: WrittenLesson) -> WrittenCheck:
    titles = {run.name: run.titled for run in written.runs}
    return WrittenCheck(written.check, written.figures, written.sentence, titles)


def _run(written: WrittenRun) -> Run:
    config = with_settings(RunConfig(seed=written.seed), written.settings)
    if written.examples is not None:
        data = msgspec.structs.replace(config.data, examples=written.examples)
        config = msgspec.structs.replace(config, data=data)
    script = tuple(
        (step, command) for step, changed in written.script for command in _commands(changed)
    )
    called = titled(written.titled) if written.titled else None
    run = Run(written.name, config, written.steps, script, called, written.pace)
    _ = run.begin, run.end  # both refuse what is impossible
    return run


def with_settings(config: RunConfig, settings: Settings) -> RunConfig:
    """The config with these settings, as a teacher writes them: by their paths."""
    for command in _commands(settings):
        config = config.replace(command.path, command.value)
    return config


def _commands(settings: Settings) -> tuple[SetKnob, ...]:
    return tuple(SetKnob(path, _value(path, value)) for path, value in settings.items())


def _value(path: str, value: float | str | Choice) -> float | str | Choice:
    _known(path, SETTINGS, "setting")
    named = isinstance(value, str) and isinstance(SETTINGS[path].values, Registry)
    return Choice(str(value)) if named else value


def _observing(seen: WrittenObservation) -> Observe:
    figure, text = figure_named(seen.figure), joined(seen.text)
    if seen.of is not None:
        return observing.how_much(
            text, observing.only(seen.of, figure.of), seen.bounds, figure.form
        )
    ask = observing.highest if seen.which == "highest" else observing.lowest
    return ask(text, figure.of, figure.form)


# ---- a folder of them -------------------------------------------------------------------------


def register_lessons(folder: Path) -> list[str]:
    """Add a folder's written lessons to the course; returns why some were not added."""
    refused = []
    for path in sorted(folder.glob(LESSON_FILES)):
        try:
            add(read_lesson(path.read_bytes()))
        except (ValueError, OSError) as error:
            refused.append(f"{path.name}: {error}")
    return refused


def add(lesson: Lesson) -> None:
    """Add a written lesson to the course."""
    if lesson.slug in {slug_of(name) for name in LESSONS}:
        raise ValueError(f"there is a lesson {quoted(lesson.name)} already")

    def make() -> Lesson:
        return lesson

    make.__doc__ = lesson.claim
    LESSONS.register(lesson.name)(make)

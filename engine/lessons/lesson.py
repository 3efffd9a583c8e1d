"""What a lesson is: a claim of the lecture as data, with runs to watch and a check that can fail.

A lesson is played by anybody who can make its runs and show its exhibits: `play` does it here,
the page does it before a learner's eyes. Either way `check` gets the same evidence, and judges.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

from engine.lessons.outcome import Outcome
from engine.lessons.words import Words
from engine.measure.verdict import Verdict
from engine.registry import Choice, Registry
from engine.training.commands import Begin, Restart, SetKnob
from engine.training.config import RunConfig


class Exhibit(Protocol):
    """Something to look at that takes no training: plain settings, and what comes of them."""

    def show(self) -> object:
        """The picture and its numbers, worked out from the settings alone."""


@dataclass(frozen=True)
class Run:
    """One experiment of a lesson: a config, knobs that are turned on the way, and an end."""

    name: str  # by which the lesson finds it, however it is changed
    config: RunConfig
    steps: int
    script: tuple[tuple[int, SetKnob], ...] = ()
    called: Words | None = None  # None: by its name, which says nothing of its settings

    @property
    def title(self) -> str:
        """What a learner reads of it: true of the settings that it has."""
        return self.called(self.config) if self.called else self.name

    @property
    def begin(self) -> Begin:
        """The command that plays it."""
        return Begin(self.config, self.script, self.steps)

    def after(self, command: SetKnob | Restart | Begin) -> "Run":
        """This run as the command makes it."""
        match command:
            case SetKnob(path, value):
                return dataclasses.replace(self, config=self.config.replace(path, value))
            case Restart(seed):
                config = self.config if seed is None else self.config.with_seed(seed)
                return dataclasses.replace(self, config=config)
            case Begin(config, script, until):
                steps = self.steps if until is None else until
                return dataclasses.replace(self, config=config, script=script, steps=steps)


@dataclass(frozen=True)
class Question:
    """What a learner is asked before the run."""

    text: str
    options: tuple[str, ...]
    right: int  # the index of the right option


@dataclass(frozen=True)
class Variation:
    """A change that is one click: what it does to a run, or the exhibit it puts in another's place.

    The first of a lesson makes its claim false.
    """

    label: str
    of: str = "*"  # the runs, or the exhibit, that it changes; * stands for any characters
    commands: tuple[SetKnob | Restart | Begin, ...] = ()
    change: Callable[[RunConfig], RunConfig] | None = None  # where no command can say it
    exhibit: Exhibit | None = None

    def applied(self, run: Run) -> Run:
        """The run after the click."""
        if not fnmatchcase(run.name, self.of):
            return run
        for command in self.commands:
            run = run.after(command)
        return dataclasses.replace(run, config=self.change(run.config)) if self.change else run


@dataclass(frozen=True)
class Evidence:
    """What the runs and exhibits of a lesson came to, by their names."""

    outcomes: Mapping[str, Outcome]
    exhibits: Mapping[str, object]

    def __getitem__(self, run: str) -> Outcome:
        return self.outcomes[run]

    def exhibit[T](self, name: str, kind: type[T]) -> T:
        """What an exhibit shows, which must be of this kind."""
        shown = self.exhibits[name]
        if not isinstance(shown, kind):
            raise ValueError(f"{name} must show {kind.__name__}, got {type(shown).__name__}")
        return shown


@dataclass(frozen=True)
class Lesson:
    """One claim of the lecture, to be set in motion, predicted, watched and broken."""

    section: str  # of the lecture
    look: str  # two or three sentences: what to watch
    question: Question
    check: Callable[[Evidence], Verdict]
    breaks: tuple[Variation, ...]
    runs: tuple[Run, ...] = ()
    exhibits: Mapping[str, Exhibit] = dataclasses.field(default_factory=dict)
    name: str = ""  # these two are its entry's in the menu
    claim: str = ""

    @property
    def data(self) -> str:
        """What it is about: the names of the data sets of its runs and exhibits."""
        shown = (getattr(exhibit, "dataset", None) for exhibit in self.exhibits.values())
        names = {choice.name for choice in shown if isinstance(choice, Choice)}
        names |= {run.config.data.dataset.name for run in self.runs}
        return ", ".join(sorted(names)) or "made-up numbers"

    def broken(self, by: Variation) -> "Lesson":
        """This lesson after that click."""
        exhibits = dict(self.exhibits)
        if by.exhibit is not None:
            exhibits[by.of] = by.exhibit
        runs = tuple(by.applied(run) for run in self.runs)
        return dataclasses.replace(self, runs=runs, exhibits=exhibits)


LESSONS: Registry[Callable[[], Lesson]] = Registry("lesson")


def open_lesson(name: str) -> Lesson:
    """The lesson of this name, as the data sets that there are now allow it."""
    entry, lesson = LESSONS[name], LESSONS.build(Choice(name))()
    return dataclasses.replace(lesson, name=name, claim=entry.summary)

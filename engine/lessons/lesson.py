"""A lesson: a claim of the lecture as data, with runs to watch and a check that can fail.

A lesson is played by whatever makes its runs and shows its exhibits: `play` without a page, the
page in front of a learner. Either way `check` judges the same evidence.
"""

import dataclasses
import math
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

from engine.lessons.outcome import Outcome
from engine.lessons.words import Words, differences, unlike
from engine.measure.observation import Observation
from engine.measure.verdict import Verdict
from engine.registry import Choice, Registry
from engine.training.commands import Begin, Restart, SetKnob
from engine.training.config import RunConfig


class Exhibit(Protocol):
    """A figure that needs no training: plain settings, from which it is computed."""

    def show(self) -> object:
        """The figure with its numbers, computed from the settings alone."""


@dataclass(frozen=True)
class Run:
    """One experiment of a lesson: a config, changes of settings on the way, and an end."""

    name: str  # its key in the lesson, which a variation does not change
    config: RunConfig
    steps: int
    script: tuple[tuple[int, SetKnob], ...] = ()
    called: Words | None = None  # title; None: its name, which mentions no settings
    pace: float | None = None  # steps a second; None: that which suits the lesson

    @property
    def title(self) -> str:
        """Its title for a learner, true of its settings at the end of its script."""
        return self.called(self.end) if self.called else self.name

    @property
    def end(self) -> RunConfig:
        """Its settings after the whole script."""
        config = self.config
        for _, turn in self.script:
            config = config.replace(turn.path, turn.value)
        return config

    @property
    def turns(self) -> list[SetKnob]:
        """The changes of its script, without those that leave a setting as it is."""
        config, turns = self.config, []
        for _, turn in self.script:
            before, config = config, config.replace(turn.path, turn.value)
            turns += [turn] if config != before else []
        return turns

    @property
    def begin(self) -> Begin:
        """The command that starts it."""
        return Begin(self.config, self.script, self.steps)

    def after(self, command: SetKnob | Restart | Begin) -> "Run":
        """This run after the command."""
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
    """A question that a learner answers before the run."""

    text: str
    options: tuple[str, ...]
    right: int  # the index of the right option

    @property
    def shuffled(self) -> tuple[str, ...]:
        """The options in an order that does not show which is right, the same for everybody."""
        return tuple(random.Random(self.text).sample(self.options, len(self.options)))

    @property
    def answer(self) -> str:
        """The right option."""
        return self.options[self.right]


@dataclass(frozen=True)
class Variation:
    """A change that is one click: a changed run, or another exhibit.

    The first variation of a lesson makes its claim false.
    """

    label: str
    of: str = "*"  # pattern of the names that it changes; * stands for any characters
    commands: tuple[SetKnob | Restart | Begin, ...] = ()
    change: Callable[[RunConfig], RunConfig] | None = None  # if no command can express the change
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
    """The results of the runs and exhibits of a lesson, by name."""

    outcomes: Mapping[str, Outcome]
    exhibits: Mapping[str, object]
    titles: Mapping[str, str] = dataclasses.field(default_factory=dict)  # of the runs

    def title(self, run: str) -> str:
        """The name of a run for a learner."""
        return self.titles.get(run, run)

    def __getitem__(self, run: str) -> Outcome:
        return self.outcomes[run]

    def exhibit[T](self, name: str, kind: type[T]) -> T:
        """The result of an exhibit, which must be of this type."""
        shown = self.exhibits[name]
        if not isinstance(shown, kind):
            raise ValueError(f"{name} must show {kind.__name__}, got {type(shown).__name__}")
        return shown


type Observe = Callable[[Evidence], Observation]

READ = 3.0  # words a second
THINK = 20.0  # seconds for a question
WATCHED = 12.0  # seconds for all runs of a lesson together


@dataclass(frozen=True)
class Lesson:
    """One claim of the lecture, to be predicted, watched, judged and broken."""

    section: str  # of the lecture
    title: str  # a question, which does not give the claim away
    setup: str  # what there is before anything has happened; nor does this
    look: str  # what to watch while it runs; not what will be seen
    question: Question
    check: Callable[[Evidence], Verdict]
    variations: tuple[Variation, ...]
    observe: Observe  # the question on what was seen, for before the verdict
    view: str = "loss"  # the plot that it is about, as the page names its plots
    runs: tuple[Run, ...] = ()
    exhibits: Mapping[str, Exhibit] = dataclasses.field(default_factory=dict)
    why: str = ""  # what explains the verdict, and comes with it
    name: str = ""  # these two come from the registry
    claim: str = ""  # the lecture's statement; for after the prediction

    @property
    def slug(self) -> str:
        """What a link calls it: `?lesson=dead-relus`."""
        return slug_of(self.name)

    @property
    def data(self) -> str:
        """The names of the data sets of its runs and exhibits."""
        shown = (getattr(exhibit, "dataset", None) for exhibit in self.exhibits.values())
        names = {choice.name for choice in shown if isinstance(choice, Choice)}
        names |= {run.config.data.dataset.name for run in self.runs}
        return ", ".join(sorted(names)) or "made-up numbers"

    @property
    def titles(self) -> Mapping[str, str]:
        """The titles of its runs by their names, no two alike."""
        titles = unlike(run.title for run in self.runs)
        return dict(zip((run.name for run in self.runs), titles, strict=True))

    @property
    def minutes(self) -> int:
        """About how long it takes: reading, three questions, and the runs of all variations."""
        words = len(
            f"{self.setup} {self.look} {self.claim} {self.why} {self.question.text}".split()
        )
        plays = 1 + len(self.variations)
        questions = 3 + 2 * len(self.variations)
        seconds = words / READ + THINK * questions + WATCHED * plays * bool(self.runs)
        return max(1, math.ceil(seconds / 60))

    def changes(self, by: Variation) -> tuple[str, ...]:
        """What a variation changes, in words, such as "ReLU: learning rate 0.5 → 0.01"."""
        varied = self.varied(by)
        lines = [
            f"{before.title}: {difference}"
            for before, after in zip(self.runs, varied.runs, strict=True)
            for difference in differences(before.config, after.config)
            if before != after
        ]
        lines += [
            f"{name}: {difference}"
            for name, exhibit in self.exhibits.items()
            for difference in differences(exhibit, varied.exhibits[name])
        ]
        return tuple(_together(lines))

    def varied(self, by: Variation) -> "Lesson":
        """This lesson after the click on a variation."""
        exhibits = dict(self.exhibits)
        if by.exhibit is not None:
            exhibits[by.of] = by.exhibit
        runs = tuple(by.applied(run) for run in self.runs)
        return dataclasses.replace(self, runs=runs, exhibits=exhibits)


def _together(lines: list[str]) -> list[str]:
    """One line in place of the same change in several runs."""
    changes = [line.partition(": ")[2] for line in lines]
    if len(lines) > 2 and len(set(changes)) == 1:
        return [f"{lines[0].partition(': ')[0]} and {len(lines) - 1} more: {changes[0]}"]
    return lines


LESSONS: Registry[Callable[[], Lesson]] = Registry("lesson")


def slug_of(name: str) -> str:
    """A lesson's name as a link writes it: small letters and digits, joined by hyphens."""
    return "-".join(re.findall(r"[a-z0-9]+", name.lower()))


def open_lesson(name: str) -> Lesson:
    """The lesson of this name, built from the data sets that are available now."""
    entry, lesson = LESSONS[name], LESSONS.build(Choice(name))()
    return dataclasses.replace(lesson, name=name, claim=entry.summary)

"""A rubric: what is asked for, and how many points each of it brings; written in JSON.

{"title": "Exercise 1", "criteria": [
  {"kind": "reached", "name": "90 % in 2,000 steps", "points": 4, "accuracy": 0.9, "steps": 2000},
  {"kind": "stable", "name": "nothing diverged", "points": 1},
  {"kind": "lessons", "name": "lessons done", "points": 3, "least": 3, "of": ["dead-relus"]}
]}
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
import numpy as np

from engine.grading.hand_in import HandedRun, HandIn
from engine.lessons.answers import LessonAnswer
from engine.measure.snapshot import Snapshot, Status

type Points = Annotated[float, msgspec.Meta(ge=0, le=1000)]
type Label = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
type Count = Annotated[int, msgspec.Meta(ge=1)]


@dataclass(frozen=True)
class RepeatedRun:
    """A run that was repeated, and whether it is what was handed in."""

    handed: HandedRun
    end: Snapshot
    agrees: bool


@dataclass(frozen=True)
class CheckedAnswer:
    """An answer, and what came of the lesson when it was played again."""

    answer: LessonAnswer
    agrees: bool  # whether its figures are those of the lesson
    predicted: bool  # whether the prediction was right
    seen: bool  # whether the observation was right


@dataclass(frozen=True)
class Checked:
    """A hand-in, all of it repeated; a criterion counts only what agrees."""

    hand_in: HandIn
    runs: Sequence[RepeatedRun]
    answers: Sequence[CheckedAnswer]

    @property
    def sound_runs(self) -> list[RepeatedRun]:
        """The runs whose repetition gave the claimed result."""
        return [run for run in self.runs if run.agrees]


class Criterion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every criterion has."""

    name: Label
    points: Points

    def share(self, checked: Checked) -> float:
        """How much of the points it brings, from 0 to 1."""
        raise NotImplementedError


class Reached(Criterion, frozen=True, kw_only=True, tag_field="kind", tag="reached"):
    """A run reached an accuracy, within so many steps."""

    accuracy: float
    part: Literal["validation", "train"] = "validation"
    steps: Count | None = None  # None: at any step
    dataset: str | None = None  # None: on any

    def share(self, checked: Checked) -> float:
        """All or nothing."""
        return float(any(self._by(run.end) for run in checked.sound_runs))

    def _by(self, end: Snapshot) -> bool:
        if self.dataset not in (None, end.config.data.dataset.name):
            return False
        curves, last = end.curves, getattr(end.metrics, f"{self.part}_accuracy")
        most = np.inf if self.steps is None else self.steps
        rows = (curves[f"{self.part}_accuracy"] >= self.accuracy) & (curves["step"] <= most)
        return bool(rows.any()) or (end.step <= most and last >= self.accuracy)


class Stable(Criterion, frozen=True, kw_only=True, tag_field="kind", tag="stable"):
    """No run diverged, and there is one at least."""

    def share(self, checked: Checked) -> float:
        """All or nothing."""
        runs = checked.sound_runs
        return float(bool(runs) and all(run.end.status is not Status.DIVERGED for run in runs))


class Pinned(Criterion, frozen=True, kw_only=True, tag_field="kind", tag="runs"):
    """So many runs, each with a note of at least some characters."""

    least: Count = 1
    note: int = 0  # characters

    def share(self, checked: Checked) -> float:
        """In proportion."""
        noted = [x for x in checked.sound_runs if len(x.handed.note.strip()) >= self.note]
        return min(1.0, len(noted) / self.least)


class _OfLessons(Criterion, frozen=True, kw_only=True):
    """Counts answers to lessons."""

    least: Count = 1
    of: tuple[str, ...] = ()  # their names in links; empty: any
    variations: bool = False  # whether variations count as well

    def _count(self, checked: Checked, right: Callable[[CheckedAnswer], bool]) -> float:
        counted = {
            (one.answer.lesson, one.answer.variation)
            for one in checked.answers
            if one.agrees and right(one)
            if not self.of or one.answer.lesson in self.of
            if self.variations or not one.answer.variation
        }
        return min(1.0, len(counted) / self.least)


class Done(_OfLessons, frozen=True, kw_only=True, tag_field="kind", tag="lessons"):
    """Lessons played to their verdict."""

    def share(self, checked: Checked) -> float:
        """In proportion."""
        return self._count(checked, lambda one: True)


class Seen(_OfLessons, frozen=True, kw_only=True, tag_field="kind", tag="seen"):
    """The observations in lessons are right."""

    def share(self, checked: Checked) -> float:
        """In proportion."""
        return self._count(checked, lambda one: one.seen)


class Predicted(_OfLessons, frozen=True, kw_only=True, tag_field="kind", tag="predicted"):
    """Lessons were predicted rightly."""

    def share(self, checked: Checked) -> float:
        """In proportion."""
        return self._count(checked, lambda one: one.predicted)


class Reasons(_OfLessons, frozen=True, kw_only=True, tag_field="kind", tag="reasons"):
    """Predictions have a reason, of at least some characters."""

    characters: Count = 10

    def share(self, checked: Checked) -> float:
        """In proportion."""
        return self._count(checked, lambda one: len(one.answer.reason.strip()) >= self.characters)


type AnyCriterion = Reached | Stable | Pinned | Done | Seen | Predicted | Reasons


class Rubric(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All criteria of an exercise."""

    title: str = ""
    criteria: Annotated[tuple[AnyCriterion, ...], msgspec.Meta(min_length=1, max_length=50)]

    def __post_init__(self) -> None:
        names = [criterion.name for criterion in self.criteria]
        if twice := next((name for name in names if names.count(name) > 1), ""):
            raise ValueError(f"two criteria are named {twice!r}: each needs a name of its own")

    @property
    def points(self) -> float:
        """The points of a hand-in that does all that is asked for."""
        return sum(criterion.points for criterion in self.criteria)

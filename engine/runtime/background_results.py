"""What is done beside training has to show: a lesson, the checks, a search."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.measure.verdict import Verdict
from engine.search.search_session import SearchProgress
from engine.types import Array


@dataclass(frozen=True, slots=True)
class LessonProgress:
    """How far a lesson has come before its learner's eyes."""

    lesson: str
    playing: str = ""  # the run that is being made; empty: none
    number: int = 0  # of that run, from 1
    count: int = 0  # of all runs
    exhibits: Mapping[str, object] = field(default_factory=dict)
    verdict: Verdict | None = None
    note: str = ""  # why the verdict is not the lesson's own, or never came


@dataclass(frozen=True, slots=True, eq=False)
class CheckResult:
    """What a check has found."""

    name: str
    passed: bool | None  # None: the check says nothing here
    number: float
    wanted: str  # what the number ought to be
    sentence: str
    x: Array | None = None  # (K,) of a curve, where there is one
    y: Array | None = None  # (K,)
    axes: tuple[str, str] = ("", "")  # what x and y are


@dataclass(frozen=True, slots=True)
class CheckProgress:
    """How far a check has come, from 0 to 1."""

    name: str
    done: float


@dataclass(frozen=True, slots=True)
class BackgroundResults:
    """What each kind of work last had to show; None where there was none."""

    lesson: LessonProgress | None = None
    checks: tuple[CheckProgress | CheckResult, ...] | None = None
    search: SearchProgress | None = None

"""The results of background work: a lesson, the checks, a search, an explained step, a film."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.measure.explained_step import ExplainedStep, Explaining
from engine.measure.observation import Observation
from engine.measure.traced_weight import TracedWeight
from engine.measure.verdict import Verdict
from engine.runtime.film import Film, Filming
from engine.search.search_session import SearchProgress
from engine.training.commands import Begin
from engine.types import Array


@dataclass(frozen=True, slots=True)
class LessonProgress:
    """The progress of a lesson."""

    lesson: str
    playing: str = ""  # the title of the current run; empty: none
    number: int = 0  # of that run, from 1
    count: int = 0  # of all runs
    shown: str = ""  # the title of the run that is in the plots
    titles: tuple[str, ...] = ()  # of all its runs, also of those that are still to come
    exhibits: Mapping[str, object] = field(default_factory=dict)
    verdict: Verdict | None = None
    seen: Observation | None = None  # what to answer before the verdict is read
    asks: bool = False  # whether its question is open: nothing may give the answer away
    note: str = ""  # why the verdict is missing, or not that of the original lesson
    steered: tuple[tuple[str, Begin], ...] = ()  # what repeats its runs, if settings were changed


@dataclass(frozen=True, slots=True, eq=False)
class CheckResult:
    """The result of a check."""

    name: str
    passed: bool | None  # None: the check does not apply
    number: float
    wanted: str  # the expected value of the number
    sentence: str
    x: Array | None = None  # (K,) of a curve, if there is one
    y: Array | None = None  # (K,)
    axes: tuple[str, str] = ("", "")  # the names of x and y


@dataclass(frozen=True, slots=True)
class CheckProgress:
    """The progress of a check, from 0 to 1."""

    name: str
    done: float


@dataclass(frozen=True, slots=True)
class BackgroundResults:
    """The latest results of each kind of job; None if there are none."""

    lesson: LessonProgress | None = None
    checks: tuple[CheckProgress | CheckResult, ...] | None = None
    search: SearchProgress | None = None
    explained: ExplainedStep | Explaining | None = None
    traced: TracedWeight | Explaining | None = None
    film: Film | Filming | None = None
    failed: str = ""  # the name of the job that ended early
    failure: str = ""  # ... and why


NO_RESULTS = BackgroundResults()

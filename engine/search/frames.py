"""The state of a search for views: plain, frozen, safe to pass between threads."""

import math
from dataclasses import dataclass
from enum import StrEnum

from engine.search.description import Search, Trial
from engine.search.space import Value
from engine.search.trial import NO_CURVE, Curve, Ending, Result
from engine.training.config import RunConfig


class TrialStatus(StrEnum):
    """The state of a trial."""

    WAITING = "waiting"  # to be started, or to be continued in the next round
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped early"
    FAILED = "could not be run"


class SearchStatus(StrEnum):
    """The state of a search."""

    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class TrialFrame:
    """A trial so far; NaN for a number that is not known yet."""

    number: int
    places: tuple[float, ...]  # one per axis, 0 to 1
    point: tuple[Value, ...]  # one per axis
    config: RunConfig  # with its number of steps, reproduces this run to the bit
    status: TrialStatus
    reason: str = ""  # why it was stopped, or could not be run
    steps: int = 0
    asked: int = 0  # planned steps, as far as known
    cost: float = math.nan
    validation_accuracy: float = math.nan
    curve: Curve = NO_CURVE


@dataclass(frozen=True)
class Edge:
    """A warning: the best trials lie at the edge of a range, so better ones may lie beyond."""

    path: str
    side: str  # "low" or "high"
    numbers: tuple[int, ...]  # the trials at this edge
    open: bool  # whether the setting allows values beyond
    text: str


@dataclass(frozen=True)
class SearchFrame:
    """The current state of a search."""

    search: Search
    status: SearchStatus
    trials: tuple[TrialFrame, ...]  # by number
    ranking: tuple[int, ...]  # numbers of the finished trials, best first
    edges: tuple[Edge, ...]
    measure: str  # the score that ranks trials: accuracy, or R² in regression
    share: float  # of the search that is done, 0 to 1
    seconds: float  # of work so far
    seconds_left: float  # estimated from the work so far; NaN before there is any


def waiting(trial: Trial) -> TrialFrame:
    """A trial before it starts."""
    return TrialFrame(trial.number, trial.places, trial.point, trial.config, TrialStatus.WAITING)


def frame_of(trial: Trial, result: Result, *, last: bool) -> TrialFrame:
    """A trial after its last round, or after one that others follow."""
    status = _STATUS[result.ending]
    if status is TrialStatus.FINISHED and not last:
        status = TrialStatus.WAITING
    return TrialFrame(
        number=trial.number,
        places=trial.places,
        point=trial.point,
        config=trial.config,
        status=status,
        reason=result.message or (result.ending if status is TrialStatus.STOPPED else ""),
        steps=result.steps,
        asked=result.asked,
        cost=result.cost,
        validation_accuracy=result.validation_accuracy,
        curve=result.curve,
    )


_STATUS = {
    Ending.FINISHED: TrialStatus.FINISHED,
    Ending.COST: TrialStatus.STOPPED,
    Ending.NOT_FINITE: TrialStatus.STOPPED,
    Ending.DROPPED: TrialStatus.STOPPED,
    Ending.FAILED: TrialStatus.FAILED,
}

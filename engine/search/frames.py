"""A search as it stands, for whoever draws it: plain, frozen, safe in any thread."""

import math
from dataclasses import dataclass
from enum import StrEnum

from engine.search.description import Search, Trial
from engine.search.space import Value
from engine.search.trial import NO_CURVE, Curve, Ending, Result
from engine.training.config import RunConfig


class TrialStatus(StrEnum):
    """What a trial is doing."""

    WAITING = "waiting"  # not begun, or until a round of the search ends
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped early"
    FAILED = "could not be run"


class SearchStatus(StrEnum):
    """What a search is doing."""

    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class TrialFrame:
    """A trial as it stands; NaN for a number that is not known yet."""

    number: int
    places: tuple[float, ...]  # one an axis, 0 to 1
    point: tuple[Value, ...]  # one an axis
    config: RunConfig  # with so many steps, it is this run to the bit
    status: TrialStatus
    reason: str = ""  # why it was stopped, or could not be run
    steps: int = 0
    asked: int = 0  # steps that it is to make, as far as that is known
    cost: float = math.nan
    validation_accuracy: float = math.nan
    curve: Curve = NO_CURVE


@dataclass(frozen=True)
class Edge:
    """A warning: the best trials lie at the edge of a range, so better ones may lie beyond."""

    path: str
    side: str  # "low" or "high"
    numbers: tuple[int, ...]  # the trials that lie there
    open: bool  # whether the setting can go further
    text: str


@dataclass(frozen=True)
class SearchFrame:
    """A search as it stands."""

    search: Search
    status: SearchStatus
    trials: tuple[TrialFrame, ...]  # by their number
    ranking: tuple[int, ...]  # numbers of those that went on to the end, best first
    edges: tuple[Edge, ...]
    measure: str  # what the trials are ranked by: accuracy, or R² where they predict values
    share: float  # of the search that is done, 0 to 1
    seconds: float  # spent on it
    seconds_left: float  # at the pace so far; NaN before there is one


def waiting(trial: Trial) -> TrialFrame:
    """A trial before it begins."""
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

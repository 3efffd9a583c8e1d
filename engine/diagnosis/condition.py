"""The condition of a run: ill, healthy, or converged."""

from engine.diagnosis import trends
from engine.diagnosis.rules import (
    SETTLED,
    has_left_chance,
    last_change,
    loss_now,
    starting_loss,
    steps_since_change,
)
from engine.measure.snapshot import Condition, Finding, Snapshot, Status

DONE = 0.02  # of the starting loss, below which almost nothing is left to gain


def condition_of(now: Snapshot, findings: tuple[Finding, ...]) -> Condition:
    """Ill if there are findings; otherwise whether the run still learns."""
    if findings or now.status in {Status.DIVERGED, Status.FAILED}:
        return Condition.ILL
    return Condition.CONVERGED if has_converged(now) else Condition.HEALTHY


def has_converged(now: Snapshot) -> bool:
    """Whether the training loss has fallen so far that almost nothing is left to gain."""
    if steps_since_change(now) < 2 * SETTLED:
        return False
    loss, start = loss_now(now), starting_loss(now)
    if loss < DONE * start:
        return True
    learned = loss < 0.8 * start and has_left_chance(now)
    return learned and trends.settled(now.curves, last_change(now).row)

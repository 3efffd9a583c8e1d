"""Whose commands come next while many send some: in turn, and few in a row."""

import math
from collections.abc import Hashable

from engine.runtime.time_budget import TimeBudget

ROW = 0.04  # seconds of commands in a row, before everybody's plots go on
SHARE = 0.3  # of the thread, for the commands that then follow


class CommandTurns[S: Hashable]:
    """A queue of all who could pay for their commands, but come when others have spent the time."""

    def __init__(self) -> None:
        self._budget = TimeBudget(ROW)
        self._line: dict[S, None] = {}  # in order

    def __contains__(self, sender: S) -> bool:
        return sender in self._line

    def fill(self, now: float) -> None:
        """Add the time that has accrued since the last call."""
        self._budget.fill(now, SHARE)

    def pay(self, seconds: float) -> None:
        """Somebody's commands have taken so long."""
        self._budget.pay(seconds, SHARE)

    def admits(self, sender: S) -> bool:
        """Whether it is the turn of this one; if not, it waits in the queue."""
        if self._budget.solvent and next(iter(self._line), sender) == sender:
            self.leave(sender)
            return True
        self._line[sender] = None
        return False

    def leave(self, *senders: S) -> None:
        """These wait no longer."""
        for sender in senders:
            self._line.pop(sender, None)

    @property
    def first(self) -> S | None:
        """Whose turn it is now."""
        return next(iter(self._line), None) if self._budget.solvent else None

    @property
    def wait(self) -> float:
        """Seconds until it is somebody's turn; infinity if nobody waits."""
        return self._budget.wait(SHARE) if self._line else math.inf

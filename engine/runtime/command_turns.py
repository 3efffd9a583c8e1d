"""Orders the commands of many visitors: each waits its turn, and few are applied in a row."""

import math
from collections.abc import Hashable

from engine.runtime.time_budget import TimeBudget

ROW = 0.04  # seconds of commands in a row, before everybody's plots go on
SHARE = 0.3  # ... of the thread for commands after that


class CommandTurns[S: Hashable]:
    """A queue of visitors with time for their commands, while others have used up everybody's."""

    def __init__(self) -> None:
        self._budget = TimeBudget(ROW)
        self._line: dict[S, None] = {}  # in order

    def __contains__(self, sender: S) -> bool:
        return sender in self._line

    def fill(self, now: float) -> None:
        """Add the time that has accrued since the last call."""
        self._budget.fill(now, SHARE)

    def pay(self, seconds: float) -> None:
        """Subtract the seconds that a visitor's commands took."""
        self._budget.pay(seconds)

    def admits(self, sender: S) -> bool:
        """Whether it is this visitor's turn; if not, it is put in the queue."""
        if self._budget.solvent and next(iter(self._line), sender) == sender:
            self.leave(sender)
            return True
        self._line[sender] = None
        return False

    def leave(self, *senders: S) -> None:
        """Remove these from the queue."""
        for sender in senders:
            self._line.pop(sender, None)

    @property
    def first(self) -> S | None:
        """The visitor whose turn it is now, if there is one."""
        return next(iter(self._line), None) if self._budget.solvent else None

    @property
    def wait(self) -> float:
        """Seconds until it is somebody's turn; infinity if nobody waits."""
        return self._budget.wait(SHARE) if self._line else math.inf

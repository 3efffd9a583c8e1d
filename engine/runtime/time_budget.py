"""Time budgets for commands, in seconds of the main thread: a visitor's, and everybody's."""

SAVED = 0.1  # seconds that can accrue: enough for some restarts of a small network at once
PATIENCE = 1.0  # seconds, the longest wait after overspending
TOGETHER = 0.25  # share of the thread for the commands of all visitors together
CROWDED = 6.0  # ... the longest wait while they spend more


class TimeBudget:
    """Accrues time at a rate, a visitor's at that of its share; commands spend it.

    A debt is forgiven as far as it would take too long to repay at the current rate, because a
    share shrinks when others come.
    """

    def __init__(self, saved: float = SAVED) -> None:
        self._balance = self._saved = saved
        self._patience = PATIENCE  # seconds, the longest wait after the last payment
        self._filled = 0.0  # time of the last fill

    def fill(self, now: float, rate: float) -> None:
        """Add what has accrued since the last call, at so many seconds a second."""
        gained = rate * max(0.0, now - self._filled)
        owed = max(self._balance, -self._patience * rate)
        self._balance = min(self._saved, owed + gained)
        self._filled = now

    def pay(self, seconds: float, patience: float = PATIENCE) -> None:
        """Spend seconds; whoever overspends waits for `patience` seconds at most."""
        self._balance -= seconds
        self._patience = patience

    @property
    def solvent(self) -> bool:
        """Whether another command is affordable."""
        return self._balance >= 0

    def wait(self, rate: float) -> float:
        """Seconds until the next command is affordable."""
        return min(max(0.0, -self._balance) / rate, self._patience)

"""What a visitor's commands are paid from: seconds of the thread that serves everybody."""

SAVED = 0.1  # seconds that can be saved up: some restarts of a small network at once
PATIENCE = 1.0  # seconds that whoever has spent too much waits at most


class TimeBudget:
    """Fills at the rate of the visitor's own share, and pays for what he asks."""

    def __init__(self) -> None:
        self._balance = SAVED
        self._filled = 0.0  # when

    def fill(self, now: float, rate: float) -> None:
        """Take in what has come since the last time, at so many seconds a second."""
        gained = rate * max(0.0, now - self._filled)
        self._balance = min(SAVED, self._balance + gained)
        self._filled = now

    def pay(self, seconds: float, rate: float) -> None:
        """Spend; what is beyond all patience is forgiven."""
        self._balance = max(self._balance - seconds, -PATIENCE * rate)

    @property
    def solvent(self) -> bool:
        """Whether another command can be paid."""
        return self._balance >= 0

    def wait(self, rate: float) -> float:
        """Seconds until one can."""
        return max(0.0, -self._balance) / rate

"""The training losses since the last row of the curves: their mean, and the lowest and highest."""

import math


class LossRange:
    """Mean and extremes of the losses since the last row, so that no spike is lost."""

    def __init__(self) -> None:
        self._restart()

    def _restart(self) -> None:
        self._low, self._high, self._total, self._count = math.inf, -math.inf, 0.0, 0

    def add(self, loss: float) -> None:
        """Include one loss; it is finite, or the run would have ended."""
        if loss < self._low:
            self._low = loss
        if loss > self._high:
            self._high = loss
        self._total += loss
        self._count += 1

    def take(self) -> dict[str, float]:
        """The figures so far, then start over; at least one loss must have been added."""
        figures = {
            "loss": self._total / self._count,
            "loss_low": self._low,
            "loss_high": self._high,
        }
        self._restart()
        return figures

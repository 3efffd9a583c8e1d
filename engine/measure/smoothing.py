"""Smooths the training loss: an average over the noise of mini-batches that still shows jumps."""

from collections import deque
from collections.abc import Iterable

HALF_LIFE = 5  # rows after which a loss has half its weight in the average
_FORGOTTEN = 1 - 0.5 ** (1 / HALF_LIFE)  # decay per row

# A test finds a new level among noise; it assumes nothing about the noise's distribution.
_REMEMBERED = 30  # rows with which the newest ones are compared
_RUN = 3  # consecutive rows beyond all of those: by chance once in 2,700 times
_FACTOR = 2  # and at this distance from the average, which otherwise follows soon enough
_SPIKE = 5  # times the largest of those: a single such row is enough


class Smoothed:
    """A debiased exponential average (Kingma & Ba 2015, section 3) that starts over at jumps.

    It counts rows, not steps, because rows are what the plot shows. It starts over at a change of
    settings, at a spike, and at a new level, so that it agrees with the losses a few rows later. It
    never uses later rows.
    """

    def __init__(
        self, seen: Iterable[float] = (), average: float = 0.0, weight: float = 0.0
    ) -> None:
        self._seen: deque[float] = deque(seen, maxlen=_REMEMBERED)
        self._average, self._weight = average, weight

    def __copy__(self) -> "Smoothed":
        """Another that goes on from the same rows."""
        return Smoothed(self._seen, self._average, self._weight)

    def restart(self) -> None:
        """Forget all rows so far."""
        self._seen.clear()
        self._average = self._weight = 0.0

    def add(self, loss: float) -> float:
        """Include the loss of one more row, and return the average."""
        if self._seen and loss > _SPIKE * max(self._seen):
            self.restart()
        self._count(loss)
        newest = list(self._seen)[-_RUN:]
        if self._is_new_level(newest):
            self.restart()
            for recent in newest:
                self._count(recent)
        # The average of equal losses may differ from them by a rounding error.
        return min(max(self._average / self._weight, min(self._seen)), max(self._seen))

    def _count(self, loss: float) -> None:
        self._seen.append(loss)
        self._average += _FORGOTTEN * (loss - self._average)
        self._weight += _FORGOTTEN * (1 - self._weight)

    def _is_new_level(self, newest: list[float]) -> bool:
        before = list(self._seen)[:-_RUN]
        if not before:
            return False
        average = self._average / self._weight
        above = min(newest) > max(max(before), _FACTOR * average)
        return above or max(newest) < min(min(before), average / _FACTOR)

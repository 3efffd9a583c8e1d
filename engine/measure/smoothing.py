"""The loss of a run without the noise of its mini-batches: an average that never hides a jump."""

from collections import deque

HALF_LIFE = 5  # rows after which a loss counts half in the average
_FORGOTTEN = 1 - 0.5 ** (1 / HALF_LIFE)  # of the average at each row

# A level that has changed is told from noise by what noise of any shape hardly ever does.
_REMEMBERED = 30  # rows that the newest ones are compared with
_RUN = 3  # rows in a row beyond all of those: by chance once in 2,700 times
_FACTOR = 2  # ... and so far from the average, which else follows by itself
_SPIKE = 5  # times the largest of those: one such row is enough


class Smoothed:
    """A debiased exponential average (Kingma & Ba 2015, section 3) that starts over at jumps.

    It counts rows, as the plot shows them, because what looks smooth there is what a learner calls
    smooth. It begins afresh at a change that somebody made, at a spike, and at a new level, so that
    it stands where the losses stand a few rows later. It never looks ahead.
    """

    def __init__(self) -> None:
        self._seen: deque[float] = deque(maxlen=_REMEMBERED)
        self.restart()

    def restart(self) -> None:
        """Forget all rows so far."""
        self._seen.clear()
        self._average = self._weight = 0.0

    def add(self, loss: float) -> float:
        """Count in the loss of one more row; the average with it."""
        if self._seen and loss > _SPIKE * max(self._seen):
            self.restart()
        self._count(loss)
        newest = list(self._seen)[-_RUN:]
        if self._is_new_level(newest):
            self.restart()
            for recent in newest:
                self._count(recent)
        # Of equal losses the average may lie beside them by a rounding error.
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

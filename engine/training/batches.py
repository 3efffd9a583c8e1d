"""Mini-batches: every example once an epoch, in an order drawn anew each epoch."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.types import Array


class Batches:
    """Fills one fixed buffer with the next mini-batch; what is left of an epoch is left out."""

    def __init__(
        self,
        x: Array,  # (N, I)
        target: Array,  # (N, C)
        size: int,
        rng: np.random.Generator,
    ) -> None:
        self._source = x, target
        self._rng = rng
        self._order = np.arange(len(x))
        self._next = len(x)  # nothing left of this epoch: the first batch shuffles
        self.seen = 0
        self.resize(size)

    def resize(self, size: int) -> None:
        """Take `size` examples at a time from now on, or all of them where there are fewer."""
        x, target = self._source
        size = min(size, len(x))
        self.x: Array = np.empty((size, x.shape[1]), x.dtype)  # (B, I)
        self.target: Array = np.empty((size, target.shape[1]), target.dtype)  # (B, C)

    @property
    def epoch(self) -> float:
        """How often, on average, each example has been seen."""
        return self.seen / len(self._order)

    @property
    def left(self) -> int:
        """Steps to the end of this epoch; at its end, to that of the next one."""
        size = len(self.x)
        return (len(self._order) - self._next) // size or len(self._order) // size

    def advance(self) -> None:
        """Overwrite `x` and `target` with the next mini-batch."""
        size = len(self.x)
        if self._next + size > len(self._order):
            self._rng.shuffle(self._order)
            self._next = 0
        rows = self._order[self._next : self._next + size]
        for source, buffer in zip(self._source, (self.x, self.target), strict=True):
            source.take(rows, axis=0, out=buffer, mode="clip")  # any other mode copies twice
        self._next += size
        self.seen += size

    def save(self) -> tuple[np.ndarray, int, int, Mapping[str, Any]]:
        """A copy of what the next batches depend on."""
        return self._order.copy(), self._next, self.seen, self._rng.bit_generator.state

    def fork(self, size: int, saved: tuple[np.ndarray, int, int, Mapping[str, Any]]) -> "Batches":
        """Batches of the same examples that go on from what was saved."""
        fork = Batches(*self._source, size, np.random.default_rng())
        order, fork._next, fork.seen, fork._rng.bit_generator.state = saved
        fork._order[...] = order
        return fork

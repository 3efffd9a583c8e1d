"""Mini-batches: every example once per epoch, in an order that is shuffled anew each epoch."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.types import Array, Integers


class Batches:
    """Fills one fixed buffer with the next mini-batch; an incomplete one at the end is dropped."""

    def __init__(
        self,
        x: Array,  # (N, I)
        target: Array,  # (N, O)
        size: int,
        rng: np.random.Generator,
    ) -> None:
        self._source = x, target
        self._rng = rng
        self._order = np.arange(len(x))
        self._next = len(x)  # the first mini-batch begins a new epoch
        self.seen = 0
        self.resize(size)

    def resize(self, size: int) -> None:
        """Set the batch size to `size`, or to all examples if there are fewer."""
        x, target = self._source
        size = min(size, len(x))
        self.x: Array = np.empty((size, x.shape[1]), x.dtype)  # (B, I)
        self.target: Array = np.empty((size, target.shape[1]), target.dtype)  # (B, O)

    @property
    def epoch(self) -> float:
        """Epochs so far: how often, on average, each example was used."""
        return self.seen / len(self._order)

    @property
    def left(self) -> int:
        """Steps left in this epoch; at its end, in the next one."""
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

    @property
    def rows(self) -> Integers:  # (B,)
        """Which examples are in the mini-batch."""
        rows: Integers = self._order[self._next - len(self.x) : self._next].copy()
        return rows

    def save(self) -> tuple[np.ndarray, int, int, Mapping[str, Any]]:
        """A copy of the state that determines the next mini-batches, as small as can be."""
        order = self._order.astype(np.min_scalar_type(len(self._order)))
        return order, self._next, self.seen, self._rng.bit_generator.state

    def fork(self, size: int, saved: tuple[np.ndarray, int, int, Mapping[str, Any]]) -> "Batches":
        """Mini-batches of the same examples that continue from a saved state."""
        fork = Batches(*self._source, size, np.random.default_rng())
        order, fork._next, fork.seen, fork._rng.bit_generator.state = saved
        fork._order[...] = order
        return fork

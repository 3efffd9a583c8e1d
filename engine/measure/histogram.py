"""Histograms with bins that are the same for all layers and steps, so that they compare."""

from dataclasses import dataclass

import numpy as np

from engine.types import Array, Integers

BINS = 48
_WIDEST = 2.0**40  # beyond this a number is counted as outside


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """How many values lie in each bin, and how many lie in none."""

    inside: Integers  # (K,)
    below: int
    above: int
    broken: int  # infinite, or not a number


class HistogramScale:
    """Bin edges for the activations of all layers; they widen by doubling and never shrink.

    The bins are equally wide in asinh(activation): linear around 0 and logarithmic far from it, so
    that collapsed, healthy and exploding layers fit on one axis.
    """

    def __init__(self) -> None:
        self.limit = 2.0

    def cover(self, largest: float) -> None:
        """Widen the edges until `largest` lies inside, up to a limit."""
        while self.limit < min(largest, _WIDEST):
            self.limit *= 2

    def cover_all(self, *values: Array) -> None:
        """Widen the edges until all finite values of these arrays lie inside, up to a limit."""
        for some in values:
            self.cover(float(np.abs(some).max(initial=0, where=np.isfinite(some))))

    @property
    def edges(self) -> Array:  # (K+1,)
        """The bin edges, in ascending order."""
        reach = np.arcsinh(self.limit)
        return np.sinh(np.linspace(-reach, reach, BINS + 1))

    def count(self, values: Array) -> Counts:
        """Count `values`, of any shape, into the bins."""
        finite = values[np.isfinite(values)]
        reach = float(np.arcsinh(self.limit))
        position = np.arcsinh(finite)
        position += reach
        position *= BINS / (2 * reach)
        bins = np.clip(np.floor(position), -1, BINS).astype(np.intp) + 1
        bins[finite == self.limit] = BINS  # the last edge belongs to the last bin
        counts = np.bincount(bins, minlength=BINS + 2)
        return Counts(counts[1:-1], int(counts[0]), int(counts[-1]), values.size - finite.size)

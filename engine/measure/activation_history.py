"""How the activations of each layer came to be what they are: a few histograms along the run."""

from dataclasses import dataclass

import numpy as np

from engine.types import Array, Integers

COLUMNS = 20  # histograms that are kept, at most
BINS = 12  # of each


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Strip:
    """The histograms of all layers, oldest first, evenly spaced along the run as far as it goes."""

    steps: tuple[int, ...]  # (N,) that they were taken at
    shares: Integers  # (L, BINS, N) of a layer's fullest bin at that step, from 0 to 255


class StripRecorder:
    """Takes a histogram now and then; when there are many, it drops every second one."""

    def __init__(self) -> None:
        self._limit = 0.0  # of the bins' edges
        self._every = 1  # steps
        self._steps: list[int] = []
        self._counts: list[Integers] = []  # (L, K) each
        self.strip = Strip((), np.zeros((0, BINS, 0), np.uint8))

    def note(self, step: int, edges: Array, counts: Integers) -> None:
        """Take the histograms `counts (L, K)` of this step, if it is time for the next."""
        if self._steps and step < self._steps[-1] + self._every:
            return
        if edges[-1] != self._limit:
            self._counts = [_moved(old, self._limit, edges) for old in self._counts]
            self._limit = float(edges[-1])
        if len(self._steps) == COLUMNS:
            self._steps, self._counts = self._steps[::2], self._counts[::2]
            self._every = max(2 * self._every, step // (COLUMNS // 2))
        self._steps.append(step)
        self._counts.append(counts)
        self.strip = Strip(tuple(self._steps), self._shares())

    def _shares(self) -> Integers:
        counts = np.stack(self._counts, axis=-1)  # (L, K, N)
        layers, bins, columns = counts.shape
        grouped = counts.reshape(layers, BINS, bins // BINS, columns).sum(axis=2)
        fullest = np.maximum(grouped.max(axis=1, keepdims=True), 1)
        shares: Integers = np.ceil(255 * grouped / fullest).astype(np.uint8)
        shares.setflags(write=False)
        return shares


def _moved(counts: Integers, limit: float, edges: Array) -> Integers:
    """Counts in bins up to `limit`, put into wider ones: each goes where its middle is."""
    bins = counts.shape[1]
    reach, wider = np.arcsinh(limit), np.arcsinh(edges[-1])
    middles = reach * (2 * (np.arange(bins) + 0.5) / bins - 1)
    places = np.floor((middles / wider + 1) / 2 * bins).astype(np.intp)
    moved = np.zeros_like(counts)
    for old, new in enumerate(places):
        moved[:, new] += counts[:, old]
    return moved

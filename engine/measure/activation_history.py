"""How the activations of each layer have developed: a few histograms along the run."""

import copy
from dataclasses import dataclass

import numpy as np

from engine.types import Array, Integers

COLUMNS = 20  # histograms kept, at most
BINS = 12  # bins of each histogram


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ActivationHistory:
    """The histograms of all layers, oldest first, at evenly spaced steps of the run so far."""

    steps: tuple[int, ...]  # (S,) at which they were taken
    shares: Integers  # (L, BINS, S) count / count of the layer's fullest bin, scaled to 0..255


class ActivationRecorder:
    """Keeps a histogram every few steps; when it has too many, it drops every second one."""

    def __init__(self) -> None:
        self._limit = 0.0  # the outermost bin edge
        self._every = 1  # steps
        self._steps: list[int] = []
        self._counts: list[Integers] = []  # (L, K) a histogram of each layer
        self.history = ActivationHistory((), np.zeros((0, BINS, 0), np.uint8))

    def note(self, step: int, edges: Array, counts: Integers) -> None:
        """Keep the histograms `counts (L, K)` of this step, if the next one is due."""
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
        self.history = ActivationHistory(tuple(self._steps), self._shares())

    def up_to(self, step: int) -> "ActivationRecorder":
        """A copy without the histograms after a step, for a run that goes on from there."""
        past = copy.copy(self)
        kept = sum(taken <= step for taken in self._steps)
        past._steps, past._counts = self._steps[:kept], self._counts[:kept]
        past._every = max(1, min(self._every, step // (COLUMNS // 2)))  # as in a run of that length
        if kept:
            past.history = ActivationHistory(tuple(past._steps), past._shares())
        return past

    def _shares(self) -> Integers:
        counts = np.stack(self._counts, axis=-1)  # (L, K, S)
        layers, bins, columns = counts.shape
        grouped = counts.reshape(layers, BINS, bins // BINS, columns).sum(axis=2)
        fullest = np.maximum(grouped.max(axis=1, keepdims=True), 1)
        shares: Integers = np.ceil(255 * grouped / fullest).astype(np.uint8)
        shares.setflags(write=False)
        return shares


def _moved(counts: Integers, limit: float, edges: Array) -> Integers:
    """Move counts to the wider bins up to `limit`: each goes to the bin that holds its middle."""
    bins = counts.shape[1]
    reach, wider = np.arcsinh(limit), np.arcsinh(edges[-1])
    middles = reach * (2 * (np.arange(bins) + 0.5) / bins - 1)
    places = np.floor((middles / wider + 1) / 2 * bins).astype(np.intp)
    moved = np.zeros_like(counts)
    for old, new in enumerate(places):
        moved[:, new] += counts[:, old]
    return moved

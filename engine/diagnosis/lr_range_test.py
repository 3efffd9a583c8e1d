"""The learning-rate range test: one short run whose rate rises from tiny to huge (Smith 2017)."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from engine.training.config import RunConfig
from engine.training.training import Diverged, Training
from engine.types import Array

LOWEST, HIGHEST = 1e-6, 1e2
STEPS = 320  # 40 a power of ten
STILL = 40  # steps at whose rates no loss moves: their mean is what it starts from
SMOOTHED = 0.9  # of the running mean that a new batch leaves
MOVED = 0.05  # share of what it starts from that the loss has to fall by, to have moved
RISEN = 1.5  # times its lowest value, and half of what it starts from: it rises again


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """What the test has found."""

    rates: Array  # (K,)
    losses: Array  # (K,) of batches, smoothed
    low: float  # the rate from which on the loss moves
    high: float  # the last rate before it rises again


class _Rising(Training):
    """A run whose rate is multiplied by a little at each step."""

    @property
    def learning_rate(self) -> float:
        """The rate of the step that is being made."""
        return rate_at(self.step - 1)


def rate_at(step: int) -> float:
    """The rate of a step of the test, counted from 0."""
    return LOWEST * math.exp(math.log(HIGHEST / LOWEST) * step / (STEPS - 1))


def sweep(config: RunConfig, dtype: DTypeLike = np.float32) -> Iterator[float | Sweep]:
    """Make the test on a fresh run: yields its progress, from 0 to 1, and last what was found."""
    training = _Rising(config, dtype)
    raw: list[float] = []
    try:
        while training.step < STEPS:
            raw.append(training.update())
            yield training.step / STEPS
    except Diverged:
        pass
    losses = _smooth(raw)
    rates = np.array([rate_at(step) for step in range(len(losses))])
    yield Sweep(rates, losses, *_ends(rates, losses, raw))


def _smooth(raw: list[float]) -> Array:
    """A running mean, corrected for its start at 0."""
    smooth, total = np.empty(len(raw)), 0.0
    for step, loss in enumerate(raw):
        total = SMOOTHED * total + (1 - SMOOTHED) * loss
        smooth[step] = total / (1 - SMOOTHED ** (step + 1))
    return smooth


def _ends(rates: Array, losses: Array, raw: list[float]) -> tuple[float, float]:
    """Where the loss begins to move for good, and where it begins to rise again."""
    if not raw:
        return math.nan, math.nan
    start = float(np.mean(raw[:STILL]))
    bottom = int(np.argmin(losses))
    still = np.flatnonzero(losses[: bottom + 1] >= (1 - MOVED) * start)
    blown = np.flatnonzero(losses[bottom:] > max(RISEN * losses[bottom], 0.5 * start))
    low = int(still[-1]) if len(still) else 0
    high = bottom + int(blown[0]) if len(blown) else len(rates) - 1
    return float(rates[low]), float(rates[high])

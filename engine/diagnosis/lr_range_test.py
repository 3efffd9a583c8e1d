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
STEPS = 320  # 40 per power of ten
STILL = 40  # first steps, at rates too low to change the loss: their mean is the starting loss
SMOOTHED = 0.9  # decay of the running mean
MOVED = 0.05  # of the starting loss: a fall by this share counts
RISEN = 1.5  # times its lowest value: the loss rises again, if also above half the starting loss


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """The result of the test."""

    rates: Array  # (K,)
    losses: Array  # (K,) of mini-batches, smoothed
    low: float  # the rate at which the loss begins to fall
    high: float  # the last rate before the loss rises again


class _Rising(Training):
    """A run whose learning rate is multiplied by a constant factor at each step."""

    @property
    def learning_rate(self) -> float:
        """The learning rate of the current step."""
        return rate_at(self.step - 1)


def rate_at(step: int) -> float:
    """The learning rate at a step of the test, counted from 0."""
    return LOWEST * math.exp(math.log(HIGHEST / LOWEST) * step / (STEPS - 1))


def sweep(config: RunConfig, dtype: DTypeLike = np.float32) -> Iterator[float | Sweep]:
    """Run the test on a fresh network: yields its progress, from 0 to 1, and finally the result."""
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
    """An exponential moving average, corrected for its start at 0."""
    smooth, total = np.empty(len(raw)), 0.0
    for step, loss in enumerate(raw):
        total = SMOOTHED * total + (1 - SMOOTHED) * loss
        smooth[step] = total / (1 - SMOOTHED ** (step + 1))
    return smooth


def _ends(rates: Array, losses: Array, raw: list[float]) -> tuple[float, float]:
    """The rates at which the loss begins to fall for good, and to rise again."""
    if not raw:
        return math.nan, math.nan
    start = float(np.mean(raw[:STILL]))
    bottom = int(np.argmin(losses))
    still = np.flatnonzero(losses[: bottom + 1] >= (1 - MOVED) * start)
    blown = np.flatnonzero(losses[bottom:] > max(RISEN * losses[bottom], 0.5 * start))
    low = int(still[-1]) if len(still) else 0
    high = bottom + int(blown[0]) if len(blown) else len(rates) - 1
    return float(rates[low]), float(rates[high])

"""The loss on the straight line from one network's weights to another's (Goodfellow et al. 2015).

Two runs that left the same step and end in the same basin have no barrier between them: they are
linearly connected (Frankle et al. 2020). If they left it early, there usually is one.
"""

import math
from dataclasses import dataclass

import msgspec
import numpy as np

from engine.training.config_sections import ModelConfig
from engine.training.training import Training
from engine.types import Array

PLACES = np.linspace(-0.25, 1.25, 25)  # 0 is A, 1 is B


@dataclass(frozen=True, slots=True, eq=False)
class LossLine:
    """Losses at places on the line through both networks, as far as they have been measured."""

    places: Array  # (K,) 0 is A, 1 is B
    train: Array  # (K,) under A's loss, without penalties
    validation: Array  # (K,)
    refusal: str = ""  # why there is no such line

    @property
    def barrier(self) -> float:
        """How far the training loss rises above the straight line from A's loss to B's."""
        inside = (self.places >= 0) & (self.places <= 1)
        places, losses = self.places[inside], self.train[inside]
        if self.refusal or not places.size or places[-1] < 1:
            return math.nan
        between = (1 - places) * losses[0] + places * losses[-1]
        return float(np.max(losses - between))


class LineTracer:
    """Measures the line, one place at a time."""

    def __init__(self, a: Training, b: Training) -> None:
        self.refusal = _refusal(a, b)
        self._a, self._b = a.save(), b.save()
        self._scratch = a.fork(self._a)
        self._losses: list[tuple[float, float]] = []

    @property
    def done(self) -> bool:
        """Whether all of it is measured."""
        return bool(self.refusal) or len(self._losses) == len(PLACES)

    def measure_next(self) -> None:
        """Measure the next place; the networks themselves are not touched."""
        place = float(PLACES[len(self._losses)])
        parameters = self._scratch.network.parameters
        parameters.theta[...] = (1 - place) * self._a.theta + place * self._b.theta
        if parameters.statistics.size:
            between = (1 - place) * self._a.statistics + place * self._b.statistics
            parameters.statistics[...] = between
        (train, _), (validation, _) = (
            evaluator.evaluate() for evaluator in self._scratch.evaluators
        )
        self._losses.append((train, validation))

    @property
    def line(self) -> LossLine:
        """What has been measured."""
        known = np.array(self._losses).reshape(-1, 2)
        return LossLine(PLACES[: len(known)], known[:, 0], known[:, 1], self.refusal)


def _refusal(a: Training, b: Training) -> str:
    """Why weights between two networks belong to neither; empty if they do."""
    if _form(a.config.model) != _form(b.config.model):
        return "A and B differ in more than their weights, so that nothing lies between them."
    return ""


def _form(model: ModelConfig) -> ModelConfig:
    """What the scores depend on, given the weights."""
    return msgspec.structs.replace(model, dropout=0.0, initializer=ModelConfig().initializer)

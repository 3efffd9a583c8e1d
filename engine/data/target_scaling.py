"""What is done to values to predict before training sees them, fitted on the training split alone.

Networks learn values of about size 1. What a network then puts out is turned back into the units
of the data wherever it is shown; only the loss is in the units of training.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.registry import Registry
from engine.types import Array, Integers


@dataclass(frozen=True, eq=False)
class TargetTransform:
    """Subtracts a mean, then divides by a deviation, one of each for every value to predict."""

    mean: Array  # (O,)
    deviation: Array  # (O,)

    def __call__(self, values: Integers | Array) -> Array:  # (N, O)
        """The values as training sees them."""
        scaled: Array = (values - self.mean) / self.deviation
        return scaled

    def undo(self, outputs: Array) -> Array:  # (N, O)
        """Outputs of the network in the units of the data."""
        return (outputs * self.deviation + self.mean).astype(outputs.dtype)


class TargetScaling(Protocol):
    """Learns a transform from the training values `y (N, O)`; None leaves them as they are."""

    def __call__(self, y: Integers | Array) -> TargetTransform | None: ...


TARGET_SCALING: Registry[TargetScaling] = Registry("target scaling")


@TARGET_SCALING.register("none")
def none(y: Integers | Array) -> None:
    """Leave values to predict as they are: large ones make steps that are too long."""


@TARGET_SCALING.register("standardize")
def standardize(y: Integers | Array) -> TargetTransform:
    """Subtract the mean and divide by the deviation: a loss of 1 is always saying the mean."""
    deviation = y.std(axis=0, dtype=np.float64)
    constant = deviation <= 1e-7 * np.abs(y).max(axis=0)
    return TargetTransform(y.mean(axis=0, dtype=np.float64), np.where(constant, 1, deviation))

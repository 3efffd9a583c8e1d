"""Scaling of the targets `y (N, O)` in regression, fitted on the training set alone.

Networks learn values of about size 1. Predictions are converted back to the units of the data
wherever they are shown; only the loss is in scaled units.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.registry import Registry
from engine.types import Array, Integers


@dataclass(frozen=True, eq=False)
class TargetTransform:
    """Subtracts a mean, then divides by a standard deviation, both per target."""

    mean: Array  # (O,)
    deviation: Array  # (O,)

    def __call__(self, values: Integers | Array) -> Array:  # (N, O)
        """The values as they are trained on."""
        scaled: Array = (values - self.mean) / self.deviation
        return scaled

    def undo(self, outputs: Array) -> Array:  # (N, O)
        """Outputs of the network in the units of the data."""
        return (outputs * self.deviation + self.mean).astype(outputs.dtype)


class TargetScaling(Protocol):
    """Fits a transform to the training targets `y (N, O)`; None leaves them as they are."""

    def __call__(self, y: Integers | Array) -> TargetTransform | None: ...


TARGET_SCALING: Registry[TargetScaling] = Registry("target scaling")


@TARGET_SCALING.register("none")
def none(y: Integers | Array) -> None:
    """Leave values to predict as they are: large ones make steps too large."""


@TARGET_SCALING.register("standardize")
def standardize(y: Integers | Array) -> TargetTransform:
    """Subtract the mean and divide by the deviation: always predicting the mean has loss 1."""
    deviation = y.std(axis=0, dtype=np.float64)
    constant = deviation <= 1e-7 * np.abs(y).max(axis=0)
    return TargetTransform(y.mean(axis=0, dtype=np.float64), np.where(constant, 1, deviation))

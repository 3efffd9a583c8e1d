"""The gradient check: backpropagation against centred differences of the loss."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.measure.float64_copy import TINY, Float64Copy, relative_error
from engine.training.training import Training
from engine.types import Array


@dataclass(frozen=True)
class Check:
    """The gradient with respect to one parameter: by backpropagation and by differences."""

    layer: str
    tensor: str
    index: int  # within the tensor, counted row by row
    backward: float
    difference: float
    error: float  # |backward - difference| / max(|backward|, |difference|), 0 if both are tiny
    kink: bool  # the loss has no derivative here, so the error does not count


@dataclass(frozen=True)
class GradientCheck:
    """The result of a gradient check."""

    checks: tuple[Check, ...]

    @property
    def error(self) -> float:
        """The relative error of all parameters together, without kinks; if correct at most 1e-7.

        Single parameters may be further off where the gradient is tiny, because losses are rounded.
        """
        smooth = [check for check in self.checks if not check.kink]
        wrong = math.hypot(*(check.backward - check.difference for check in smooth))
        return wrong / max(math.hypot(*(check.difference for check in smooth)), TINY)

    @property
    def kinks(self) -> int:
        """How many of the parameters lie at a kink, such as that of ReLU."""
        return sum(check.kink for check in self.checks)


def check_gradients(
    training: Training, rng: np.random.Generator, coordinates: int = 30
) -> GradientCheck:
    """Check so many parameters, spread over all tensors; the training network is not touched."""
    return GradientCheck(tuple(one_by_one(training, rng, coordinates)))


def one_by_one(
    training: Training, rng: np.random.Generator, coordinates: int = 30
) -> Iterator[Check]:
    """Check one parameter after the other."""
    if not training.batches.seen:
        raise ValueError("the gradient check needs a mini-batch: make a step first")
    copy = Float64Copy(training)
    gradient = copy.gradient()
    tensors = copy.parameters.tensors
    for number in range(coordinates):
        tensor = tensors[number % len(tensors)]
        index = int(rng.integers(tensor.span.stop - tensor.span.start))
        yield _check(copy, gradient, tensor.layer, tensor.name, tensor.span.start, index)


def _check(
    copy: Float64Copy, gradient: Array, layer: str, tensor: str, start: int, index: int
) -> Check:
    place = start + index
    difference, bent = copy.slope(place)
    backward = float(gradient[place])
    error = relative_error(backward, difference)
    return Check(layer, tensor, index, backward, difference, error, kink=bent)

"""The gradient check: backpropagation against centred differences of the loss."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import numpy as np

from engine.nn.losses import LOSSES
from engine.training.build_network import build_network
from engine.training.training import Training
from engine.types import Array

STEP = 1e-6  # to either side; times the parameter's size if that is above 1
TINY = 1e-5  # a slope below this is rounding error of the difference of two losses
BENT = 1e-3  # one-sided slopes that differ by this share lie on two sides of a kink


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


class _Copy:
    """The loss of the last mini-batch as a function of the parameters, in float64."""

    def __init__(self, training: Training) -> None:
        model = msgspec.structs.replace(training.config.model, dropout=0.0)  # it would be random
        data, batches = training.data.train, training.batches
        self._x = batches.x.astype(np.float64)
        self._target = batches.target.astype(np.float64)
        self._network = build_network(
            model, data.shape, data.outputs, len(self._x), dtype=np.float64
        )
        self.parameters = self._network.parameters
        self.parameters.theta[...] = training.network.parameters.theta
        self._dz = np.empty_like(self._target)
        self._row = np.empty_like(self._target[:, 0])
        self._loss = LOSSES.build(training.config.optimization.loss)

    def loss(self) -> float:
        scores = self._network.forward(self._x, train=True)
        return self._loss(scores, self._target, self._dz, self._row)

    def gradient(self) -> Array:
        self.loss()
        self._network.backward(self._dz)
        return self.parameters.grad.copy()


def check_gradients(
    training: Training, rng: np.random.Generator, coordinates: int = 30
) -> GradientCheck:
    """Check so many parameters, spread over all tensors; the training network is not touched."""
    return GradientCheck(tuple(one_by_one(training, rng, coordinates)))


def one_by_one(
    training: Training, rng: np.random.Generator, coordinates: int = 30
) -> Iterator[Check]:
    """The same check, which yields one parameter at a time."""
    if not training.batches.seen:
        raise ValueError("the gradient check needs a mini-batch: make a step first")
    copy = _Copy(training)
    gradient = copy.gradient()
    tensors = copy.parameters.tensors
    for number in range(coordinates):
        tensor = tensors[number % len(tensors)]
        index = int(rng.integers(tensor.span.stop - tensor.span.start))
        yield _check(copy, gradient, tensor.layer, tensor.name, tensor.span.start, index)


def _check(copy: _Copy, gradient: Array, layer: str, tensor: str, start: int, index: int) -> Check:
    place = start + index
    step = STEP * max(1.0, abs(float(copy.parameters.theta[place])))
    left, right = _slopes(copy, place, step)
    bent = abs(left - right) > BENT * max(abs(left), abs(right), TINY)
    if bent:  # if the loss is only curved, the two slopes converge as the step shrinks
        nearer_left, nearer_right = _slopes(copy, place, 0.1 * step)
        bent = abs(nearer_left - nearer_right) > 0.5 * abs(left - right)
    difference, backward = 0.5 * (left + right), float(gradient[place])
    error = _relative(backward, difference)
    return Check(layer, tensor, index, backward, difference, error, kink=bent)


def _slopes(copy: _Copy, place: int, step: float) -> tuple[float, float]:
    """The one-sided slopes of the loss, left and right of a parameter's value."""
    theta = copy.parameters.theta
    value = float(theta[place])
    losses = []
    for shifted in (value - step, value, value + step):
        theta[place] = shifted
        losses.append(copy.loss())
    theta[place] = value
    below, here, above = losses
    return (here - below) / step, (above - here) / step


def _relative(a: float, b: float) -> float:
    size = max(abs(a), abs(b))
    return abs(a - b) / size if size > TINY and not math.isclose(a, b) else 0.0

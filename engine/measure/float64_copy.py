"""The loss of a mini-batch as a function of the parameters, in float64, and its slopes."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np

from engine.nn.layers import Layer
from engine.nn.losses import LOSSES
from engine.nn.network import Network
from engine.training.build_network import build_network
from engine.training.training import Training
from engine.types import Array

STEP = 1e-6  # to either side; times the parameter's size if that is above 1
TINY = 1e-5  # a slope below this is rounding error of the difference of two losses
BENT = 1e-3  # one-sided slopes that differ by this share lie on two sides of a kink


class Float64Copy:
    """A network's last mini-batch and its parameters, where differences of losses are exact.

    Dropout is left out, unless it is given the state of the generator that drew its masks: then
    each pass has the masks of the mini-batch.
    """

    def __init__(self, training: Training, dropout: Mapping[str, Any] | None = None) -> None:
        model, self._dropout = training.config.model, dropout
        if dropout is None:
            model = msgspec.structs.replace(model, dropout=0.0)
        data, batches = training.data.train, training.batches
        self._x = batches.x.astype(np.float64)
        self._target = batches.target.astype(np.float64)
        self._rng = np.random.default_rng()
        self.network: Network = build_network(
            model, data.shape, data.outputs, len(self._x), dtype=np.float64, rng=self._rng
        )
        self.parameters = self.network.parameters
        self.parameters.theta[...] = training.network.parameters.theta
        self.dscores: Array = np.empty_like(self._target)
        self._row = np.empty_like(self._target[:, 0])
        self._loss = LOSSES.build(training.config.optimization.loss)

    def loss(self) -> float:
        """The loss of the mini-batch; `dscores` gets the gradient of the scores."""
        if self._dropout is not None:
            self._rng.bit_generator.state = self._dropout
        scores = self.network.forward(self._x, train=True)
        return self._loss(scores, self._target, self.dscores, self._row)

    def gradient(self) -> Array:  # (P,)
        """The gradient of the loss by backpropagation."""
        self.loss()
        self.network.backward(self.dscores)
        return self.parameters.grad.copy()

    def slope(self, place: int, step: float = STEP) -> tuple[float, bool]:
        """The loss's slope along one parameter by differences, and whether there is a kink."""
        step *= max(1.0, abs(float(self.parameters.theta[place])))
        left, right = self._slopes(place, step)
        bent = abs(left - right) > BENT * max(abs(left), abs(right), TINY)
        if bent:  # if the loss is only curved, the two slopes converge as the step shrinks
            nearer_left, nearer_right = self._slopes(place, 0.1 * step)
            bent = abs(nearer_left - nearer_right) > 0.5 * abs(left - right)
        return 0.5 * (left + right), bent

    def _slopes(self, place: int, step: float) -> tuple[float, float]:
        """The one-sided slopes of the loss, left and right of a parameter's value."""
        theta = self.parameters.theta
        value = float(theta[place])
        losses = []
        for shifted in (value - step, value, value + step):
            theta[place] = shifted
            losses.append(self.loss())
        theta[place] = value
        below, here, above = losses
        return (here - below) / step, (above - here) / step


def backward_by_layer(
    network: Network,
    dz: Array,  # (B, O) the gradient of the scores
) -> Iterator[tuple[Layer, Array]]:
    """Run backward, layer by layer from the last: each with the gradient of its output.

    That has the shape of the output: `(B, O)`, or `(O, H, W, B)` of feature maps.
    """
    for layer in reversed(network.layers):
        yield layer, dz
        dz = layer.backward(dz)


def relative_error(a: float, b: float) -> float:
    """|a - b| / max(|a|, |b|), and 0 if both are so small that they are rounding errors."""
    size = max(abs(a), abs(b))
    return abs(a - b) / size if size > TINY and not math.isclose(a, b) else 0.0

"""A copy of the network that runs backward passes without touching the one that trains."""

import math
from dataclasses import dataclass

import msgspec
import numpy as np

from engine.nn.layers import Dense
from engine.nn.losses import LOSSES
from engine.nn.network import Parameters
from engine.training.build_network import build_network
from engine.training.training import Training
from engine.types import Array


@dataclass(frozen=True)
class Backward:
    """What one backward pass over the last mini-batch shows."""

    signals: dict[str, float]  # per shown layer: std of single examples' gradients at its output
    gradients: dict[str, float]  # per weight tensor: root mean square
    noise: float  # trace of the covariance of examples' gradients; NaN if batch norm couples them
    length: float  # squared length of the true gradient, estimated without its bias


class Probe:
    """Measures gradients of the last mini-batch, without dropout, so that they are repeatable."""

    def __init__(self, training: Training) -> None:
        config, data = training.config, training.data.train
        model = msgspec.structs.replace(config.model, dropout=0.0)
        batch = len(training.batches.x)
        self._training = training
        self._network = build_network(model, data.shape, data.outputs, batch, dtype=training.dtype)
        self._dz = np.empty_like(training.batches.target)
        self._row = np.empty_like(self._dz[:, 0])
        self._loss = LOSSES.build(config.optimization.loss)
        # The identities below hold only where no example's gradient depends on another example,
        # and where all parameters lie in dense layers.
        parameters = self._network.parameters
        dense = sum(sum(t.size for t in x.params.values()) for x in self._dense)
        self._separable = dense == parameters.theta.size and batch > 1

    @property
    def _dense(self) -> list[Dense]:
        return [layer for layer in self._network.layers if isinstance(layer, Dense)]

    def backward(self) -> Backward:
        """Run the last mini-batch forward and backward, with the weights from before the step.

        The weights after the step have just been fitted to this very batch: its gradient there, and
        the noise, would be too small.
        """
        training = self._training
        parameters = self._load(training.network.parameters.theta + training.optimizer.last_update)
        batch = len(self._dz)
        signals, squares = {}, 0.0
        shown = {layer.name for layer in self._network.shown}
        dy = self._dz
        for layer in reversed(self._network.layers):
            if layer.name in shown:
                signals[layer.name] = batch * float(dy.std())
            if isinstance(layer, Dense) and self._separable:
                squares += _squared_lengths(layer.x, dy) * batch**2
            dy = layer.backward(dy)
        gradients = {
            t.layer: _root_mean_square(parameters.grad[t.span]) for t in parameters.weights
        }
        mean = float(np.vdot(parameters.grad, parameters.grad))
        if not self._separable:
            return Backward(signals, gradients, math.nan, math.nan)
        noise = max(0.0, squares - batch * mean) / (batch - 1)
        return Backward(signals, gradients, noise, mean - noise / batch)

    def overshoot(self) -> float:
        """Where the last step ended along its own direction (Schneider et al. 2021, alpha).

        -1: the slope is as steep as at the start; 0: at the minimum; 1: as far up the other side.
        """
        theta, update = (
            self._training.network.parameters.theta,
            self._training.optimizer.last_update,
        )
        after = self._slope(theta, update)
        before = self._slope(theta + update, update)
        return max(-1.0, -after / before) if before > 0 else math.nan

    def _slope(self, theta: Array, update: Array) -> float:
        """The directional derivative of the loss, penalties included, at `theta` along `update`."""
        parameters = self._load(theta)
        self._network.backward(self._dz)
        optimization = self._training.config.optimization
        weights = parameters.theta[: parameters.regularized]
        penalty = optimization.l2 * weights + optimization.l1 * np.sign(weights)
        data = float(np.vdot(parameters.grad, update))
        return data + float(np.vdot(penalty, update[: parameters.regularized]))

    def _load(self, theta: Array) -> Parameters:
        """Set the weights and run the last mini-batch forward."""
        parameters, batches = self._network.parameters, self._training.batches
        parameters.theta[...] = theta
        scores = self._network.forward(batches.x, train=True)
        self._loss(scores, batches.target, self._dz, self._row)
        return parameters


def _squared_lengths(x: Array, dz: Array) -> float:
    """Sum over the batch of the squared norms of single examples' gradients of a dense layer.

    An example's gradient is an outer product, so its norm is the product of two norms; the 1 is the
    bias (Goodfellow 2015).
    """
    inputs = np.einsum("bi,bi->b", x, x)
    errors = np.einsum("bo,bo->b", dz, dz)
    return float(np.vdot(inputs + 1, errors))


def _root_mean_square(v: Array) -> float:
    return math.sqrt(float(np.vdot(v, v)) / v.size)

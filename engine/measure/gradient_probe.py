"""A copy of the network that may be run backward at will, without touching the one that trains."""

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
    """What one backward pass over the last batch tells."""

    signals: dict[str, float]  # per shown layer: deviation of an example's gradient at its output
    gradients: dict[str, float]  # per weight tensor: root mean square
    noise: float  # trace of the covariance of single examples' gradients; NaN if they are coupled
    length: float  # squared length of the true gradient, estimated without its bias


class Probe:
    """Looks at gradients of the last mini-batch. Dropout is left out, so that it is repeatable."""

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
        """Run the last batch forward and backward, through the weights that it met.

        On those of after the step, which has just been fitted to that very batch, its gradient is
        too short, and so is the noise.
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
        """Where the last step ended in the valley it went into (Schneider et al. 2021, alpha).

        -1: the slope is as steep as at the start, 0: at the bottom, 1: as far up the other side.
        """
        theta, update = (
            self._training.network.parameters.theta,
            self._training.optimizer.last_update,
        )
        after = self._slope(theta, update)
        before = self._slope(theta + update, update)
        return max(-1.0, -after / before) if before > 0 else math.nan

    def _slope(self, theta: Array, update: Array) -> float:
        """How fast the loss, penalties included, rises at `theta` in the direction of `update`."""
        parameters = self._load(theta)
        self._network.backward(self._dz)
        optimization = self._training.config.optimization
        weights = parameters.theta[: parameters.regularized]
        penalty = optimization.l2 * weights + optimization.l1 * np.sign(weights)
        data = float(np.vdot(parameters.grad, update))
        return data + float(np.vdot(penalty, update[: parameters.regularized]))

    def _load(self, theta: Array) -> Parameters:
        """Set the weights and run the last batch forward."""
        parameters, batches = self._network.parameters, self._training.batches
        parameters.theta[...] = theta
        scores = self._network.forward(batches.x, train=True)
        self._loss(scores, batches.target, self._dz, self._row)
        return parameters


def _squared_lengths(x: Array, dz: Array) -> float:
    """Sum over examples of the squared length of their own gradient of a dense layer.

    An example's gradient is an outer product, so its length is known without forming it; the 1
    is the bias.
    """
    inputs = np.einsum("bi,bi->b", x, x)
    errors = np.einsum("bo,bo->b", dz, dz)
    return float(np.vdot(inputs + 1, errors))


def _root_mean_square(v: Array) -> float:
    return math.sqrt(float(np.vdot(v, v)) / v.size)

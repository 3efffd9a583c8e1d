"""The size of the signal in each layer of a fresh network: measured, and predicted by theory.

The lecture's experiment has ten layers of 500 units. The theory is mean-field theory of wide
networks: preactivations are normally distributed, with a variance that follows from the layer
before (Poole et al. 2016, eq. 3; backward: Schoenholz et al. 2017, eq. 7).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from engine.nn.activations import ACTIVATIONS, Elementwise
from engine.nn.initializers import INITIALIZERS
from engine.nn.network import Network
from engine.registry import Choice
from engine.training.build_network import build_network
from engine.training.config_sections import ModelConfig
from engine.types import Array

# Dense enough for a saturated tanh, nearly a step, whose edge Gauss-Hermite points would miss.
_Z = np.linspace(-8, 8, 8000)  # an even number: none lies on a kink at 0
_DENSITY = np.exp(-0.5 * _Z * _Z)
_DENSITY /= _DENSITY.sum()


@dataclass(frozen=True, eq=False)
class Signal:
    """Statistics of one layer of a fresh network."""

    name: str
    mean: float  # of its activations
    std: float
    variance_gain: float  # inputs x variance of the weights: the factor on the mean square
    backward: float  # std of the gradient at its output, relative to that at the last layer's
    activations: Array  # (N, O), or maps (O, H, W, N)


@dataclass(frozen=True)
class Moments:
    """What the theory predicts for one layer."""

    mean: float  # of its activations
    std: float
    backward: float  # factor on the gradient's size from the layer's output to its input


def measure_signal(
    model: ModelConfig,
    x: Array,  # (N, I)
    rng: np.random.Generator,
) -> list[Signal]:
    """Draw the weights of `model`, run `x` forward once, and measure every hidden layer.

    The backward pass starts with a random gradient at the output of the last layer.
    """
    network = build_network(model, x.shape[1:], 1, len(x), dtype=x.dtype)
    network.draw(INITIALIZERS.build(model.initializer), rng, x)
    network.forward(x, train=False)
    backward = _send_back(network, rng)
    weights = [layer.params["W"] for layer in network.layers if "W" in layer.params]
    return [
        Signal(
            layer.name,
            *_mean_and_std(layer.out),
            len(W) * float(np.vdot(W, W)) / W.size,
            backward[layer.name],
            layer.out,
        )
        for layer, W in zip(network.shown[:-1], weights, strict=False)
    ]


def _send_back(network: Network, rng: np.random.Generator) -> dict[str, float]:
    """The std of a random gradient at the output of each hidden layer."""
    layers = network.layers[:-1]
    sizes: dict[str, float] = {}
    if not layers:
        return sizes
    dy = rng.standard_normal(layers[-1].out.shape, np.float32).astype(layers[-1].out.dtype)
    for layer in reversed(layers):
        if layer.shown:
            sizes[layer.name] = _mean_and_std(dy)[1]
        dy = layer.backward(dy)
    return sizes


def _mean_and_std(values: Array) -> tuple[float, float]:
    """Both in one pass: as sums of products they take a tenth of the time of `mean` and `std`."""
    rows = values.reshape(len(values), -1)
    means = rows.mean(axis=1)
    mean = float(means.mean(dtype=np.float64))
    spread = rows - np.float32(mean)
    return mean, math.sqrt(float(np.vdot(spread, spread)) / values.size)


def predict_signal(
    activation: Choice,
    variance_gains: Sequence[float],  # of each layer
    mean_square: float = 1.0,  # of the inputs
) -> list[Moments]:
    """The moments of the activations in a wide network, layer by layer."""
    function = cast(Elementwise, ACTIVATIONS.build(activation))
    moments = []
    value, slope = np.empty_like(_Z), np.empty_like(_Z)
    for gain in variance_gains:
        z = math.sqrt(gain * mean_square) * _Z
        function.value(z, value)
        function.slope(z, value, slope)
        mean, mean_square = float(_DENSITY @ value), float(_DENSITY @ (value * value))
        back = math.sqrt(gain * float(_DENSITY @ (slope * slope)))
        moments.append(Moments(mean, math.sqrt(max(0.0, mean_square - mean * mean)), back))
    return moments


def predict_backward(moments: Sequence[Moments]) -> list[float]:
    """The size of the gradient at the output of each layer, relative to that at the last one's.

    Agrees with `measure_signal` if all layers are equally wide.
    """
    sizes = [1.0]
    for layer in reversed(moments[1:]):
        sizes.append(sizes[-1] * layer.backward)
    return sizes[::-1]

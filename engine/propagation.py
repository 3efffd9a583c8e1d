"""How large a signal is in each layer of a fresh network: measured, and as theory has it.

The lecture's experiment is ten layers of 500 units. The theory is that of wide networks: there the
sums that go into a layer are normal numbers, whose size follows from that of the layer before
(Poole et al. 2016, eq. 3; backward: Schoenholz et al. 2017, eq. 7).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from engine.activations import ACTIVATIONS, Elementwise
from engine.architecture import build_network
from engine.config import ModelConfig
from engine.initializers import INITIALIZERS
from engine.registry import Choice
from engine.types import Array

# Dense enough for a saturated tanh, nearly a step, whose edge Gauss-Hermite points would miss.
_Z = np.linspace(-8, 8, 8000)  # an even number: none lies on a kink at 0
_DENSITY = np.exp(-0.5 * _Z * _Z)
_DENSITY /= _DENSITY.sum()


@dataclass(frozen=True)
class Signal:
    """One layer of a fresh network."""

    name: str
    mean: float  # of its activations
    std: float
    stretch: float  # inputs x variance of the weights: how much the layer's sums grow


@dataclass(frozen=True)
class Moments:
    """What theory expects of one layer."""

    mean: float  # of its activations
    std: float
    backward: float  # factor on a gradient's size on its way back through the layer


def measure_signal(
    model: ModelConfig,
    x: Array,  # (N, I)
    rng: np.random.Generator,
) -> list[Signal]:
    """Draw the weights of `model`, send `x` through once, and look at every hidden layer."""
    network = build_network(model, x.shape[1:], 1, len(x), dtype=x.dtype)
    network.draw(INITIALIZERS.build(model.initializer), rng, x)
    network.forward(x, train=False)
    weights = [layer.params["W"] for layer in network.layers if "W" in layer.params]
    return [
        Signal(
            layer.name,
            float(layer.out.mean(dtype=np.float64)),
            float(layer.out.std(dtype=np.float64)),
            len(W) * float(np.mean(np.square(W, dtype=np.float64))),
        )
        for layer, W in zip(network.shown[:-1], weights, strict=False)
    ]


def predict_signal(
    activation: Choice,
    stretches: Sequence[float],  # of each layer, as in `Signal`
    mean_square: float = 1.0,  # of the inputs
) -> list[Moments]:
    """The moments of each layer's activations in a wide network, layer by layer."""
    function = cast(Elementwise, ACTIVATIONS.build(activation))
    moments = []
    value, slope = np.empty_like(_Z), np.empty_like(_Z)
    for stretch in stretches:
        z = math.sqrt(stretch * mean_square) * _Z
        function.value(z, value)
        function.slope(z, value, slope)
        mean, mean_square = float(_DENSITY @ value), float(_DENSITY @ (value * value))
        back = math.sqrt(stretch * float(_DENSITY @ (slope * slope)))
        moments.append(Moments(mean, math.sqrt(max(0.0, mean_square - mean * mean)), back))
    return moments

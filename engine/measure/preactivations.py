"""Preactivations: the weighted sums that enter each activation function, and its slope there."""

from dataclasses import dataclass
from typing import cast

import numpy as np

from engine.nn.activations import ACTIVATIONS, Activation, Elementwise, Maxout, PReLU
from engine.nn.channels import Channels
from engine.nn.layers import Activate, Layer, PReLULayer
from engine.registry import Choice
from engine.training.training import Training
from engine.types import Array, Integers

SPAN = 10.0  # preactivations from minus this to this are shown
BINS = 80
FLAT = 0.05  # a slope smaller than that passes almost no gradient
EXAMPLES = 128  # training examples whose preactivations are shown
_POINTS = 8 * BINS + 1  # of the curve: a kink at 0 falls on a point


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """An activation function as a curve."""

    x: Array  # (K,) from -SPAN to SPAN
    value: Array  # (K,)
    slope: Array  # (K,)


@dataclass(frozen=True, slots=True, eq=False)
class LayerPreactivations:
    """The preactivations of one layer, on a fixed set of training examples."""

    name: str
    counts: Integers  # (BINS,) from -SPAN to SPAN
    below: int
    above: int
    flat: float  # share of them where the slope is smaller than FLAT


@dataclass(frozen=True, slots=True)
class Preactivations:
    """The current activation function, and the preactivations of each layer."""

    response: Response
    layers: tuple[LayerPreactivations, ...]


def response(activation: Choice) -> Response:
    """The curve of an activation with its initial parameters.

    Maxout is drawn over the difference of its two sums, relative to the smaller one.
    """
    return _draw(ACTIVATIONS.build(activation))


def _draw(activation: Activation) -> Response:
    x = np.linspace(-SPAN, SPAN, _POINTS)
    value, slope = np.empty_like(x), np.empty_like(x)
    if isinstance(activation, Maxout):
        activation = ACTIVATIONS.build(Choice("ReLU"))
    elementwise = cast(Elementwise, activation)
    elementwise.value(x, value)
    elementwise.slope(x, value, slope)
    for curve in (x, value, slope):
        curve.setflags(write=False)
    return Response(x, value, slope)


def preactivations(training: Training) -> Preactivations:
    """The preactivations of every hidden layer on the first training examples."""
    network = training.evaluators[0].run_forward()
    layers = [layer for layer in network.layers if layer.shown]
    slopes = [x.params["slope"] for x in layers if isinstance(x, PReLULayer)]
    if slopes:  # each channel has learned its own: the curve shows the mean slope
        curve = _draw(PReLU(start=float(np.concatenate(slopes).mean())))
    else:
        curve = response(training.config.model.activation)
    return Preactivations(curve, tuple(_measure(layer) for layer in layers))


def _measure(layer: Layer) -> LayerPreactivations:
    z, flat = _sums(layer)
    finite = z[np.isfinite(z)].ravel()
    places = np.floor((finite + SPAN) * (BINS / (2 * SPAN)))
    counts = np.bincount(np.clip(places, -1, BINS).astype(np.intp) + 1, minlength=BINS + 2)
    inside = counts[1:-1]
    inside.setflags(write=False)
    return LayerPreactivations(layer.name, inside, int(counts[0]), int(counts[-1]), flat)


def _sums(layer: Layer) -> tuple[Array, float]:
    """The preactivations, and the share of them where the activation is flat."""
    channels = Channels(layer.out.shape)
    some = (Ellipsis, slice(EXAMPLES)) if layer.out.ndim == 4 else slice(EXAMPLES)
    z: Array = cast(Activate, layer).x[some]
    if isinstance(layer, Activate):
        given, taken = np.ascontiguousarray(z), np.ascontiguousarray(layer.out[some])
        slope = np.empty_like(given)
        layer.activation.slope(given, taken, slope)
        return z, float(np.mean(np.abs(slope) < FLAT))
    if isinstance(layer, PReLULayer):
        flat = (z < 0) & (np.abs(channels.spread(layer.params["slope"])) < FLAT)
        return z, float(np.mean(flat))
    first, second = np.split(z, 2, axis=channels.axis)
    return first - second, 0.0  # one of the two sums always passes the gradient

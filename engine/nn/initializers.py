"""Initializers: each fills a layer's weights `W (fan_in, O)`; biases start at zero.

Layers are drawn from first to last, so that `inputs()` can return a mini-batch as it enters the
layer. Only data-dependent initializers call it: the forward pass takes longer than drawing.
"""

import math
from collections.abc import Callable
from typing import Annotated, Protocol

import numpy as np

from engine.nn.channels import examples_first
from engine.nn.layers import Weighted
from engine.registry import Range, Registry
from engine.types import Array

type Inputs = Callable[[], Array]  # (B, fan_in) or maps

Scale = Annotated[
    float,
    Range(1e-4, 1e1, "log"),
    "What every drawn weight is multiplied by: larger weights make larger signals.",
]

LSUV_TOLERANCE = 0.01  # allowed distance of the standard deviation from 1
LSUV_TRIES = 10


class Initializer(Protocol):
    """Draws the first weights of one layer."""

    def __call__(self, rng: np.random.Generator, layer: Weighted, inputs: Inputs) -> None: ...


INITIALIZERS: Registry[Initializer] = Registry("initializer")


@INITIALIZERS.register("He")
def he(rng: np.random.Generator, layer: Weighted, inputs: Inputs, *, scale: Scale = 1.0) -> None:
    """N(0, 2 / inputs): keeps the signal's size from layer to layer under ReLU (He et al. 2015)."""
    _normal(rng, layer, scale * math.sqrt(2 / layer.fan_in))


@INITIALIZERS.register("Xavier")
def xavier(
    rng: np.random.Generator, layer: Weighted, inputs: Inputs, *, scale: Scale = 1.0
) -> None:
    """N(0, 1 / inputs), the lecture's form: keeps the signal's size where units are linear."""
    _normal(rng, layer, scale * math.sqrt(1 / layer.fan_in))


@INITIALIZERS.register("Xavier uniform")
def xavier_uniform(
    rng: np.random.Generator, layer: Weighted, inputs: Inputs, *, scale: Scale = 1.0
) -> None:
    """U(-a, a) with variance 1 / inputs: Xavier without rare large weights."""
    _uniform(rng, layer, scale * math.sqrt(1 / layer.fan_in))


@INITIALIZERS.register("Glorot")
def glorot(
    rng: np.random.Generator, layer: Weighted, inputs: Inputs, *, scale: Scale = 1.0
) -> None:
    """N(0, 2 / (inputs + outputs)): a compromise of signal and gradient (Glorot & Bengio 2010)."""
    _normal(rng, layer, scale * math.sqrt(2 / (layer.fan_in + layer.fan_out)))


@INITIALIZERS.register("Glorot uniform")
def glorot_uniform(
    rng: np.random.Generator, layer: Weighted, inputs: Inputs, *, scale: Scale = 1.0
) -> None:
    """U(-a, a) with variance 2 / (inputs + outputs) (Glorot & Bengio 2010, eq. 16)."""
    _uniform(rng, layer, scale * math.sqrt(2 / (layer.fan_in + layer.fan_out)))


@INITIALIZERS.register("LeCun")
def lecun(rng: np.random.Generator, layer: Weighted, inputs: Inputs, *, scale: Scale = 1.0) -> None:
    """N(0, 1 / inputs) as in “Efficient BackProp” (1998): what Xavier became in practice."""
    _normal(rng, layer, scale * math.sqrt(1 / layer.fan_in))


@INITIALIZERS.register("orthogonal")
def orthogonal(
    rng: np.random.Generator, layer: Weighted, inputs: Inputs, *, scale: Scale = 1.0
) -> None:
    """A random rotation times the activation's gain: stretches no direction (Saxe et al. 2013)."""
    _orthogonal(rng, layer.params["W"])
    layer.params["W"][...] *= scale * layer.gain


@INITIALIZERS.register("random walk")
def random_walk(
    rng: np.random.Generator, layer: Weighted, inputs: Inputs, *, scale: Scale = 1.0
) -> None:
    """N(0, g² / inputs), g so that gradients neither grow nor shrink (Sussillo & Abbott 2014)."""
    outputs = layer.params["W"].shape[1]
    if layer.gain > 1:  # rectifying: their section 3.3
        g = math.sqrt(2) * math.exp(1.2 / (max(outputs, 6) - 2.4))
    else:
        g = math.exp(1 / (2 * outputs))  # linear: their eq. 8
    _normal(rng, layer, scale * g / math.sqrt(layer.fan_in))


@INITIALIZERS.register("LSUV")
def lsuv(rng: np.random.Generator, layer: Weighted, inputs: Inputs, *, scale: Scale = 1.0) -> None:
    """Orthogonal, then rescaled until the layer's sums have size 1 (Mishkin & Matas 2015)."""
    W = layer.params["W"]
    _orthogonal(rng, W)
    x = inputs()
    for _ in range(LSUV_TRIES):
        deviation = float(layer.forward(x, train=False).std())
        if deviation == 0 or abs(deviation - 1) < LSUV_TOLERANCE:
            break
        W /= deviation
    W *= scale


@INITIALIZERS.register("data-dependent")
def data_dependent(
    rng: np.random.Generator, layer: Weighted, inputs: Inputs, *, scale: Scale = 1.0
) -> None:
    """Each unit gets mean 0 and size 1 on a batch of the data (Krähenbühl et al. 2015, Alg. 1)."""
    W, b = layer.params["W"], layer.params["b"]
    _normal(rng, layer, 1.0)
    sums = examples_first(layer.forward(inputs(), train=False)).reshape(-1, W.shape[1])
    deviation = sums.std(axis=0)
    deviation[deviation == 0] = 1  # a unit without input keeps its weights
    b[...] = -scale * sums.mean(axis=0) / deviation
    W *= scale / deviation


@INITIALIZERS.register("small normal")
def small_normal(
    rng: np.random.Generator, layer: Weighted, inputs: Inputs, *, scale: Scale = 0.01
) -> None:
    """0.01 N(0, 1): fine for a shallow net; in a deep one signals and gradients shrink to 0."""
    _normal(rng, layer, scale)


@INITIALIZERS.register("unit normal")
def unit_normal(
    rng: np.random.Generator, layer: Weighted, inputs: Inputs, *, scale: Scale = 1.0
) -> None:
    """N(0, 1): far too large; nearly every tanh unit saturates and the gradients vanish."""
    _normal(rng, layer, scale)


@INITIALIZERS.register("constant")
def constant(
    rng: np.random.Generator, layer: Weighted, inputs: Inputs, *, scale: Scale = 0.01
) -> None:
    """The same number everywhere: all units of a layer learn the same thing, for ever."""
    layer.params["W"][...] = scale


@INITIALIZERS.register("zeros")
def zeros(rng: np.random.Generator, layer: Weighted, inputs: Inputs) -> None:
    """All weights 0: no signal passes forward and no gradient backward; only biases learn."""
    layer.params["W"][...] = 0


def _normal(rng: np.random.Generator, layer: Weighted, deviation: float) -> None:
    W = layer.params["W"]
    W[...] = rng.standard_normal(W.shape)  # drawn in float64: the same weights in float32
    W *= deviation


def _uniform(rng: np.random.Generator, layer: Weighted, deviation: float) -> None:
    W = layer.params["W"]
    W[...] = rng.uniform(-1, 1, W.shape)
    W *= deviation * math.sqrt(3)


def _orthogonal(rng: np.random.Generator, W: Array) -> None:
    """Make rows or columns orthonormal, whichever are fewer."""
    tall = rng.standard_normal((max(W.shape), min(W.shape)))
    q, r = np.linalg.qr(tall)
    q *= np.sign(np.diagonal(r))  # without this not all rotations would be equally likely
    W[...] = q if W.shape[0] >= W.shape[1] else q.T

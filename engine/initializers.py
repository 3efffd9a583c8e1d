"""How the weights start: each function fills `out (I, O)`; the biases always start at zero."""

import math
from typing import Annotated, Protocol

import numpy as np

from engine.registry import Range, Registry
from engine.types import Array

Scale = Annotated[float, Range(1e-4, 1e1, "log")]


class Initializer(Protocol):
    """Draws the first weights of one layer."""

    def __call__(self, rng: np.random.Generator, out: Array) -> None: ...


INITIALIZERS: Registry[Initializer] = Registry("initializer")


@INITIALIZERS.register("He")
def he(rng: np.random.Generator, out: Array, *, scale: Scale = 1.0) -> None:
    """N(0, 2 / inputs): keeps the signal's size from layer to layer under ReLU (He et al. 2015)."""
    _normal(rng, out, scale * math.sqrt(2 / out.shape[0]))


@INITIALIZERS.register("Xavier")
def xavier(rng: np.random.Generator, out: Array, *, scale: Scale = 1.0) -> None:
    """N(0, 1 / inputs): keeps the signal's size where units are linear (Glorot & Bengio 2010)."""
    _normal(rng, out, scale * math.sqrt(1 / out.shape[0]))


@INITIALIZERS.register("small normal")
def small_normal(rng: np.random.Generator, out: Array, *, scale: Scale = 0.01) -> None:
    """0.01 N(0, 1): fine for a shallow net; in a deep one signals and gradients shrink to 0."""
    _normal(rng, out, scale)


@INITIALIZERS.register("unit normal")
def unit_normal(rng: np.random.Generator, out: Array, *, scale: Scale = 1.0) -> None:
    """N(0, 1): far too large; nearly every tanh unit saturates and the gradients vanish."""
    _normal(rng, out, scale)


def _normal(rng: np.random.Generator, out: Array, deviation: float) -> None:
    out[...] = rng.standard_normal(out.shape)  # drawn in float64: the same weights in any precision
    out *= deviation

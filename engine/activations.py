"""The nonlinearities: what each does to a number, and the slope that gradients are multiplied with.

Every array is `(B, O)`: `z` goes in, `a` comes out. Each method writes into `out` alone.
"""

import math
from dataclasses import dataclass
from typing import Annotated, Protocol

import numpy as np

from engine.registry import Range, Registry
from engine.types import Array


class Activation(Protocol):
    """A nonlinearity: its value, its slope, and how much it shrinks a signal."""

    @property
    def gain(self) -> float:
        """What the weights must be multiplied with to keep the signal's size (He et al. 2015)."""

    def value(self, z: Array, out: Array) -> None:
        """Write the activation of `z` into `out`."""

    def slope(self, z: Array, a: Array, out: Array) -> None:
        """Write the derivative at `z`, whose value is `a`, into `out`."""


ACTIVATIONS: Registry[Activation] = Registry("activation")


@ACTIVATIONS.register("ReLU")
@dataclass(frozen=True, kw_only=True)
class ReLU:
    """max(0, x): cheap, never saturates for x > 0; a unit that is never above 0 is dead."""

    gain = math.sqrt(2)

    def value(self, z: Array, out: Array) -> None:
        np.maximum(z, 0, out=out)

    def slope(self, z: Array, a: Array, out: Array) -> None:
        np.sign(a, out=out)  # a >= 0, so its sign is the slope; at 0 we take 0


@ACTIVATIONS.register("tanh")
@dataclass(frozen=True, kw_only=True)
class Tanh:
    """tanh(x), -1 to 1: zero-centred, but flat at both ends, where gradients die (LeCun 1991)."""

    gain = 1.0

    def value(self, z: Array, out: Array) -> None:
        np.tanh(z, out=out)

    def slope(self, z: Array, a: Array, out: Array) -> None:
        np.multiply(a, a, out=out)
        np.subtract(1, out, out=out)  # tanh' = 1 - tanh^2


@ACTIVATIONS.register("sigmoid")
@dataclass(frozen=True, kw_only=True)
class Sigmoid:
    """1 / (1 + exp(-x)), 0 to 1: flat at both ends, and never negative: gradients zig-zag."""

    gain = 1.0

    def value(self, z: Array, out: Array) -> None:
        # sigmoid(x) = (1 + tanh(x/2)) / 2 holds for every x, where exp(-x) overflows.
        np.multiply(z, 0.5, out=out)
        np.tanh(out, out=out)
        out += 1
        out *= 0.5

    def slope(self, z: Array, a: Array, out: Array) -> None:
        np.subtract(1, a, out=out)
        out *= a  # sigmoid' = sigmoid (1 - sigmoid)


@ACTIVATIONS.register("leaky ReLU")
@dataclass(frozen=True, kw_only=True)
class LeakyReLU:
    """max(slope x, x): a small slope on the left, so that no unit ever dies (Maas et al. 2013)."""

    slope_below: Annotated[float, Range(0.0, 0.5)] = 0.01

    @property
    def gain(self) -> float:
        return math.sqrt(2 / (1 + self.slope_below**2))

    def value(self, z: Array, out: Array) -> None:
        np.multiply(z, self.slope_below, out=out)
        np.maximum(z, out, out=out)

    def slope(self, z: Array, a: Array, out: Array) -> None:
        np.greater(z, 0, out=out, casting="unsafe")
        out *= 1 - self.slope_below
        out += self.slope_below

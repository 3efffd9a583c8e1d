"""Activation functions: the value of each, and the slope that scales the gradient.

`z` goes in, `a` comes out; all arrays have one shape. Each method writes only into `out`, which
must be contiguous. Maxout is not a function of one number, so it only describes itself here.
"""

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Protocol

import numpy as np

from engine.registry import Choice, Range, Registry
from engine.types import Array

_ZERO = np.zeros((), np.float32)  # faster than 0, which NumPy would have to convert
_MANY = 4096
_BLOCK = 16_384  # numbers that are processed at a time where a temporary array is needed
_CUBIC = 0.044715  # of GELU's tanh form
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


class Activation(Protocol):
    """The traits of a nonlinearity: how much it shrinks a signal, where it saturates."""

    @property
    def gain(self) -> float:
        """The factor on the weights that keeps the signal's size (He et al. 2015)."""

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The two values at which it saturates, or None unless it is bounded at both ends."""


class Elementwise(Activation, Protocol):
    """A nonlinearity that acts on each number alone."""

    def value(self, z: Array, out: Array) -> None:
        """Write the activation of `z` into `out`."""

    def slope(self, z: Array, a: Array, out: Array) -> None:
        """Write the derivative at `z`, whose value is `a`, into `out`."""


ACTIVATIONS: Registry[Activation] = Registry("activation")


@ACTIVATIONS.register("ReLU")
@dataclass(frozen=True, kw_only=True)
class ReLU:
    """max(0, x): cheap, never saturates for x > 0; a unit that is never above 0 is dead."""

    gain: ClassVar = math.sqrt(2)
    bounds: ClassVar = None

    def value(self, z: Array, out: Array) -> None:
        np.maximum(z, _zeros(z.shape, z.dtype), out=out)

    def slope(self, z: Array, a: Array, out: Array) -> None:
        # a >= 0, so its sign is the slope; at 0 it is 0. On large arrays a comparison is faster.
        if a.size < _MANY:
            np.sign(a, out=out)
        else:
            np.greater(a, _ZERO, out=out, casting="unsafe")


@ACTIVATIONS.register("tanh")
@dataclass(frozen=True, kw_only=True)
class Tanh:
    """tanh(x), -1 to 1: zero-centred, but flat at both ends, where gradients die (LeCun 1991)."""

    gain: ClassVar = 1.0
    bounds: ClassVar = (-1.0, 1.0)

    def value(self, z: Array, out: Array) -> None:
        np.tanh(z, out=out)

    def slope(self, z: Array, a: Array, out: Array) -> None:
        np.multiply(a, a, out=out)
        np.subtract(1, out, out=out)  # tanh' = 1 - tanh^2


@ACTIVATIONS.register("sigmoid")
@dataclass(frozen=True, kw_only=True)
class Sigmoid:
    """1 / (1 + exp(-x)), 0 to 1: flat at both ends, and never negative: gradients zig-zag."""

    gain: ClassVar = 1.0
    bounds: ClassVar = (0.0, 1.0)

    def value(self, z: Array, out: Array) -> None:
        _sigmoid(z, out)

    def slope(self, z: Array, a: Array, out: Array) -> None:
        np.subtract(1, a, out=out)
        out *= a  # sigmoid' = sigmoid (1 - sigmoid)


@ACTIVATIONS.register("leaky ReLU")
@dataclass(frozen=True, kw_only=True)
class LeakyReLU:
    """max(slope x, x): a small slope on the left, so that no unit ever dies (Maas et al. 2013)."""

    slope_below: Annotated[
        float, Range(0.0, 0.5), "The slope below 0, which lets that much of a gradient through."
    ] = 0.01
    bounds: ClassVar = None

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


@ACTIVATIONS.register("PReLU")
@dataclass(frozen=True, kw_only=True)
class PReLU:
    """max(a x, x): leaky ReLU whose slope a each unit learns by backprop (He et al. 2015)."""

    start: Annotated[
        float,
        Range(0.0, 0.5),
        "The slope below 0 at the first step; each unit then learns its own.",
    ] = 0.25
    bounds: ClassVar = None

    @property
    def gain(self) -> float:
        return math.sqrt(2 / (1 + self.start**2))

    def value(self, z: Array, out: Array) -> None:
        LeakyReLU(slope_below=self.start).value(z, out)

    def slope(self, z: Array, a: Array, out: Array) -> None:
        LeakyReLU(slope_below=self.start).slope(z, a, out)


@ACTIVATIONS.register("ELU")
@dataclass(frozen=True, kw_only=True)
class ELU:
    """x above 0, alpha (exp(x) - 1) below: nearer to zero mean than ReLU (Clevert et al. 2016)."""

    alpha: Annotated[
        float, Range(0.1, 2.0), "How far below 0 an output can fall: to minus alpha."
    ] = 1.0
    gain: ClassVar = math.sqrt(2)
    bounds: ClassVar = None

    def value(self, z: Array, out: Array) -> None:
        _exponential_below(z, out, self.alpha)

    def slope(self, z: Array, a: Array, out: Array) -> None:
        _slope_below(z, a, out, self.alpha, 1.0)


@ACTIVATIONS.register("SELU")
@dataclass(frozen=True, kw_only=True)
class SELU:
    """A scaled ELU that pulls signals to mean 0 and size 1 by itself (Klambauer et al. 2017)."""

    gain: ClassVar = 1.0
    bounds: ClassVar = None

    def value(self, z: Array, out: Array) -> None:
        _exponential_below(z, out, _SELU_ALPHA)
        out *= _SELU_SCALE

    def slope(self, z: Array, a: Array, out: Array) -> None:
        _slope_below(z, a, out, _SELU_SCALE * _SELU_ALPHA, _SELU_SCALE)


@ACTIVATIONS.register("GELU")
@dataclass(frozen=True, kw_only=True)
class GELU:
    """x times the chance of a normal number below x: a smooth ReLU (Hendrycks & Gimpel 2016).

    This is the tanh form of their paper; it differs from the exact one by less than 0.0005.
    """

    gain: ClassVar = math.sqrt(2)
    bounds: ClassVar = None

    def value(self, z: Array, out: Array) -> None:
        self._tanh(z, out)
        out += 1
        out *= 0.5
        out *= z

    def slope(self, z: Array, a: Array, out: Array) -> None:
        for some, slope in _blocks(z, out):
            self._tanh(some, slope)
            inner = some * some
            inner *= 3 * _CUBIC
            inner += 1
            inner *= math.sqrt(2 / math.pi)
            inner *= some
            inner *= 1 - slope * slope  # z times the derivative of tanh(u(z))
            slope += inner
            slope += 1
            slope *= 0.5

    @staticmethod
    def _tanh(z: Array, out: Array) -> None:
        np.multiply(z, z, out=out)
        out *= _CUBIC
        out += 1
        out *= z
        out *= math.sqrt(2 / math.pi)
        np.tanh(out, out=out)


@ACTIVATIONS.register("SiLU")
@dataclass(frozen=True, kw_only=True)
class SiLU:
    """x sigmoid(x), also called swish: a ReLU with a soft bend that dips a little below 0."""

    gain: ClassVar = math.sqrt(2)
    bounds: ClassVar = None

    def value(self, z: Array, out: Array) -> None:
        _sigmoid(z, out)
        out *= z

    def slope(self, z: Array, a: Array, out: Array) -> None:
        for some, value, slope in _blocks(z, a, out):
            _sigmoid(some, slope)
            slope *= 1 - value  # sigmoid + a (1 - sigmoid)
            slope += value


@ACTIVATIONS.register("softplus")
@dataclass(frozen=True, kw_only=True)
class Softplus:
    """log(1 + exp(x)): ReLU without the corner; its slope is the sigmoid, and it is never 0."""

    gain: ClassVar = math.sqrt(2)
    bounds: ClassVar = None

    def value(self, z: Array, out: Array) -> None:
        # max(x, 0) + log(1 + exp(-|x|)): the exponential cannot overflow.
        np.abs(z, out=out)
        np.negative(out, out=out)
        np.exp(out, out=out)
        np.log1p(out, out=out)
        _add_positive_part(z, out)

    def slope(self, z: Array, a: Array, out: Array) -> None:
        _sigmoid(z, out)


@ACTIVATIONS.register("identity")
@dataclass(frozen=True, kw_only=True)
class Identity:
    """x itself: however many layers, the whole network stays one linear map."""

    gain: ClassVar = 1.0
    bounds: ClassVar = None

    def value(self, z: Array, out: Array) -> None:
        out[...] = z

    def slope(self, z: Array, a: Array, out: Array) -> None:
        out[...] = 1


@ACTIVATIONS.register("Maxout")
@dataclass(frozen=True, kw_only=True)
class Maxout:
    """max(w1 x + b1, w2 x + b2): never flat, never dead, but twice the parameters (2013)."""

    gain: ClassVar = 1.0  # of two equal normal numbers, the larger one has the same mean square
    bounds: ClassVar = None


@functools.lru_cache(maxsize=64)
def _zeros(shape: tuple[int, ...], dtype: np.dtype[np.floating]) -> Array:
    """An array of zeros: NumPy's maximum with it is three times as fast as with a scalar."""
    zeros: Array = np.zeros(shape, dtype)
    zeros.setflags(write=False)
    return zeros


def _sigmoid(z: Array, out: Array) -> None:
    # sigmoid(x) = (1 + tanh(x/2)) / 2 holds for every x, where exp(-x) overflows.
    np.multiply(z, 0.5, out=out)
    np.tanh(out, out=out)
    out += 1
    out *= 0.5


def _exponential_below(z: Array, out: Array, alpha: float) -> None:
    np.minimum(z, _ZERO, out=out)
    np.expm1(out, out=out)
    out *= alpha
    _add_positive_part(z, out)


def _slope_below(z: Array, a: Array, out: Array, depth: float, above: float) -> None:
    """Where a = depth (exp(z) - 1), the slope is a + depth; where z > 0, it is `above`."""
    np.add(a, depth, out=out)
    for some, slope in _blocks(z, out):
        np.copyto(slope, above, where=some > 0)


def _add_positive_part(z: Array, out: Array) -> None:
    for some, total in _blocks(z, out):
        total += np.maximum(some, _ZERO)


def _blocks(*arrays: Array) -> Iterator[tuple[Array, ...]]:
    """The arrays in flat pieces, so that temporary arrays stay small."""
    flat = [array.reshape(-1) for array in arrays]
    for start in range(0, flat[0].size, _BLOCK):
        yield tuple(array[start : start + _BLOCK] for array in flat)


def bounds_of(choice: Choice) -> tuple[float, float] | None:
    """The ends of an activation's range, if it has two."""
    bounds: tuple[float, float] | None = ACTIVATIONS.build(choice).bounds
    return bounds

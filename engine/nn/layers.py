"""The layers of a network: dense, activation, PReLU, Maxout.

A layer owns its output buffers and borrows its parameters from the network. `forward` keeps what
`backward` needs; `backward` assigns the gradients of the parameters and returns that of the input.
Neither modifies its argument. Buffers that only `backward` needs are allocated at the first
training step, because most networks of a run only evaluate.
"""

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import DTypeLike

from engine.nn.activations import Elementwise
from engine.nn.channels import Channels
from engine.types import Array

NONE: Mapping[str, tuple[int, ...]] = MappingProxyType({})


class Layer(Protocol):
    """One differentiable stage of a network."""

    name: str
    shown: bool = False  # whether views show its output: true of nonlinearities
    shapes: Mapping[str, tuple[int, ...]] = NONE  # of its parameters
    statistics: Mapping[str, tuple[int, ...]] = NONE  # shapes of running averages
    starts: Mapping[str, float] = MappingProxyType({})  # initial values other than 0
    params: Mapping[str, Array] = MappingProxyType({})  # views of the network's theta
    grads: Mapping[str, Array] = MappingProxyType({})  # views of the network's grad
    running: Mapping[str, Array] = MappingProxyType({})  # views of the network's statistics
    x: Array  # the last input of forward
    out: Array  # (B, O) or (O, H, W, B), overwritten by the next forward

    def borrow(
        self,
        params: Mapping[str, Array],
        grads: Mapping[str, Array],
        running: Mapping[str, Array],
    ) -> None:
        """Take this layer's views of the network's vectors."""
        self.params, self.grads, self.running = params, grads, running

    def forward(self, x: Array, train: bool) -> Array:
        """The layer's output for `x`; `train` is False for evaluation."""

    def backward(self, dy: Array) -> Array:
        """The gradient `dx` for `dy`, after a `forward` with `train`."""

    @functools.cached_property
    def dx(self) -> Array:
        """The gradient of the input, of any shape; the next backward overwrites it."""
        return np.zeros(self.x.shape, self.x.dtype)


class Weighted(Layer, Protocol):
    """A layer with weights `W (fan_in, O)`, which an initializer draws."""

    fan_in: int  # inputs of one output
    fan_out: int  # outputs that use one input
    gain: float  # of the nonlinearity that follows


class Dense(Weighted):
    """x W + b: every output is a weighted sum of all inputs."""

    def __init__(
        self,
        name: str,
        inputs: int,
        outputs: int,
        batch: int,
        dtype: DTypeLike,
        *,
        first: bool,
        gain: float = 1.0,
    ) -> None:
        self.name = name
        self.fan_in, self.fan_out, self.gain = inputs, outputs, gain
        self.shapes = {"W": (inputs, outputs), "b": (outputs,)}
        self.out = np.zeros((batch, outputs), dtype)
        self._first = first
        self._ones: Array = np.ones(batch, dtype)

    def borrow(
        self,
        params: Mapping[str, Array],
        grads: Mapping[str, Array],
        running: Mapping[str, Array],
    ) -> None:
        super().borrow(params, grads, running)
        self._W, self._WT, self._b = params["W"], params["W"].T, params["b"]
        self._dW, self._db = grads["W"], grads["b"]

    # On the small matrices of a class's networks `dot` takes half the time of `np.matmul`, and as a
    # sum over the mini-batch a third of that of `np.add.reduce`.

    def forward(self, x: Array, train: bool) -> Array:
        self.x = x
        x.dot(self._W, self.out)
        np.add(self.out, self._b, out=self.out)
        return self.out

    def backward(self, dy: Array) -> Array:
        self.x.T.dot(dy, self._dW)
        self._ones.dot(dy, self._db)
        if self._first:  # the gradient of the data is not used; on images it doubles the cost
            return dy
        return dy.dot(self._WT, self.dx)


class Activate(Layer):
    """An activation function; a layer of its own, so that its output can be shown."""

    shown = True

    def __init__(
        self, name: str, activation: Elementwise, shape: tuple[int, ...], dtype: DTypeLike
    ) -> None:
        self.name = name
        self.activation = activation
        self.out = np.zeros(shape, dtype)

    def forward(self, x: Array, train: bool) -> Array:
        self.x = x
        self.activation.value(x, self.out)
        return self.out

    def backward(self, dy: Array) -> Array:
        dx = self.dx
        self.activation.slope(self.x, self.out, dx)
        dx *= dy
        return dx


class PReLULayer(Layer):
    """max(a x, x) with an `a` of its own for each channel, learned (PReLU, He et al. 2015)."""

    shown = True

    def __init__(self, name: str, start: float, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self.name = name
        self._channels = Channels(shape)
        self.shapes = {"slope": (self._channels.count,)}
        self.starts = {"slope": start}
        self.out = np.zeros(shape, dtype)

    def forward(self, x: Array, train: bool) -> Array:
        self.x = x
        np.minimum(x, 0, out=self.dx)
        np.maximum(x, 0, out=self.out)
        self.dx *= self._channels.spread(self.params["slope"])
        self.out += self.dx
        return self.out

    def backward(self, dy: Array) -> Array:
        dx = self.dx
        np.minimum(self.x, 0, out=dx)
        dx *= dy
        np.add.reduce(dx, axis=self._channels.others, out=self.grads["slope"])  # eq. 9
        slope = self._channels.spread(self.params["slope"])
        np.greater(self.x, 0, out=dx, casting="unsafe")
        dx *= 1 - slope
        dx += slope
        dx *= dy
        return dx


class MaxoutLayer(Layer):
    """The larger of two affine maps, which the layer below computes (Goodfellow et al. 2013)."""

    shown = True

    def __init__(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self.name = name
        axis = Channels(shape).axis
        before, units = (slice(None),) * axis, shape[axis]
        self._halves = (*before, slice(units)), (*before, slice(units, None))
        self.out = np.zeros(shape, dtype)

    def forward(self, x: Array, train: bool) -> Array:
        self.x = x
        first, second = (x[half] for half in self._halves)
        np.maximum(first, second, out=self.out)
        return self.out

    def backward(self, dy: Array) -> Array:
        first, second = (self.x[half] for half in self._halves)
        dfirst, dsecond = (self.dx[half] for half in self._halves)
        np.greater_equal(first, second, out=dfirst, casting="unsafe")
        np.subtract(1, dfirst, out=dsecond)
        dfirst *= dy
        dsecond *= dy
        return self.dx

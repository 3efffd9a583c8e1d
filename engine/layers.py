"""The stages that a network is made of.

A layer owns its output buffers and borrows its parameters from the network. `forward` keeps what
`backward` needs; `backward` assigns the gradients of the parameters and returns that of the input.
Neither modifies its argument.
"""

from typing import Protocol

import numpy as np
from numpy.typing import DTypeLike

from engine.activations import Activation
from engine.types import Array


class Layer(Protocol):
    """One differentiable stage of a network."""

    name: str
    shapes: dict[str, tuple[int, ...]]  # of its parameters
    params: dict[str, Array]  # views of the network's theta
    grads: dict[str, Array]  # views of the network's grad
    out: Array  # (B, O), overwritten by the next forward

    def forward(self, x: Array, train: bool) -> Array:
        """The layer's output for `x (B, I)`; `train` is False when one only looks at it."""

    def backward(self, dy: Array) -> Array:
        """The gradient `dx (B, I)` for `dy (B, O)`, after the last `forward`."""


class Dense:
    """x W + b: every output is a weighted sum of all inputs."""

    def __init__(
        self, name: str, inputs: int, outputs: int, batch: int, dtype: DTypeLike, *, first: bool
    ) -> None:
        self.name = name
        self.shapes = {"W": (inputs, outputs), "b": (outputs,)}
        self.params: dict[str, Array] = {}
        self.grads: dict[str, Array] = {}
        self.out: Array = np.zeros((batch, outputs), dtype)
        # Nobody asks for the gradient of the data, and on images it would double the cost.
        self.dx: Array = np.zeros((0 if first else batch, inputs), dtype)

    def forward(self, x: Array, train: bool) -> Array:
        self.x = x
        np.matmul(x, self.params["W"], out=self.out)
        self.out += self.params["b"]
        return self.out

    def backward(self, dy: Array) -> Array:
        np.matmul(self.x.T, dy, out=self.grads["W"])
        np.add.reduce(dy, axis=0, out=self.grads["b"])
        if len(self.dx):
            np.matmul(dy, self.params["W"].T, out=self.dx)
        return self.dx


class Activate:
    """A nonlinearity applied to every unit; a layer of its own, so that its output can be drawn."""

    def __init__(
        self, name: str, activation: Activation, units: int, batch: int, dtype: DTypeLike
    ) -> None:
        self.name = name
        self.activation = activation
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.params: dict[str, Array] = {}
        self.grads: dict[str, Array] = {}
        self.out: Array = np.zeros((batch, units), dtype)
        self.dx: Array = np.zeros((batch, units), dtype)

    def forward(self, x: Array, train: bool) -> Array:
        self.x = x
        self.activation.value(x, self.out)
        return self.out

    def backward(self, dy: Array) -> Array:
        self.activation.slope(self.x, self.out, self.dx)
        self.dx *= dy
        return self.dx

"""A sequence of layers over one flat parameter vector."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from engine.activations import ACTIVATIONS
from engine.config import ModelConfig
from engine.initializers import Initializer
from engine.layers import Activate, Dense, Layer
from engine.types import Array


@dataclass(frozen=True)
class Tensor:
    """Where one parameter lies in the flat vectors."""

    layer: str
    name: str
    shape: tuple[int, ...]
    span: slice


class Parameters:
    """All parameters `theta (P,)` and their gradients `grad (P,)`, weights before everything else.

    Weights come first so that regularization is one operation on `theta[:regularized]`. Assign with
    `theta[...] =`; a new array would silently part the layers from the optimizer.
    """

    def __init__(self, layers: Sequence[Layer], dtype: DTypeLike) -> None:
        shapes = [(x.name, name, shape) for x in layers for name, shape in x.shapes.items()]
        shapes.sort(key=lambda item: item[1] != "W")  # stable: the layers' order stays
        self.tensors = tuple(_lay_out(shapes))
        self.regularized = max((t.span.stop for t in self.tensors if t.name == "W"), default=0)
        self.theta: Array = np.zeros(self.tensors[-1].span.stop, dtype)
        self.grad: Array = np.zeros_like(self.theta)

    @property
    def weights(self) -> tuple[Tensor, ...]:
        """The weight tensors, in the order of the layers."""
        return tuple(t for t in self.tensors if t.name == "W")


def _lay_out(shapes: list[tuple[str, str, tuple[int, ...]]]) -> Iterator[Tensor]:
    start = 0
    for layer, name, shape in shapes:
        stop = start + int(np.prod(shape))
        yield Tensor(layer, name, shape, slice(start, stop))
        start = stop


class Network:
    """Layers in a row; two networks may share their parameters and differ in batch size."""

    def __init__(self, layers: Sequence[Layer], parameters: Parameters) -> None:
        self.layers = tuple(layers)
        self.parameters = parameters
        by_name = {layer.name: layer for layer in layers}
        for tensor in parameters.tensors:
            layer = by_name[tensor.layer]
            layer.params[tensor.name] = parameters.theta[tensor.span].reshape(tensor.shape)
            layer.grads[tensor.name] = parameters.grad[tensor.span].reshape(tensor.shape)

    @property
    def shown(self) -> tuple[Layer, ...]:
        """The layers whose output a learner looks at: each nonlinearity, and the scores."""
        return tuple(x for x in self.layers if isinstance(x, Activate)) + self.layers[-1:]

    def forward(self, x: Array, *, train: bool) -> Array:  # (B, I) -> (B, O)
        """The scores for `x`, in a buffer that the next call overwrites."""
        for layer in self.layers:
            x = layer.forward(x, train)
        return x

    def backward(self, dz: Array) -> None:  # (B, O)
        """Write the gradient of every parameter, given that of the scores."""
        for layer in reversed(self.layers):
            dz = layer.backward(dz)

    def draw(self, initializer: Initializer, rng: np.random.Generator) -> None:
        """Draw all weights anew and set everything else to zero."""
        self.parameters.theta[...] = 0
        for layer in self.layers:
            if "W" in layer.params:
                initializer(rng, layer.params["W"])


def build_network(
    model: ModelConfig,
    inputs: int,
    outputs: int,
    batch: int,
    *,
    parameters: Parameters | None = None,  # of another network, to share them
    dtype: DTypeLike = np.float32,
) -> Network:
    """The network that `model` describes, for batches of `batch` examples."""
    layers: list[Layer] = []
    activation = ACTIVATIONS.build(model.activation)
    for number, units in enumerate(model.hidden, start=1):
        layers.append(Dense(f"dense {number}", inputs, units, batch, dtype, first=not layers))
        layers.append(Activate(f"hidden {number}", activation, units, batch, dtype))
        inputs = units
    layers.append(Dense("scores", inputs, outputs, batch, dtype, first=not layers))
    return Network(layers, parameters or Parameters(layers, dtype))

"""A network: a sequence of layers over one flat parameter vector."""

import functools
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import DTypeLike

from engine.limits import limits
from engine.nn.channels import Channels
from engine.nn.initializers import Initializer
from engine.nn.layers import Layer, Weighted
from engine.types import Array

DIGITS = 16  # of a digest: enough to distinguish any two runs


@dataclass(frozen=True)
class Tensor:
    """The place of one parameter array in the flat vectors."""

    layer: str
    name: str
    shape: tuple[int, ...]
    span: slice


class Parameters:
    """All parameters `theta (P,)` and their gradients `grad (P,)`, weights first.

    Weights come first so that regularization is one operation on `theta[:regularized]`. Assign with
    `theta[...] =`; a new array would silently detach the layers from the optimizer. What layers
    compute without learning it, such as batch norm's running averages, lies in `statistics`.
    More parameters than allowed are refused.
    """

    def __init__(self, layers: Sequence[Layer], dtype: DTypeLike) -> None:
        self.tensors, self.running = _layout(layers)
        self.weights = tuple(t for t in self.tensors if t.name == "W")  # in the order of the layers
        self.regularized = self.weights[-1].span.stop
        self.size = self.tensors[-1].span.stop
        if self.size > limits().parameters:
            raise ValueError(
                f"the network would have {self.size:,} parameters; at most {limits().parameters:,}"
                " are allowed: fewer layers, or narrower ones"
            )
        self.theta: Array = np.zeros(self.size, dtype)
        self.grad: Array = np.zeros_like(self.theta)
        self.drawn: Array = self.theta  # a copy of the initial theta, which checkpoints share
        size = self.running[-1].span.stop if self.running else 0
        self.statistics: Array = np.zeros(size, dtype)

    def note_drawn(self) -> None:
        """Remember the parameters of now as those that training starts from."""
        self.drawn = self.theta.copy()
        self.drawn.setflags(write=False)

    @property
    def digest(self) -> str:
        """A fingerprint of the parameters: the same for the same bits."""
        return hashlib.sha256(self.theta).hexdigest()[:DIGITS]

    @property
    def state_digest(self) -> str:
        """A fingerprint of the parameters and the statistics, which decide all answers."""
        state = hashlib.sha256(self.theta)  # without a copy, and without the interpreter's lock
        state.update(self.statistics)
        return state.hexdigest()

    def fits(self, layers: Sequence[Layer]) -> bool:
        """Whether these layers have exactly these parameters, by name and shape."""
        return _layout(layers) == (self.tensors, self.running)


def _layout(layers: Sequence[Layer]) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """The places of learned parameters and of statistics in the flat vectors."""
    learned = _named(layers, lambda layer: layer.shapes)
    learned.sort(key=lambda item: item[1] != "W")  # stable: keeps the order of the layers
    running = _named(layers, lambda layer: layer.statistics)
    return tuple(_lay_out(learned)), tuple(_lay_out(running))


def _named(
    layers: Sequence[Layer], shapes: Callable[[Layer], Mapping[str, tuple[int, ...]]]
) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(x.name, name, shape) for x in layers for name, shape in shapes(x).items()]


def _lay_out(shapes: list[tuple[str, str, tuple[int, ...]]]) -> Iterator[Tensor]:
    start = 0
    for layer, name, shape in shapes:
        stop = start + int(np.prod(shape))
        yield Tensor(layer, name, shape, slice(start, stop))
        start = stop


class Network:
    """Layers in sequence; two networks may share parameters and differ in batch size."""

    def __init__(self, layers: Sequence[Layer], parameters: Parameters) -> None:
        self.layers = tuple(layers)
        self.parameters = parameters
        self.batch = len(layers[-1].out)  # examples of a mini-batch
        for layer in layers:
            layer.borrow(
                _views(parameters.tensors, layer, parameters.theta),
                _views(parameters.tensors, layer, parameters.grad),
                _views(parameters.running, layer, parameters.statistics),
            )
        # The layers whose output views show: each nonlinearity, and the scores.
        self.shown = (*(x for x in layers if x.shown), self.layers[-1])

    @functools.cached_property
    def work(self) -> int:
        """Multiplications of a forward pass of one example."""
        weighted = [x for x in self.layers if "W" in x.params]
        return sum(
            x.params["W"].size * Channels(x.out.shape).samples // self.batch for x in weighted
        )

    def forward(self, x: Array, *, train: bool) -> Array:  # (B, I) -> (B, O)
        """The scores for `x`, in a buffer that the next call overwrites."""
        for layer in self.layers:
            x = layer.forward(x, train)
        return x

    def backward(self, dz: Array) -> None:  # (B, O)
        """Write the gradient of every parameter, given the gradient of the scores."""
        for layer in reversed(self.layers):
            dz = layer.backward(dz)

    def draw(
        self,
        initializer: Initializer,
        rng: np.random.Generator,
        x: Array,  # (B, I) a mini-batch, for data-dependent initializers
    ) -> None:
        """Draw all weights anew, layer by layer; other parameters get their initial values."""
        self.parameters.theta[...] = 0
        self.parameters.statistics[...] = 0
        for layer in self.layers:
            for name, start in layer.starts.items():
                (layer.params if name in layer.params else layer.running)[name][...] = start
        below: list[Layer] = []  # layers that the mini-batch has not passed yet

        def inputs() -> Array:
            nonlocal x
            while below:
                x = below.pop(0).forward(x, train=False)
            return x

        for layer in self.layers:
            if "W" in layer.params:
                initializer(rng, cast(Weighted, layer), inputs)
            below.append(layer)


def _views(tensors: Sequence[Tensor], layer: Layer, flat: Array) -> dict[str, Array]:
    mine = (t for t in tensors if t.layer == layer.name)
    return {t.name: flat[t.span].reshape(t.shape) for t in mine}

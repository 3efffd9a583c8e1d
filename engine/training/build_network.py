"""Builds the network that a model config describes."""

import math
from collections.abc import Iterator
from typing import cast

import numpy as np
from numpy.typing import DTypeLike

from engine.limits import limits
from engine.nn.activations import ACTIVATIONS, Activation, Elementwise, Maxout, PReLU
from engine.nn.channels import Channels
from engine.nn.convolution import Conv2D, Flatten, MaxPool2D, Unflatten
from engine.nn.dropout import Dropout
from engine.nn.layers import Activate, Dense, Layer, MaxoutLayer, PReLULayer
from engine.nn.network import Network, Parameters
from engine.nn.normalization import NORMALIZATIONS
from engine.training.config_sections import ModelConfig
from engine.training.layer_specs import Convolution


def build_network(
    model: ModelConfig,
    shape: tuple[int, ...],  # of one example
    outputs: int,
    batch: int,
    *,
    parameters: Parameters | None = None,  # of another network, to be shared
    dtype: DTypeLike = np.float32,
    rng: np.random.Generator | None = None,  # draws the units that dropout sets to 0
) -> Network:
    """The network that `model` describes, for mini-batches of `batch` examples."""
    layers = build_layers(model, shape, outputs, batch, dtype=dtype, rng=rng)
    return Network(layers, parameters or Parameters(layers, dtype))


def build_layers(
    model: ModelConfig,
    shape: tuple[int, ...],
    outputs: int,
    batch: int,
    *,
    dtype: DTypeLike = np.float32,
    rng: np.random.Generator | None = None,
) -> list[Layer]:
    """Its layers, with the shapes of their parameters, which are not allocated yet."""
    rng = rng or np.random.default_rng(0)
    return list(_Builder(model, batch, dtype, rng).layers(shape, outputs))


def size_of(model: ModelConfig, shape: tuple[int, ...], outputs: int) -> tuple[int, int]:
    """Multiplications of a forward pass of one example, and the number of parameters.

    Computed without allocating anything, so that a network can be refused before it takes memory.
    """
    layers = build_layers(model, shape, outputs, 1)
    weighted = [layer for layer in layers if "W" in layer.shapes]
    work = sum(math.prod(x.shapes["W"]) * Channels(x.out.shape).samples for x in weighted)
    return work, sum(math.prod(of) for layer in layers for of in layer.shapes.values())


class _Builder:
    """Stacks layers; `_shape` is the output shape of the last one so far."""

    def __init__(
        self, model: ModelConfig, batch: int, dtype: DTypeLike, rng: np.random.Generator
    ) -> None:
        self._model, self._batch, self._dtype, self._rng = model, batch, dtype, rng
        self._activation = ACTIVATIONS.build(model.activation)
        # Maxout is the larger of two affine maps, which the layer below it computes.
        self._maps = 2 if isinstance(self._activation, Maxout) else 1
        self._reserved = 0

    def layers(self, shape: tuple[int, ...], outputs: int) -> Iterator[Layer]:
        if self._model.convolutions:
            yield from self._images(shape)
        else:
            self._shape: tuple[int, ...] = (self._batch, math.prod(shape))
        for number, units in enumerate(self._model.hidden, start=1):
            gain = self._activation.gain
            yield self._dense(f"dense {number}", self._maps * units, gain, first=number == 1)
            yield from self._nonlinear(str(number), f"hidden {number}")
            if self._model.dropout:
                yield Dropout(
                    f"dropout {number}", self._model.dropout, self._shape, self._dtype, self._rng
                )
        yield self._dense("scores", outputs, 1.0, first=not self._model.hidden)

    def _dense(self, name: str, units: int, gain: float, *, first: bool) -> Layer:
        inputs = self._shape[1]
        self._reserve(self._batch * (inputs + units))
        self._shape = (self._batch, units)
        first = first and not self._model.convolutions
        return Dense(name, inputs, units, self._batch, self._dtype, first=first, gain=gain)

    def _reserve(self, numbers: int) -> None:
        """Refuse layers that would need too many numbers per mini-batch, before allocating them."""
        self._reserved += numbers
        if self._reserved > limits().buffers:
            raise ValueError(
                f"for a batch of {self._batch:,} the network would hold {self._reserved:,} numbers"
                f" or more; at most {limits().buffers:,} are allowed: a smaller batch, fewer units"
                " or fewer filters"
            )

    def _nonlinear(self, number: str, name: str) -> Iterator[Layer]:
        normalize = NORMALIZATIONS.build(self._model.normalization)
        if normal := normalize(f"norm {number}", self._shape, self._dtype):
            yield normal
        layer = _nonlinearity(name, self._activation, self._shape, self._dtype)
        self._shape = layer.out.shape
        yield layer

    def _images(self, shape: tuple[int, ...]) -> Iterator[Layer]:
        if len(shape) not in (2, 3):
            raise ValueError(
                f"convolutions need images, but an example of this data is {shape[0]} numbers"
            )
        height, width, colours = (*shape, 1)[:3]
        unflatten = Unflatten("image", height, width, colours, self._batch, self._dtype)
        self._shape = unflatten.out.shape
        yield unflatten
        for number, convolution in enumerate(self._model.convolutions, start=1):
            yield from self._convolve(number, convolution)
        flatten = Flatten("flatten", self._shape, self._dtype)
        self._shape = flatten.out.shape
        yield flatten

    def _convolve(self, number: int, convolution: Convolution) -> Iterator[Layer]:
        self._reserve(self._windows(convolution))
        layer = Conv2D(
            f"conv {number}",
            self._shape,
            self._maps * convolution.filters,
            convolution.size,
            self._dtype,
            stride=convolution.stride,
            padding=convolution.padding,
            first=number == 1,
            gain=self._activation.gain,
        )
        self._shape = layer.out.shape
        yield layer
        yield from self._nonlinear(f"of conv {number}", f"maps {number}")
        if convolution.pool > 1:
            if convolution.pool > min(self._shape[1:3]):
                raise ValueError(
                    f"pooling by {convolution.pool} leaves nothing of maps of"
                    f" {self._shape[1]} x {self._shape[2]}"
                )
            pool = MaxPool2D(f"pool {number}", self._shape, convolution.pool, self._dtype)
            self._shape = pool.out.shape
            yield pool

    def _windows(self, convolution: Convolution) -> int:
        """Numbers in all windows of a convolution, and in its output."""
        channels, height, width, batch = self._shape
        size, stride, padding = convolution.size, convolution.stride, convolution.padding
        seen = channels * size * size + self._maps * convolution.filters
        return (
            seen
            * batch
            * math.prod(max(0, n + 2 * padding - size) // stride + 1 for n in (height, width))
        )


def _nonlinearity(
    name: str, activation: Activation, shape: tuple[int, ...], dtype: DTypeLike
) -> Layer:
    if isinstance(activation, PReLU):
        return PReLULayer(name, activation.start, shape, dtype)
    if isinstance(activation, Maxout):
        halved = [n // 2 if axis == (len(shape) != 4) else n for axis, n in enumerate(shape)]
        return MaxoutLayer(name, tuple(halved), dtype)
    return Activate(name, cast(Elementwise, activation), shape, dtype)

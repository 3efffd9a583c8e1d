"""The weights as images: those of the first layer as pictures, all others as matrices.

Of large layers only a part is shown, so that the images stay cheap to update.
"""

import itertools
import math
from dataclasses import dataclass
from typing import Any

from engine.nn.layers import Layer
from engine.training.training import Training
from engine.types import Array

MOST_FILTERS = 64
MOST_PIXELS = 10_240  # of all filters together: ten filters of 32 x 32
MOST_NUMBERS = 4_096  # of all matrices together
FEWEST = 10  # filters shown, if need be with fewer pixels each


@dataclass(frozen=True, slots=True, eq=False)
class Filters:
    """The weights from the inputs to each unit of the first layer, as pictures."""

    pictures: Array  # (M, H, W), or (M, H, W, 3) in colour
    units: int  # of the whole layer
    every: int  # this many pixels, across and down, are averaged to one
    turned_back: bool  # from principal components into pixels


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """The weights between two layers, or the upper left part of them."""

    layer: str
    values: Array  # (inputs, outputs), the first of both
    inputs: int  # of the whole layer
    outputs: int


@dataclass(frozen=True, slots=True)
class WeightImages:
    """The weights of a network, from the first layer to the last."""

    filters: Filters | None  # None unless the inputs are images
    matrices: tuple[Matrix, ...]  # of the following layers, or of all


def weight_images(training: Training) -> WeightImages:
    """The current weights as images."""
    layers = [layer for layer in training.network.layers if "W" in layer.params]
    filters = _filters(layers[0], training) if len(training.data.train.shape) > 1 else None
    others = layers[1:] if filters else layers
    most = MOST_NUMBERS // max(1, len(others))
    return WeightImages(filters, tuple(_matrix(layer, most) for layer in others))


def _matrix(layer: Layer, most: int) -> Matrix:
    """The upper left of the weights: at most `most` numbers, as square as possible."""
    W = layer.params["W"]
    inputs, outputs = W.shape
    columns = min(outputs, max(math.isqrt(most), most // inputs))
    values = W[: max(1, most // columns), :columns].copy()
    values.setflags(write=False)
    return Matrix(layer.name, values, inputs, outputs)


def _filters(layer: Layer, training: Training) -> Filters:
    W, shape = layer.params["W"], training.data.train.shape
    units = W.shape[1]
    convolutional = layer.out.ndim == 4
    side = math.isqrt(len(W) // (shape[2] if len(shape) == 3 else 1))
    height, width = (side, side) if convolutional else shape[:2]
    wanted = min(units, FEWEST)
    every = next(k for k in itertools.count(1) if _fitting(height, width, k) >= wanted)
    shown = W[:, : min(units, MOST_FILTERS, _fitting(height, width, every))]
    turned: Any = None if convolutional else training.data.transform
    turned_back = turned is not None and turned.scale.ndim == 2
    if turned_back:
        shown = turned.scale @ shown  # (x - shift) scale W
    if convolutional:
        pictures = shown.reshape(-1, height, width, shown.shape[1]).transpose(3, 1, 2, 0)
    else:
        pictures = shown.T.reshape(-1, height, width, len(W) // (height * width))
    pictures = _shrink(pictures, every)
    pictures.setflags(write=False)
    return Filters(pictures, units, every, turned_back)


def _fitting(height: int, width: int, every: int) -> int:
    """How many filters fit, if `every` pixels across become one."""
    pixels = max(1, height // every) * max(1, width // every)
    return MOST_PIXELS // pixels


def _shrink(pictures: Array, every: int) -> Array:  # (M, H, W, C) -> (M, h, w[, 3])
    """The mean of each square of pixels; incomplete squares at the right and bottom are cut off."""
    count, height, width, colours = pictures.shape
    down, across = min(every, height), min(every, width)
    h, w = height // down, width // across
    whole = pictures[:, : h * down, : w * across]
    small = whole.reshape(count, h, down, w, across, colours).mean(axis=(2, 4))
    return small[..., 0] if colours == 1 else small

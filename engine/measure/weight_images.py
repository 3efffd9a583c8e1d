"""The weights as one can look at them: of the first layer as pictures, of all others as matrices.

Of large ones a part is told, so that it can be looked at while it changes.
"""

import itertools
import math
from dataclasses import dataclass
from typing import Any

from engine.nn.layers import Layer
from engine.training.training import Training
from engine.types import Array

MOST_FILTERS = 64
MOST_PIXELS = 10_240  # of all filters together: ten of 32 x 32 pixels
MOST_NUMBERS = 4_096  # of all matrices together
FEWEST = 10  # filters that are shown, if need be with fewer pixels


@dataclass(frozen=True, slots=True, eq=False)
class Filters:
    """The weights from the pixels to each unit of the first layer, as pictures."""

    pictures: Array  # (F, H, W), or (F, H, W, 3) of coloured pixels
    units: int  # how many there are in all
    every: int  # pixels, across and down, whose mean weight is one pixel here
    turned_back: bool  # from the directions that preprocessing chose into pixels


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """The weights between two layers."""

    layer: str
    values: Array  # (inputs, outputs), the first of each
    inputs: int  # how many there are in all
    outputs: int


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of a network, from the first layer to the last."""

    filters: Filters | None  # of pictures
    matrices: tuple[Matrix, ...]  # of the layers after that, or of all


def show_weights(training: Training) -> Weights:
    """What the network has learned so far, as it is."""
    layers = [layer for layer in training.network.layers if "W" in layer.params]
    filters = _filters(layers[0], training) if len(training.data.train.shape) > 1 else None
    others = layers[1:] if filters else layers
    room = MOST_NUMBERS // max(1, len(others))
    return Weights(filters, tuple(_matrix(layer, room) for layer in others))


def _matrix(layer: Layer, room: int) -> Matrix:
    """The upper left part of the weights that has room, as square as can be."""
    W = layer.params["W"]
    inputs, outputs = W.shape
    columns = min(outputs, max(math.isqrt(room), room // inputs))
    values = W[: max(1, room // columns), :columns].copy()
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
    """How many filters there is room for, if so many pixels across become one."""
    pixels = max(1, height // every) * max(1, width // every)
    return MOST_PIXELS // pixels


def _shrink(pictures: Array, every: int) -> Array:  # (F, H, W, C) -> (F, h, w[, 3])
    """The mean of each square of pixels; what is left over at two edges is left out."""
    count, height, width, colours = pictures.shape
    down, across = min(every, height), min(every, width)
    h, w = height // down, width // across
    whole = pictures[:, : h * down, : w * across]
    small = whole.reshape(count, h, down, w, across, colours).mean(axis=(2, 4))
    return small[..., 0] if colours == 1 else small

"""Feature maps: the outputs of each convolutional layer for one image."""

import math
from dataclasses import dataclass

import numpy as np

from engine.training.build_network import build_network
from engine.training.training import Training
from engine.types import Array

MOST_PIXELS = 5_120  # shown per layer, over all its maps
MOST_MAPS = 32


@dataclass(frozen=True, slots=True, eq=False)
class LayerMaps:
    """The first feature maps of one layer, after the activation."""

    layer: str
    maps: Array  # (M, H, W), the first M
    count: int  # of all maps of the layer


@dataclass(frozen=True, slots=True, eq=False)
class FeatureMaps:
    """A validation image, and the feature maps of each convolutional layer."""

    picture: Array  # (H, W) or (H, W, 3), before preprocessing
    name: str  # of its class; empty in regression
    layers: tuple[LayerMaps, ...]


def feature_maps(training: Training) -> FeatureMaps | None:
    """The feature maps of the first validation example; None without convolutions."""
    model, data = training.config.model, training.data.validation
    if not model.convolutions:
        return None
    parameters = training.network.parameters
    network = build_network(
        model, data.shape, data.outputs, 1, parameters=parameters, dtype=training.dtype
    )
    network.forward(data.x[:1], train=False)
    layers = [layer for layer in network.layers if layer.shown and layer.out.ndim == 4]
    return FeatureMaps(
        picture(training, 0),
        data.classes[int(data.y[0])] if data.classes else "",
        tuple(_some(layer.name, layer.out[..., 0]) for layer in layers),
    )


def picture(training: Training, number: int) -> Array:  # (H, W) or (H, W, 3)
    """A validation example before preprocessing, in its own shape."""
    data = training.data
    row = number if data.validation.rows is None else int(data.validation.rows[number])
    pixels: Array = data.raw.x[row].reshape(data.raw.shape)
    return pixels


def _some(layer: str, out: Array) -> LayerMaps:
    """As many maps as fit, each with fewer pixels if not even one fits."""
    count, height, width = out.shape
    every = math.ceil(math.sqrt(height * width / MOST_PIXELS))
    maps = np.array(out[:, ::every, ::every][:MOST_MAPS])
    maps = maps[: max(1, MOST_PIXELS // maps[0].size)]
    maps.setflags(write=False)
    return LayerMaps(layer, maps, count)

"""The model summary: what each stage of the network computes, its size and its cost."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.nn.channels import Channels
from engine.nn.convolution import Conv2D, MaxPool2D
from engine.nn.dropout import Dropout
from engine.nn.layers import Layer
from engine.nn.normalization import BatchNorm
from engine.number_format import written
from engine.training.layer_specs import Convolution
from engine.training.training import Training


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """A layer with weights, and all that follows it up to the next one."""

    name: str  # of its output
    weights: str  # kind of weighted sum: dense, or filters and their size
    then: tuple[str, ...]  # what follows: normalization, activation, dropout, pooling
    shape: tuple[int, ...]  # of the output for one example: units, or height, width and maps
    parameters: int
    work: int  # multiplications of a forward pass of one example


def model_summary(training: Training) -> tuple[SummaryRow, ...]:
    """The stages of the network, from the first layer to the scores."""
    network = training.network
    groups: list[list[Layer]] = []
    for layer in network.layers:
        if "W" in layer.shapes:
            groups.append([])
        if groups:
            groups[-1].append(layer)
    return tuple(_row(group, network.batch, training) for group in groups)


def _row(group: list[Layer], batch: int, training: Training) -> SummaryRow:
    first, *others = group
    shaped = [layer for layer in group if layer.out.ndim == first.out.ndim]  # before `Flatten`
    last = shaped[-1].out.shape
    convolution = None
    if first.out.ndim == 4:
        convolution = _convolution_of(first, training)
    return SummaryRow(
        name=next((layer.name for layer in others if layer.shown), first.name),
        weights=f"filters {convolution.size}×{convolution.size}" if convolution else "dense",
        then=tuple(_words(others, training, convolution.pool if convolution else 1)),
        shape=(*last[1:3], last[0]) if convolution else last[1:],
        parameters=sum(int(np.prod(s)) for layer in group for s in layer.shapes.values()),
        work=first.params["W"].size * Channels(first.out.shape).samples // batch,
    )


def _words(layers: list[Layer], training: Training, pool: int) -> Iterator[str]:
    model = training.config.model
    for layer in layers:
        if layer.shown:
            yield model.activation.name
        elif isinstance(layer, BatchNorm):
            yield model.normalization.name
        elif isinstance(layer, Dropout):
            yield f"dropout {written(model.dropout)}"
        elif isinstance(layer, MaxPool2D):
            yield f"pool {pool}×{pool}"


def kind_of(layer: Layer, training: Training) -> str:
    """What a learner calls a layer: dense, filters 5×5, batch norm, ReLU, pool 2×2."""
    if isinstance(layer, Conv2D | MaxPool2D):
        convolution = _convolution_of(layer, training)
        size = convolution.size if isinstance(layer, Conv2D) else convolution.pool
        return f"{'filters' if isinstance(layer, Conv2D) else 'pool'} {size}×{size}"
    return next(_words([layer], training, 1), layer.name.rstrip(" 0123456789"))


def _convolution_of(layer: Layer, training: Training) -> Convolution:
    return training.config.model.convolutions[int(layer.name.rpartition(" ")[2]) - 1]

"""The decision surface: what the network predicts at every point of a plane, for 2-D data."""

import math
from dataclasses import dataclass

import numpy as np

from engine.data import Examples
from engine.measure.predictions import predictions_of, read_only, right_of, shares
from engine.nn.network import Network
from engine.training.training import Training
from engine.types import Array, Integers

COLUMNS = 80  # grid points across, and half as many down
FEWEST = 20  # ... for a network that is too large for 80
WORK = 4e8  # multiplications allowed for one surface: about 20 ms
MARGIN = 0.08  # around the examples, as a share of their extent
ALIKE = 4  # up to this ratio of the inputs' extents, both axes have the same scale
MOST_TRAINING, MOST_VALIDATION = 400, 200  # points drawn


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Some examples, as the network receives them, and its predictions."""

    x: Array  # (N, 2)
    right: Integers | Array  # (N,) true labels or values
    predicted: Integers | Array  # (N,) predicted ones


@dataclass(frozen=True, slots=True, eq=False)
class DecisionSurface:
    """The predictions on a grid twice as wide as high, with the examples in its middle."""

    left: float
    right: float
    bottom: float
    top: float
    predicted: Integers | Array  # (rows, columns) class or value, the lowest row first
    lead: Array | None  # margin of the best class over the second: 0 at borders, at most 1
    values: tuple[float, float]  # smallest and largest target
    training: Points
    validation: Points


def decision_surface(training: Training) -> DecisionSurface | None:
    """The predictions of the current weights; None if the inputs are not points of a plane."""
    train, validation = training.data.train, training.data.validation
    if train.shape != (2,):
        return None
    network = training.evaluators[0].network
    left, right, bottom, top = _frame(np.concatenate([train.x, validation.x]))
    places = WORK / network.work
    columns = 2 * int(np.clip(math.sqrt(places / 2), FEWEST // 2, COLUMNS // 2))
    x = _middles(left, right, columns)
    y = _middles(bottom, top, columns // 2)
    grid = np.stack([np.tile(x, len(y)), np.repeat(y, len(x))], axis=1)
    scores = _ask(network, grid)
    return DecisionSurface(
        left=left,
        right=right,
        bottom=bottom,
        top=top,
        predicted=read_only(predictions_of(scores, train).reshape(len(y), -1)),
        lead=_lead(scores, training).reshape(len(y), -1) if train.classes else None,
        values=(0.0, 0.0) if train.classes else _ends(train, validation),
        training=_points(network, train, min(MOST_TRAINING, max(100, int(places)))),
        validation=_points(network, validation, min(MOST_VALIDATION, max(50, int(places)))),
    )


def _ask(network: Network, x: Array) -> Array:  # (N, 2) -> (N, O)
    """The scores of any number of points; the last mini-batch is padded."""
    batch = network.batch
    full = np.zeros((math.ceil(len(x) / batch), batch, x.shape[1]), x.dtype)
    full.reshape(-1, x.shape[1])[: len(x)] = x
    scores = [network.forward(piece, train=False).copy() for piece in full]
    return np.concatenate(scores)[: len(x)]


def _lead(scores: Array, training: Training) -> Array:  # (N,) 0 to 1
    """The margin of the best class: in probability, or in score where the loss has none."""
    known = shares(scores, training.config)
    ranked = np.sort(scores if known is None else known, axis=1)
    lead: Array = np.clip(ranked[:, -1] - ranked[:, -2], 0, 1)
    lead.setflags(write=False)
    return lead


def _points(network: Network, examples: Examples, most: int) -> Points:
    x: Array = examples.x[:most].view()
    x.setflags(write=False)
    predicted = predictions_of(_ask(network, x), examples)
    return Points(x, read_only(right_of(examples)[:most]), read_only(predicted))


def _frame(x: Array) -> tuple[float, float, float, float]:
    """Left, right, bottom and top of a frame around the points, with a margin."""
    low, high = x.min(axis=0).astype(float), x.max(axis=0).astype(float)
    half = np.maximum(high - low, 1e-9) * (0.5 + MARGIN)
    if half.max() <= ALIKE * half.min():
        half[:] = half.max()
    (x0, y0), (dx, dy) = (low + high) / 2, half
    return float(x0 - 2 * dx), float(x0 + 2 * dx), float(y0 - dy), float(y0 + dy)


def _middles(low: float, high: float, count: int) -> Array:
    return (low + (high - low) * (np.arange(count) + 0.5) / count).astype(np.float32)


def _ends(*parts: Examples) -> tuple[float, float]:
    known = np.concatenate([right_of(part) for part in parts])
    return float(known.min()), float(known.max())

"""Predictions on the validation set: the confusion matrix, and the hardest examples."""

import math
from dataclasses import dataclass

import numpy as np

from engine.data import Examples
from engine.measure.feature_maps import picture
from engine.nn.losses import LOSSES, SoftmaxCrossEntropy
from engine.training.config import RunConfig
from engine.training.training import Training
from engine.types import Array, Integers

HARDEST = 16
MOST_CLASSES = 100  # of a confusion matrix
SIDE = 32  # pixels, at most, of an image that is shown; larger ones are subsampled


@dataclass(frozen=True, slots=True, eq=False)
class HardExample:
    """A validation example with a large loss."""

    number: int  # in the validation set
    picture: Array | None  # (H, W) or (H, W, 3) as it was before preprocessing; None for tables
    right: float  # the true label or value
    predicted: float
    probability: float  # of the predicted class; NaN if the loss defines none
    loss: float
    unusual: int  # index of the input that lies farthest from its mean
    deviation: float  # its distance from the mean, in standard deviations


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """The predictions on the validation examples."""

    right: Integers | Array  # (N,) true labels or values
    predicted: Integers | Array  # (N,) predicted ones
    confusion: Integers | None  # (C, C) examples by true class (row) and predicted class
    hardest: tuple[HardExample, ...]  # the largest loss first


def shares(scores: Array, config: RunConfig) -> Array | None:  # (N, C)
    """The probabilities of the classes, if the loss turns scores into probabilities."""
    if not isinstance(LOSSES.build(config.optimization.loss), SoftmaxCrossEntropy):
        return None
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    probabilities: Array = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def predictions(training: Training) -> Predictions:
    """The predictions of the current weights."""
    evaluator, data = training.evaluators[1], training.data.validation
    scores = evaluator.predict()
    known = shares(scores, training.config)
    losses = evaluator.losses()
    right, predicted = right_of(data)[: len(scores)], predictions_of(scores, data)
    order = np.argsort(-np.where(np.isnan(losses), math.inf, losses), kind="stable")
    hardest = order[:HARDEST]
    unusual = _unusual(training, len(scores), hardest)
    return Predictions(
        read_only(right),
        read_only(predicted),
        _confusion(right, predicted, data),
        tuple(
            HardExample(
                number=int(n),
                picture=small(picture(training, int(n))) if len(data.shape) > 1 else None,
                right=float(right[n]),
                predicted=float(predicted[n]),
                probability=math.nan if known is None else float(known[n].max()),
                loss=float(losses[n]),
                unusual=where,
                deviation=far,
            )
            for n, (where, far) in zip(hardest, unusual, strict=True)
        ),
    )


def right_of(examples: Examples) -> Integers | Array:  # (N,)
    """The true label of each example, or the first of its targets."""
    return examples.y if examples.classes else examples.y[:, 0]


def predictions_of(scores: Array, examples: Examples) -> Integers | Array:  # (N,)
    """The class with the highest score, or the first predicted value in the data's units."""
    return scores.argmax(axis=1) if examples.classes else examples.in_units(scores)[:, 0].copy()


def read_only[A: np.ndarray](values: A) -> A:
    """A read-only view of the numbers."""
    view = values.view()
    view.setflags(write=False)
    return view


def _confusion(
    right: Integers | Array, predicted: Integers | Array, examples: Examples
) -> Integers | None:
    classes = len(examples.classes)
    if not 0 < classes <= MOST_CLASSES:
        return None
    places = (right * classes + predicted).astype(np.intp)
    counts = np.bincount(places, minlength=classes**2).reshape(classes, classes)
    counts.setflags(write=False)
    return counts


def small(pixels: Array) -> Array:  # (H, W) or (H, W, 3)
    """A picture with fewer pixels, if it has too many to be shown."""
    every = math.ceil(max(pixels.shape[:2]) / SIDE)
    return pixels[::every, ::every]


def _unusual(training: Training, count: int, chosen: Integers) -> list[tuple[int, float]]:
    """For each example its most unusual input, and that input's distance from the mean in std."""
    data = training.data
    rows = data.validation.rows
    if len(data.train.shape) > 1 or rows is None:
        return [(0, math.nan)] * len(chosen)
    x = data.raw.x[rows[:count]].astype(np.float64)
    spread = x.std(axis=0)
    far = (x[chosen] - x.mean(axis=0)) / np.where(spread > 0, spread, math.inf)
    where = np.abs(far).argmax(axis=1)
    return [(int(n), float(row[n])) for n, row in zip(where, far, strict=True)]

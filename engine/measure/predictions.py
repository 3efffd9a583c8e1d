"""What a network says of the validation examples: what it takes for what, what it finds hard."""

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
MOST_CLASSES = 100  # that a table is counted for
SIDE = 32  # pixels of a picture that is shown; of larger ones every other pixel, or fewer


@dataclass(frozen=True, slots=True, eq=False)
class Hard:
    """A validation example that the network finds hard."""

    number: int  # among the validation examples
    picture: Array | None  # (H, W) or (H, W, 3) as it was before preprocessing; None of tables
    right: float  # the label, or the value
    said: float
    probability: float  # of what the network said; NaN where its scores are no probabilities
    loss: float
    unusual: int  # the input, from 0, that lies farthest from its mean
    deviation: float  # ... by so many standard deviations


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What the network says of the validation examples that it is judged on."""

    right: Integers | Array  # (N,) labels, or values
    said: Integers | Array  # (N,)
    confusion: Integers | None  # (C, C) how often the right class (row) is taken for another
    hardest: tuple[Hard, ...]  # the largest loss first


def shares(scores: Array, config: RunConfig) -> Array | None:  # (N, C)
    """The probabilities that scores stand for, if the loss takes them for such."""
    if not isinstance(LOSSES.build(config.optimization.loss), SoftmaxCrossEntropy):
        return None
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    probabilities: Array = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def show_answers(training: Training) -> Answers:
    """The answers as things stand."""
    judge, data = training.judges[1], training.data.validation
    scores = judge.answer()
    known = shares(scores, training.config)
    losses = judge.losses()
    right, said = right_of(data)[: len(scores)], said_of(scores, data)
    order = np.argsort(-np.where(np.isnan(losses), math.inf, losses), kind="stable")
    hardest = order[:HARDEST]
    unusual = _unusual(training, len(scores), hardest)
    return Answers(
        lasting(right),
        lasting(said),
        _confusion(right, said, data),
        tuple(
            Hard(
                number=int(n),
                picture=_small(picture(training, int(n))) if len(data.shape) > 1 else None,
                right=float(right[n]),
                said=float(said[n]),
                probability=math.nan if known is None else float(known[n].max()),
                loss=float(losses[n]),
                unusual=where,
                deviation=far,
            )
            for n, (where, far) in zip(hardest, unusual, strict=True)
        ),
    )


def right_of(examples: Examples) -> Integers | Array:  # (N,)
    """The label of each example, or the first of its values."""
    return examples.y if examples.classes else examples.y[:, 0]


def said_of(scores: Array, examples: Examples) -> Integers | Array:  # (N,)
    """The class with the highest score, or the first of the values, in the units of the data."""
    return scores.argmax(axis=1) if examples.classes else examples.in_units(scores)[:, 0].copy()


def lasting(values: Integers | Array) -> Integers | Array:
    """The same numbers, that nobody can write to."""
    view = values.view()
    view.setflags(write=False)
    return view


def _confusion(
    right: Integers | Array, said: Integers | Array, examples: Examples
) -> Integers | None:
    classes = len(examples.classes)
    if not 0 < classes <= MOST_CLASSES:
        return None
    places = (right * classes + said).astype(np.intp)
    counts = np.bincount(places, minlength=classes**2).reshape(classes, classes)
    counts.setflags(write=False)
    return counts


def _small(pixels: Array) -> Array:
    every = math.ceil(max(pixels.shape[:2]) / SIDE)
    return pixels[::every, ::every]


def _unusual(training: Training, count: int, chosen: Integers) -> list[tuple[int, float]]:
    """Of each example the input that is farthest from usual, and how far, in deviations."""
    data = training.data
    rows = data.validation.rows
    if len(data.train.shape) > 1 or rows is None:
        return [(0, math.nan)] * len(chosen)
    x = data.raw.x[rows[:count]].astype(np.float64)
    spread = x.std(axis=0)
    far = (x[chosen] - x.mean(axis=0)) / np.where(spread > 0, spread, math.inf)
    where = np.abs(far).argmax(axis=1)
    return [(int(n), float(row[n])) for n, row in zip(where, far, strict=True)]

"""Toy problems: points on a plane, drawn anew for each run, whose solution can be seen.

Inputs lie between about −1 and 1. Class sizes differ by at most one example; classes alternate, and
`split` shuffles them. Unless an entry says otherwise, `noise` is the standard deviation of what is
added to both coordinates, or to the value to predict.
"""

from typing import Annotated

import numpy as np

from engine.data.examples import DATASETS, Examples
from engine.registry import Range
from engine.types import Array, Integers

Count = Annotated[
    int,
    Range(50, 5000, "log", whole=True),
    "How many examples are drawn: fewer are overfitted sooner.",
]
Classes = Annotated[int, Range(2, 8, whole=True), "How many classes there are to tell apart."]
Noise = Annotated[
    float, Range(0, 0.5), "How far examples stray from their place: with more, classes overlap."
]

# TensorFlow Playground's "Multi gaussian", scaled from its square of -6 to 6: x1, x2, sign.
BUMPS = np.array([(-8, 5, 1), (0, 5, -1), (8, 5, 1), (-8, -5, -1), (0, -5, 1), (8, -5, -1)]) / (
    *(12, 12, 1),
)
BUMP_RADIUS = 1 / 3


@DATASETS.register("circle")
def circle(
    rng: np.random.Generator,
    *,
    examples: Count = 500,
    classes: Classes = 2,
    noise: Noise = 0.05,
) -> Examples:
    """A disc within rings, one a class: no straight line separates them."""
    labels = _turns(examples, classes)
    radius = (labels + 0.7 * rng.uniform(size=examples)) / (classes - 0.3)  # gaps of 0.3
    points = radius[:, None] * _direction(rng.uniform(0, 2 * np.pi, examples))
    return _classified(points + _jitter(rng, examples, noise), labels)


@DATASETS.register("xor")
def xor(
    rng: np.random.Generator,
    *,
    examples: Count = 500,
    classes: Classes = 2,
    noise: Noise = 0.05,
) -> Examples:
    """A chessboard with as many rows as classes, whose colours alternate; with two it is XOR."""
    labels = _turns(examples, classes)
    column = rng.integers(classes, size=examples)
    cell = np.stack([column, (labels - column) % classes], axis=1)
    inside = rng.uniform(0.1, 0.9, (examples, 2))  # keeps a distance from the border of the cell
    points = 2 * (cell + inside) / classes - 1
    return _classified(points + _jitter(rng, examples, noise), labels)


@DATASETS.register("Gaussians")
def gaussians(
    rng: np.random.Generator,
    *,
    examples: Count = 500,
    classes: Classes = 2,
    noise: Noise = 0.2,
) -> Examples:
    """Round clouds, one a class, around the corners of a polygon; noise is how wide they are."""
    labels = _turns(examples, classes)
    centres = 0.7 * _direction(2 * np.pi * labels / classes + np.pi / 4)
    return _classified(centres + _jitter(rng, examples, noise), labels)


@DATASETS.register("spiral")
def spiral(
    rng: np.random.Generator,
    *,
    examples: Count = 500,
    classes: Classes = 3,
    noise: Noise = 0.2,
) -> Examples:
    """Arms that wind around each other, one a class (Stanford's CS231n); noise is in radians."""
    labels = _turns(examples, classes)
    along = (np.arange(examples) // classes + 1) / np.ceil(examples / classes)  # 0 to 1
    angle = 2 * np.pi * labels / classes + 4 * along + noise * rng.standard_normal(examples)
    return _classified(along[:, None] * _direction(angle), labels)


@DATASETS.register("moons")
def moons(
    rng: np.random.Generator,
    *,
    examples: Count = 500,
    noise: Noise = 0.1,
) -> Examples:
    """Two crescents, each with a tip in the other's hollow."""
    labels = _turns(examples, 2)
    sign = 1 - 2 * labels[:, None]  # the second crescent is the first, rotated by 180°
    points = sign * (_direction(rng.uniform(0, np.pi, examples)) - (0.5, 0.25)) / 1.5
    return _classified(points + _jitter(rng, examples, noise), labels)


@DATASETS.register("plane")
def plane(rng: np.random.Generator, *, examples: Count = 500, noise: Noise = 0.05) -> Examples:
    """A value to predict, the mean of both coordinates: a linear network is enough."""
    points = rng.uniform(-1, 1, (examples, 2))
    return _valued(points, points.mean(axis=1) + noise * rng.standard_normal(examples))


@DATASETS.register("bumps")
def bumps(rng: np.random.Generator, *, examples: Count = 500, noise: Noise = 0.05) -> Examples:
    """A value to predict: three hills and three hollows on flat ground."""
    points = rng.uniform(-1, 1, (examples, 2))
    distance = np.linalg.norm(points[:, None] - BUMPS[:, :2], axis=2)  # (N, 6)
    value = np.maximum(0, 1 - distance / BUMP_RADIUS) @ BUMPS[:, 2]
    return _valued(points, value + noise * rng.standard_normal(examples))


def _turns(examples: int, classes: int) -> Integers:  # (N,) labels
    return np.arange(examples) % classes


def _direction(angle: Array) -> Array:  # (N, 2)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _jitter(rng: np.random.Generator, examples: int, noise: float) -> Array:  # (N, 2)
    return noise * rng.standard_normal((examples, 2))


def _classified(points: Array, labels: Integers) -> Examples:
    names = tuple(str(label + 1) for label in range(labels.max() + 1))
    return Examples(points.astype(np.float32), labels, names, (2,))


def _valued(points: Array, value: Array) -> Examples:
    return Examples(points.astype(np.float32), value[:, None].astype(np.float32), (), (2,))

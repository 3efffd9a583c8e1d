"""A set of labelled examples, and its division into a training and a validation part."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.registry import Registry
from engine.types import Array, Integers


@dataclass(frozen=True)
class Examples:
    """Labelled examples, ready for a network."""

    x: Array  # (N, I) inputs
    labels: Integers  # (N,) 0 ... C-1
    classes: tuple[str, ...]  # their names
    shape: tuple[int, ...]  # of one example: (8, 8) for an image

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: Integers) -> "Examples":
        """The examples at `rows`, in that order."""
        return Examples(self.x[rows], self.labels[rows], self.classes, self.shape)

    def one_hot(self, dtype: np.typing.DTypeLike) -> Array:  # (N, C)
        """A 1 in the column of each example's class, 0 elsewhere."""
        return np.eye(len(self.classes), dtype=dtype)[self.labels]


@dataclass(frozen=True)
class Split:
    """What is learned from, and what only judges."""

    train: Examples
    validation: Examples


DATASETS: Registry[Callable[[], Examples]] = Registry("data set")


def split(examples: Examples, held_out: float, rng: np.random.Generator) -> Split:
    """Shuffle, then keep the share `held_out` of the examples for validation."""
    rows = rng.permutation(len(examples))
    kept = max(1, round(held_out * len(examples)))
    if kept >= len(examples):
        raise ValueError(
            f"holding out {held_out:g} of {len(examples)} examples leaves none to train on"
        )
    return Split(examples.take(rows[kept:]), examples.take(rows[:kept]))

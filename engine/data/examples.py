"""A set of examples with their right answers, and its division into training and validation."""

import functools
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.data.preprocessing import Transform
from engine.data.target_scaling import TargetTransform
from engine.registry import Registry
from engine.types import Array, Integers


@dataclass(frozen=True, eq=False)
class Examples:
    """Examples and their right answers: a class each, or values to predict."""

    x: Array  # (N, I) inputs
    y: Integers | Array  # labels (N,), 0 ... C-1; or values to predict (N, O)
    classes: tuple[str, ...]  # their names; empty where values are to be predicted
    shape: tuple[int, ...]  # of one example: (8, 8) grey pixels, (32, 32, 3) coloured, (2,) numbers
    rows: Integers | None = None  # (N,) where they were among those they were taken from
    scaling: TargetTransform | None = None  # of values to predict, which `y` holds unscaled
    columns: tuple[str, ...] = ()  # what the inputs are called; empty where they have no names
    judging: NDArray[np.bool_] | None = None  # (N,) those that their file keeps for validation

    def __len__(self) -> int:
        return len(self.x)

    @property
    def outputs(self) -> int:
        """How many outputs a network needs: one a class, or one a value."""
        return len(self.classes) or int(self.y.shape[1])

    def take(self, rows: Integers) -> "Examples":
        """The examples at `rows`, in that order."""
        origin = rows if self.rows is None else self.rows[rows]
        judging = None if self.judging is None else self.judging[rows]
        return replace(self, x=self.x[rows], y=self.y[rows], rows=origin, judging=judging)

    @functools.cached_property
    def target(self) -> Array:  # (N, O)
        """What the outputs ought to be: 1 for the right class and 0 elsewhere, or scaled values."""
        kind = self.x.dtype
        if self.classes:
            target = np.eye(self.outputs, dtype=kind)[self.y]
        else:
            target = (self.scaling(self.y) if self.scaling else self.y).astype(kind)
        target.setflags(write=False)
        return target

    def in_units(self, outputs: Array) -> Array:  # (N, O)
        """What a network puts out, in the units of `y`."""
        return self.scaling.undo(outputs) if self.scaling else outputs


@dataclass(frozen=True)
class Split:
    """What is learned from, what only judges, and what both were before preprocessing."""

    train: Examples
    validation: Examples
    raw: Examples  # all there are, as they were loaded: the `rows` of the others count these
    transform: Transform | None = None  # what turned them into what the network sees


class DataSet(Protocol):
    """Yields its examples; one that is made up draws them from `rng`."""

    def __call__(self, rng: np.random.Generator) -> Examples: ...


DATASETS: Registry[DataSet] = Registry("data set")

"""Examples with their targets, and their split into training and validation sets."""

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
    """Examples and their targets: a class each, or values to predict."""

    x: Array  # (N, I) inputs
    y: Integers | Array  # labels (N,), 0 ... C-1; or targets (N, O) in regression
    classes: tuple[str, ...]  # their names; empty in regression
    shape: tuple[int, ...]  # of one example: (8, 8) grey pixels, (32, 32, 3) colour, (2,) numbers
    rows: Integers | None = None  # (N,) row numbers in the data they were taken from
    scaling: TargetTransform | None = None  # of targets in regression, which `y` holds unscaled
    columns: tuple[str, ...] = ()  # names of the inputs; empty if they have none
    for_validation: NDArray[np.bool_] | None = None  # (N,) those of the test set of their file

    def __len__(self) -> int:
        return len(self.x)

    @property
    def outputs(self) -> int:
        """The number of outputs a network needs: one per class, or one per value."""
        return len(self.classes) or int(self.y.shape[1])

    def take(self, rows: Integers) -> "Examples":  # (M,)
        """The examples at `rows`, in that order."""
        origin = rows if self.rows is None else self.rows[rows]
        for_validation = None if self.for_validation is None else self.for_validation[rows]
        return replace(
            self, x=self.x[rows], y=self.y[rows], rows=origin, for_validation=for_validation
        )

    @functools.cached_property
    def target(self) -> Array:  # (N, O)
        """The desired outputs: one-hot classes, or scaled values."""
        kind = self.x.dtype
        if self.classes:
            target = np.eye(self.outputs, dtype=kind)[self.y]
        else:
            target = (self.scaling(self.y) if self.scaling else self.y).astype(kind)
        target.setflags(write=False)
        return target

    def in_units(self, outputs: Array) -> Array:  # (N, O)
        """Outputs of a network in the units of `y`."""
        return self.scaling.undo(outputs) if self.scaling else outputs


@dataclass(frozen=True)
class Split:
    """The training set, the validation set, and the raw data of both."""

    train: Examples
    validation: Examples
    raw: Examples  # all examples before preprocessing, to which the `rows` of the others refer
    transform: Transform | None = None  # the preprocessing that was applied


class DataSet(Protocol):
    """Returns its examples; a toy problem draws them from `rng`."""

    def __call__(self, rng: np.random.Generator) -> Examples: ...


DATASETS: Registry[DataSet] = Registry("data set")

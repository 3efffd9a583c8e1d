"""Inputs and targets from arrays: numbers or pixels, and targets of any usual shape.

A ValueError says which shape or type was found, and what was expected.
"""

import numpy as np

from engine.data.answers import class_names, labelled
from engine.data.files import LARGEST, check_shape
from engine.data.reading import Reading
from engine.data.table.target import FEW
from engine.number_format import written
from engine.types import Array, Integers

MAX_VALUES = 100  # targets of one example


def inputs(x: np.ndarray, name: str) -> tuple[Array, tuple[int, ...]]:
    """Inputs `(N, I)`, and the shape of one example."""
    if x.dtype.kind == "U" or x.ndim < 2:
        raise ValueError(f"{name}: expected numbers (N, ...) in x, found {x.dtype} {x.shape}")
    if x.ndim == 4 and x.shape[3] not in (1, 3):
        raise ValueError(f"{name}: x has the shape {x.shape}; expected 1 or 3 colours, last")
    check_shape(x.shape, name)
    shape = x.shape[1:3] if x.shape[3:] == (1,) else x.shape[1:]
    flat = _small(x.reshape(len(x), -1), "x", name)
    if x.dtype == np.uint8:
        flat = flat.astype(np.float32)
        flat /= 255
    return flat, shape


def _small(values: np.ndarray, key: str, name: str) -> Array:
    """The values, checked to be so small that their squares are finite in float32."""
    if not (float(values.min()) > -LARGEST and float(values.max()) < LARGEST):  # no NaN is
        row = int(np.all(np.abs(values.astype(float)) < LARGEST, axis=1).argmin())
        raise ValueError(
            f"{name}: {key}[{row}] holds a number not below {written(LARGEST)}, or NaN"
        )
    return values.astype(np.float32 if values.dtype.itemsize <= 2 else _precise(values))


def _precise(values: np.ndarray) -> np.dtype:
    """The precision that keeps the numbers exact until they are scaled."""
    return np.dtype(np.float32 if values.dtype == np.float32 else np.float64)


def simple(y: np.ndarray, name: str) -> np.ndarray:
    """Targets without superfluous axes, and one-hot labels as numbers."""
    if y.ndim == 2 and y.shape[1] == 1:
        return y[:, 0]
    if y.ndim == 2 and y.dtype.kind in "bfiu" and y.shape[1] > 1 and _is_one_hot(y):
        return y.argmax(axis=1)
    return y


def _is_one_hot(y: np.ndarray) -> bool:
    """Whether each row is 1 in one column and 0 elsewhere, and no column is unused."""
    return bool(
        np.isin(y, (0, 1)).all() and (y.sum(axis=1) == 1).all() and (y.sum(axis=0) > 0).sum() > 1
    )


def tells_values(y: np.ndarray, reading: Reading, classes: np.ndarray | None) -> bool:
    """Whether targets are values: as the reading sets, or unless they are few whole numbers."""
    if y.dtype.kind in "US" or (y.ndim > 1 and y.dtype.kind != "f"):
        return False
    if reading.task is not None:
        return reading.task == "values"
    if y.dtype.kind != "f" or classes is not None:
        return False
    if y.ndim > 1 or not np.isfinite(y).all():
        return True
    distinct = np.unique(y)
    return len(distinct) > min(FEW, len(y) / 2) or bool((distinct != np.round(distinct)).any())


def values(y: np.ndarray, name: str) -> Array:  # (N, O)
    """Targets of a regression."""
    if y.ndim > 2 or y.shape[1:] > (MAX_VALUES,):
        raise ValueError(f"{name}: y has the shape {y.shape}; expected 1 to {MAX_VALUES} values")
    return _small(y.reshape(len(y), -1), "y", name)


def labels(
    y: np.ndarray, classes: np.ndarray | None, name: str
) -> tuple[Integers, tuple[str, ...]]:
    """Labels `(N,)`, and the names of the classes that they number."""
    if y.ndim > 1:
        raise ValueError(f"{name}: y has the shape {y.shape}; expected one label an example")
    if y.dtype.kind == "f":
        y = _small(y[:, None], "y", name)[:, 0]
        y = y.astype(np.int64) if (y == np.round(y)).all() else y
    if classes is None:
        return labelled(_listed(y, "y", name), name)
    if classes.dtype.kind != "U" or classes.ndim != 1 or y.dtype.kind == "U":
        raise ValueError(f"{name}: classes must name the whole numbers of y, found {classes.dtype}")
    names = class_names(_listed(classes, "classes", name), name)
    if y.min() < 0 or y.max() >= len(names):
        raise ValueError(
            f"{name}: y goes from {y.min()} to {y.max()}; {len(names)} classes are named"
        )
    return y.astype(np.int64), names


def _listed(array: np.ndarray, key: str, name: str) -> list[str]:
    try:
        return list(array.tolist())
    except ValueError:  # a code point that does not exist
        raise ValueError(f"{name}: {key} holds text that is not Unicode") from None

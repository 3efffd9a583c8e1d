"""Reads arrays of the user's own: NPZ as `np.savez` and `np.savez_compressed` write it, and NPY.

A ValueError says in one sentence why a file is refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from engine.data.array_answers import inputs, labels, simple, tells_values, values
from engine.data.description import DataDescription, Source, describe_examples
from engine.data.examples import Examples
from engine.data.files import MAX_BYTES, check_shape, read_only_examples
from engine.data.npy import members, parse, unpacked
from engine.data.reading import AS_FOUND, Reading
from engine.data.table.grid import Cells, Grid
from engine.data.tables import Table

INPUTS = ("x", "data", "features", "images", "inputs")
ANSWERS = ("y", "target", "targets", "labels", "label")
PAIRS = (  # names of inputs and targets, of the training set and of the test set, if there is one
    *((x, y) for x in INPUTS for y in ANSWERS),
    *((f"x_{part}", f"y_{part}") for part in ("train", "training")),
    *(
        (f"{part}_{x}", f"{part}_{y}")
        for part in ("train", "training")
        for x in INPUTS
        for y in ANSWERS
    ),
    *((f"{x}_train", f"{y}_train") for x in INPUTS for y in ANSWERS),
    ("arr_0", "arr_1"),
)
VALIDATION_NAMES = ("test", "val", "validation", "valid")


@dataclass(frozen=True, eq=False)
class Pair:
    """An array of the training set, and the one of the test set, if there is one."""

    train_name: str
    train: np.ndarray
    test: str | None = None
    validation: np.ndarray | None = None

    @property
    def array(self) -> np.ndarray:
        """Both, concatenated."""
        return (
            self.train if self.validation is None else np.concatenate([self.train, self.validation])
        )


class Arrays:
    """Arrays that have been read, whose task can still be chosen."""

    def __init__(self, x: Pair, y: Pair, classes: np.ndarray | None, name: str) -> None:
        self._x, self._y, self._classes, self._name = x, y, classes, name
        self._made: dict[Reading, Examples] = {}

    def examples(self, reading: Reading = AS_FOUND) -> Examples:
        """The examples under a reading; equal readings share one result."""
        if reading not in self._made:
            self._made[reading] = self._build(reading)
        return self._made[reading]

    def describe(self, reading: Reading = AS_FOUND) -> DataDescription:
        """A description of the arrays."""
        examples = self.examples(reading)
        notices = ["Bytes are taken for pixels: 0 to 255 becomes 0 to 1."]
        notices = notices if self._x.train.dtype == np.uint8 else []
        if examples.for_validation is not None:
            kept = int(examples.for_validation.sum())
            notices.append(f"{self._x.test}: {kept:,} examples are kept for validation.")
        return describe_examples(examples, self._y.train_name, notices)

    def _build(self, reading: Reading) -> Examples:
        name = self._name
        if reading.target not in (None, self._y.train_name) or reading.missing:
            raise ValueError(
                f"{name}: has arrays, not columns; only data.task can be chosen of them"
            )
        x, shape = inputs(self._x.array, name)
        y = simple(self._y.array, name)
        if len(y) != len(x):
            raise ValueError(
                f"{name}: {self._x.train_name} holds {len(x):,} examples,"
                f" but {self._y.train_name} {len(y):,} answers"
            )
        if tells_values(y, reading, self._classes):
            made = read_only_examples(x, values(y, name), (), shape)
        else:
            made = read_only_examples(x, *labels(y, self._classes, name), shape)
        if self._x.test is None:
            return made
        for_validation = np.arange(len(x)) >= len(self._x.train)
        for_validation.setflags(write=False)
        return replace(made, for_validation=for_validation)


def read_npz(raw: bytes, name: str, most: int = MAX_BYTES) -> Examples:
    """Read inputs `x` (N, ...), targets `y`, and optionally `classes`, the names of 0, 1, 2 ..."""
    return read_arrays(raw, name, most).examples()


def read_arrays(raw: bytes, name: str, most: int = MAX_BYTES) -> Arrays:
    """Read the arrays of an archive, under any of their usual names, in upper or lower case.

    Unsigned bytes in `x` are taken for pixels and scaled to 0 ... 1; the shape is kept, colours
    last. At most `most` bytes are unpacked.
    """
    archive, listed = members(raw, name)
    found = {key.lower(): key for key in listed}
    pair = next(((x, y) for x, y in PAIRS if x in found and y in found), None)
    if pair is None:
        names = ", ".join(listed) or "none"
        raise ValueError(f"{name}: expected arrays x and y, or x_train and y_train, found {names}")
    validation = _validation_pair(pair, found)
    wanted = [*pair, *(validation or ()), *(["classes"] if "classes" in found else [])]
    size = sum(listed[found[key]].file_size for key in wanted)  # this much is unpacked
    if size > most:
        raise ValueError(f"{name}: unpacks to {size:,} bytes; at most {most:,} can be read")
    arrays = {
        key: parse(unpacked(archive, listed[found[key]], name), found[key], name) for key in wanted
    }
    x, y = (_pair(n, pair, validation, arrays, found) for n in (0, 1))
    _check_alike(x, y, name)
    return Arrays(x, y, arrays.get("classes"), name)


def read_npy(raw: bytes, name: str) -> Source:
    """Read a table of numbers `(N, columns)` saved by NumPy: its columns have no names."""
    array = parse(raw, "the array", name)
    if array.ndim != 2 or array.shape[1] < 2 or array.dtype.kind not in "bfiu":
        raise ValueError(
            f"{name}: expected numbers (N, 2 or more), inputs, and the target last, found"
            f" {array.dtype} {array.shape}"
        )
    check_shape(array.shape, name)
    values = array.astype(float)
    names = [str(n + 1) for n in range(array.shape[1])]
    lines = range(1, len(array) + 1)
    columns: list[Cells] = [np.ascontiguousarray(column) for column in values.T]
    return Table(Grid(name, names, columns, lines, header=False))


def _validation_pair(pair: tuple[str, str], found: Mapping[str, str]) -> tuple[str, str] | None:
    """The names of the test set's arrays, if the pair is a training set and has them."""
    for part in VALIDATION_NAMES:
        x, y = (re.sub("train(ing)?", part, key) for key in pair)
        if (x, y) != pair and x in found and y in found:
            return x, y
    return None


def _pair(
    n: int,
    pair: tuple[str, str],
    validation: tuple[str, str] | None,
    arrays: Mapping[str, np.ndarray],
    found: Mapping[str, str],
) -> Pair:
    train = pair[n]
    if validation is None:
        return Pair(found[train], arrays[train])
    return Pair(found[train], arrays[train], found[validation[n]], arrays[validation[n]])


def _check_alike(x: Pair, y: Pair, name: str) -> None:
    """Refuse a test set whose arrays do not fit those of the training set."""
    for pair in (x, y):
        if pair.validation is not None and pair.validation.shape[1:] != pair.train.shape[1:]:
            raise ValueError(
                f"{name}: {pair.train_name} has the shape {pair.train.shape},"
                f" but {pair.test} {pair.validation.shape}"
            )
    if (
        x.validation is not None
        and y.validation is not None
        and len(x.validation) != len(y.validation)
    ):
        raise ValueError(
            f"{name}: {x.test} holds {len(x.validation):,} examples, but {y.test}"
            f" {len(y.validation):,} answers"
        )

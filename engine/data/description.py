"""Describes a data set, in the same way for the page, the data folder and the command line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.data.examples import Examples
from engine.data.reading import AS_FOUND, Reading

MOST_LISTED = 1000  # columns in a description: an image has one per pixel
UNEVEN = 10  # ratio of class sizes above which classes are called uneven


@dataclass(frozen=True)
class Column:
    """One column: what it holds, and how it is used."""

    name: str
    kind: str  # number, class, text, date, index, constant
    use: str  # input, one-hot, target, left out
    span: str = ""  # smallest and largest value, or number of distinct ones


@dataclass(frozen=True)
class DataDescription:
    """A description of a data set before training."""

    examples: int
    inputs: int
    classes: dict[str, int] | None  # examples of each class; None in regression
    target: str | None
    columns: tuple[Column, ...]
    encoding: str | None = None
    separator: str | None = None
    decimal: str | None = None
    notices: tuple[str, ...] = ()
    asks: bool = False  # whether the target could be classes or values, so that the user is asked
    missing: int = 0  # rows with a missing value, for which no remedy is chosen yet
    first: tuple[tuple[str, ...], ...] = ()  # the first rows, as text

    def plain(self) -> dict[str, object]:
        """The description as a JSON object."""
        columns = [{"name": x.name, "kind": x.kind, "use": x.use} for x in self.columns]
        named = ("encoding", "separator", "decimal")
        return {
            "examples": self.examples,
            "inputs": self.inputs,
            "classes": self.classes,
            "target": self.target,
            "columns": columns,
            **{name: getattr(self, name) for name in named},
            "notices": list(self.notices),
        }


class Source(Protocol):
    """A file that has been read, from which examples can be made."""

    def examples(self, reading: Reading = AS_FOUND) -> Examples:
        """The examples; ValueError says in one sentence why there are none."""

    def describe(self, reading: Reading = AS_FOUND) -> DataDescription:
        """A description of its content and of how it is used."""


def describe_examples(
    examples: Examples, target: str = "answer", notices: Sequence[str] = ()
) -> DataDescription:
    """A description of examples that do not come from a table."""
    inputs = examples.x.shape[1]
    low, high = examples.x.min(axis=0), examples.x.max(axis=0)
    names = examples.columns or tuple(str(n + 1) for n in range(inputs))
    pixels = len(examples.shape) > 1
    columns = [
        Column(name, "constant" if low[n] == high[n] and not pixels else "number", "input",
               span(float(low[n]), float(high[n])))
        for n, name in enumerate(names[:MOST_LISTED])
    ]  # fmt: skip
    kind = "class" if examples.classes else "number"
    return DataDescription(
        len(examples), inputs, counts(examples), target,
        (*columns, Column(target, kind, "target", answers_span(examples))),
        notices=tuple(notices),
    )  # fmt: skip


def check_size(found: DataDescription, file: str, most: int) -> None:
    """Refuse a visitor's file whose examples would take more than `most` bytes as float32."""
    numbers = found.examples * found.inputs
    if 4 * numbers > most:
        raise ValueError(
            f"{file}: holds {numbers:,} numbers, {4 * numbers:,} bytes as float32;"
            f" at most {most:,} can be uploaded"
        )


def counts(examples: Examples) -> dict[str, int] | None:
    """The number of examples of each class; None in regression."""
    if not examples.classes:
        return None
    of_each = np.bincount(np.asarray(examples.y, np.intp), minlength=len(examples.classes))
    return dict(zip(examples.classes, of_each.tolist(), strict=True))


def rare_classes(examples: Examples) -> list[str]:
    """A notice if some classes are so rare that accuracy hardly reflects them."""
    found = counts(examples)
    if not found or max(found.values()) <= UNEVEN * min(found.values()):
        return []
    rare, common = min(found, key=found.__getitem__), max(found, key=found.__getitem__)
    return [
        f"The classes are uneven: {found[common]:,} of {len(examples):,} examples are {common},"
        f" {found[rare]:,} {rare}."
    ]


def answers_span(examples: Examples) -> str:
    """The number of classes, or the range of the values."""
    if examples.classes:
        return f"{len(examples.classes)} classes"
    return span(float(examples.y.min()), float(examples.y.max()))


def span(low: float, high: float) -> str:
    """A range as text."""
    return f"{low:.10g} to {high:.10g}"

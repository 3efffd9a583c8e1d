"""What was found in a data set, told alike by the page, the data folder and the command line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.data.examples import Examples
from engine.data.reading import AS_FOUND, Reading

MOST_LISTED = 1000  # columns of a description: those of a picture are its pixels
UNEVEN = 10  # times as many examples of one class as of another


@dataclass(frozen=True)
class Column:
    """One column: what it holds, and what becomes of it."""

    name: str
    kind: str  # number, class, text, date, index, constant
    use: str  # input, one-hot, target, left out
    span: str = ""  # from its smallest to its largest, or how many different ones


@dataclass(frozen=True)
class DataDescription:
    """A data set before anything is learned from it."""

    examples: int
    inputs: int
    classes: dict[str, int] | None  # how many examples each has; None: values to predict
    target: str | None
    columns: tuple[Column, ...]
    encoding: str | None = None
    separator: str | None = None
    decimal: str | None = None
    notices: tuple[str, ...] = ()
    asks: bool = False  # whether the target may as well be of the other kind
    missing: int = 0  # rows with a missing value, about which somebody has to decide
    first: tuple[tuple[str, ...], ...] = ()  # the first rows, as they were written

    def plain(self) -> dict[str, object]:
        """As one JSON object tells it."""
        columns = [{"name": x.name, "kind": x.kind, "use": x.use} for x in self.columns]
        told = ("encoding", "separator", "decimal")
        return {
            "examples": self.examples,
            "inputs": self.inputs,
            "classes": self.classes,
            "target": self.target,
            "columns": columns,
            **{name: getattr(self, name) for name in told},
            "notices": list(self.notices),
        }


class Source(Protocol):
    """Something that was read, and of which examples can be made."""

    def examples(self, reading: Reading = AS_FOUND) -> Examples:
        """The examples; ValueError says in one sentence what stands against it."""

    def describe(self, reading: Reading = AS_FOUND) -> DataDescription:
        """What it holds and what becomes of it."""


def describe_examples(
    examples: Examples, target: str = "answer", notices: Sequence[str] = ()
) -> DataDescription:
    """What there is to say of examples that are not a table's."""
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
    """Refuse a visitor's file whose examples take more bytes than `most` once they are learned."""
    numbers = found.examples * found.inputs
    if 4 * numbers > most:
        raise ValueError(
            f"{file}: holds {numbers:,} numbers, {4 * numbers:,} bytes as float32;"
            f" at most {most:,} can be brought"
        )


def counts(examples: Examples) -> dict[str, int] | None:
    """How many examples each class has."""
    if not examples.classes:
        return None
    of_each = np.bincount(np.asarray(examples.y, np.intp), minlength=len(examples.classes))
    return dict(zip(examples.classes, of_each.tolist(), strict=True))


def rare_classes(examples: Examples) -> list[str]:
    """What is to be said of classes that accuracy hardly counts."""
    found = counts(examples)
    if not found or max(found.values()) <= UNEVEN * min(found.values()):
        return []
    rare, common = min(found, key=found.__getitem__), max(found, key=found.__getitem__)
    return [
        f"The classes are uneven: {found[common]:,} of {len(examples):,} examples are {common},"
        f" {found[rare]:,} {rare}."
    ]


def answers_span(examples: Examples) -> str:
    """How many classes, or from where to where the values go."""
    if examples.classes:
        return f"{len(examples.classes)} classes"
    return span(float(examples.y.min()), float(examples.y.max()))


def span(low: float, high: float) -> str:
    """From the smallest to the largest."""
    return f"{low:.10g} to {high:.10g}"

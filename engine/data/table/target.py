"""Chooses the target column of a table, and whether it holds classes or values."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.data.answers import MAX_CLASSES, labelled
from engine.data.files import LARGEST
from engine.data.reading import Reading
from engine.data.table.columns import Typed
from engine.data.table.grid import Grid
from engine.data.table.header import TARGETS
from engine.data.table.numerals import is_missing
from engine.number_format import typed, written
from engine.types import Array, Integers

FEW = 20  # up to so many distinct integers, each twice on average, are classes
OFTEN = 5  # how often each of several consecutive integers must occur to be a class
CLASSY = frozenset(TARGETS) - {"target", "y", "outcome", "answer", "price", "output", "result"}
NAME = re.compile(r"0\d+|\d+[eE]\d+", re.A)  # an identifier that looks like a number: 01, 1E1


@dataclass(frozen=True)
class Target:
    """The target column."""

    column: int
    classes: bool
    asks: bool = False  # whether the other task is plausible too
    notice: str = ""


def choose_target(grid: Grid, typed: Sequence[Typed], reading: Reading) -> Target:
    """The target that the user names, or else the most likely column; ValueError if none."""
    if reading.target is not None:
        if reading.target not in grid.names:
            known = ", ".join(grid.names[:20]) + (", ..." if len(grid.names) > 20 else "")
            raise ValueError(f"{grid.name}: has no column {reading.target!r}; it has {known}")
        column = grid.names.index(reading.target)
    else:
        column = _likely(grid, typed)
    return _task(grid, typed[column], column, reading)


def _likely(grid: Grid, typed: Sequence[Typed]) -> int:
    """By its name; else the last column, or the first if only it has classes.

    Columns that cannot be learned are passed over, where two others can.
    """
    names = [name.lower() for name in grid.names]
    filled = [n for n, column in enumerate(typed) if column.kind != "empty"]
    possible = [n for n in filled if _can_be_learned(typed[n])]
    if len(possible) < 2:  # a target and an input
        possible = filled
    for wanted in TARGETS:
        if grid.header and wanted in names and names.index(wanted) in possible:
            return names.index(wanted)
    full = [n for n in possible if typed[n].kind != "date"]
    full = full or [n for n in filled if typed[n].kind != "date"]
    if not full:
        raise ValueError(f"{grid.name}: expected a target column, found none")
    first, last = full[0], full[-1]
    if typed[last].kind == "number" and _has_classes(typed[first]):
        values = typed[last].values
        few = values is not None and _is_few_whole(values[np.isfinite(values)])
        if not (few and grid.header):  # with a header, the target is usually last
            return first
    return last


def _can_be_learned(column: Typed) -> bool:
    """Whether its values differ and, as those of a comment do not, are few enough for classes."""
    if column.values is not None:
        known = column.values[np.isfinite(column.values)]
        return len(known) > 0 and bool(known.min() < known.max())
    return 2 <= len({x for x in column.cells or [] if not is_missing(x)}) <= MAX_CLASSES


def _has_classes(column: Typed) -> bool:
    """Whether the values of a text column repeat."""
    if column.kind != "text" or column.wrong is not None:
        return False
    cells = column.cells or []
    return len(set(cells)) <= min(MAX_CLASSES, len(cells) - 1)


def _is_few_whole(values: Array) -> bool:
    distinct = np.unique(values)
    return len(distinct) <= min(FEW, len(values) / 2) and bool(np.all(distinct == distinct.round()))


def _task(grid: Grid, column: Typed, number: int, reading: Reading) -> Target:
    if column.refusal and not (reading.task == "classes" and column.cells):
        raise ValueError(f"{grid.name}: column {column.name!r} {column.refusal}")
    if reading.task is not None:
        return Target(number, reading.task == "classes")
    if column.values is None:
        return Target(number, True)
    values = column.values[np.isfinite(column.values)]
    if _is_few_whole(values) or _names(column, len(values)):
        return Target(number, True)
    distinct = np.unique(values)
    whole = bool(np.all(distinct == distinct.round()))
    if not whole or not FEW < len(distinct) <= min(MAX_CLASSES, len(values) / 2):
        return Target(number, False)
    classes = column.name.lower() in CLASSY or _without_gaps(distinct, len(values))
    taken, other = ("classes", "values") if classes else ("values", "classes")
    notice = (
        f"{column.name} holds {len(distinct)} different whole numbers, taken for {taken}:"
        f" choose {other} if they are (data.task={other})."
    )
    return Target(number, classes, True, notice)


def _names(column: Typed, count: int) -> bool:
    """Whether numbers are identifiers: some begin with 0, or look like powers of ten."""
    present = {cell for cell in column.cells or [] if not is_missing(cell)}
    return any(map(NAME.fullmatch, present)) and len(present) <= min(MAX_CLASSES, count / 2)


def _without_gaps(distinct: Array, count: int) -> bool:
    """Whether integers run from 0 or 1 without gaps, and each occurs often."""
    return (
        distinct[0] in (0, 1)
        and distinct[-1] - distinct[0] + 1 == len(distinct)
        and count >= OFTEN * len(distinct)
    )


def answers(
    grid: Grid, column: Typed, target: Target, rows: Integers
) -> tuple[Integers | Array, tuple[str, ...]]:
    """Labels and their classes, or values `(N, 1)`, of these rows; refuses what is neither."""
    if target.classes:
        whole = _whole(grid, column, rows)
        if whole is not None:
            return labelled(whole, grid.name)
        return labelled(_words(grid, column, rows), grid.name)
    if column.values is None:
        row = int(rows[0]) if column.wrong is None else column.wrong
        found = column.written(row)[:40]
        raise ValueError(
            f"{grid.place(row, column.name)}: expected a number as in other rows, found {found!r}"
        )
    values = column.values[rows]
    check_small(grid, column, values, rows)
    return values[:, None], ()


def _whole(grid: Grid, column: Typed, rows: Integers) -> list[int] | None:
    """The labels as integers, unless they are something else or identifiers."""
    if column.values is None or column.kind == "date":
        return None
    values = column.values[rows]
    check_small(grid, column, values, rows)
    if _names(column, len(values)) or (values != values.round()).any():
        return None
    return [int(value) for value in values.tolist()]


def _words(grid: Grid, column: Typed, rows: Integers) -> list[str]:
    """The labels as text."""
    if column.wrong is not None and any(map(_is_fraction, set(column.cells or []))):
        found = column.written(column.wrong)[:40]
        place = grid.place(column.wrong, column.name)
        raise ValueError(f"{place}: expected a number as in other rows, found {found!r}")
    return [column.written(row) for row in rows.tolist()]


def _is_fraction(cell: str) -> bool:
    return bool(re.fullmatch(r"[+-]?\d*[.,]\d*[1-9]\d*", cell))


def check_small(
    grid: Grid,
    column: Typed,
    values: Array,  # (N,)
    rows: Integers,  # (N,) their numbers in the file
) -> None:
    """Refuse numbers whose square is infinite in float32."""
    small = np.abs(values) < LARGEST  # false for NaN
    if not small.all():
        at = int(small.argmin())
        place = grid.place(int(rows[at]), column.name)
        raise ValueError(
            f"{place}: expected a number below {written(LARGEST)},"
            f" found {typed(written(values[at]))}"
        )

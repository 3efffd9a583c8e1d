"""The kind of each column of a table: number, text, date, or empty."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.data.table.dates import days, looks_dated
from engine.data.table.grid import PAUSE, Grid
from engine.data.table.numerals import (
    Ambiguous,
    Evidence,
    Style,
    decide,
    evidence,
    is_missing,
    is_no_number,
    looks_numeric,
    numbers,
)
from engine.types import Array

BROKEN = 0.5  # share of numbers above which other cells of a column are errors


@dataclass(eq=False)
class Typed:
    """A column with its kind."""

    name: str
    kind: str  # number, text, date, empty
    values: Array | None = None  # (N,) float64 of numbers and dates, NaN where missing
    cells: list[str] | None = None  # as text, if that is kept
    wrong: int | None = None  # a row whose cell is not a number although the others are
    refusal: str = ""  # why it cannot be an input
    notice: str = ""
    decimal: str = ""  # the decimal sign, if it has decimals

    def missing(self) -> np.ndarray:  # (N,) of booleans
        """Whether each row is missing."""
        if self.values is not None:
            return np.isnan(self.values)
        return np.array([is_missing(cell) for cell in self.cells or []], bool)

    def written(self, row: int) -> str:
        """A cell as text."""
        if self.cells is not None:
            return self.cells[row]
        if self.values is None or np.isnan(self.values[row]):
            return ""
        return f"{self.values[row]:.10g}"


def type_columns(grid: Grid) -> list[Typed]:
    """The kind of each column, and its numbers if it has any."""
    typed, open_ = [], dict[int, Evidence]()
    for number, (name, cells) in enumerate(zip(grid.names, grid.columns, strict=True)):
        if not isinstance(cells, list):
            typed.append(Typed(name, "number", cells, decimal=grid.decimal))
            continue
        column = _kind(name, cells)
        if column.kind == "number" and column.wrong is None:
            open_[number] = evidence({cell for cell in cells if not is_no_number(cell)})
        typed.append(column)
        time.sleep(PAUSE)
    signs = {sign for found in open_.values() for sign in found.decimals}
    signs |= {column.decimal for column in typed if column.decimal}
    others = next(iter(signs)) if len(signs) == 1 else ""
    for number, found in open_.items():
        _read(typed[number], found, others, grid.separator or "")
        time.sleep(PAUSE)
    return typed


def _kind(name: str, cells: list[str]) -> Typed:
    distinct = set(cells)
    present = {cell for cell in distinct if not is_missing(cell)}
    if not present:
        return Typed(name, "empty", cells=cells)
    numeric = {cell for cell in present if looks_numeric(cell)}
    if numeric and all(cell in numeric or is_no_number(cell) for cell in present):
        return Typed(name, "number", cells=cells)
    if all(map(looks_dated, present)):
        return _dated(name, cells)
    rows_present = [row for row, cell in enumerate(cells) if cell in present]
    rows_numeric = sum(cells[row] in numeric for row in rows_present)
    if rows_numeric >= BROKEN * len(rows_present):
        wrong = next(row for row in rows_present if cells[row] not in numeric)
        return Typed(name, "text", cells=cells, wrong=wrong)
    return Typed(name, "text", cells=cells)


def _dated(name: str, cells: list[str]) -> Typed:
    try:
        values = days(["" if is_missing(cell) else cell for cell in cells])
    except ValueError as error:
        return Typed(name, "date", cells=cells, refusal=str(error))
    notice = f"{name}: dates became days since 1970."
    return Typed(name, "date", values, cells, notice=notice)


def _read(column: Typed, found: Evidence, others: str, separator: str) -> None:
    """Fill in the numbers of a column, or why they cannot be read."""
    cells = column.cells or []
    try:
        texts = sorted({cell for cell in cells if not is_no_number(cell)})
        style = decide(texts, found, others, separator)
        column.values = numbers(cells, style)
    except Ambiguous as error:
        example = next(cell for cell in cells if "." in cell or "," in cell or column)
        column.refusal = f"{error}, as in {example!r}: write all its numbers as 1450 or 1450.5"
        return
    except ValueError as error:
        column.refusal = f"holds {str(error)[:40]!r}, which is no number as the others are"
        return
    if found.decimals or found.open or found.thousands:
        column.decimal = style.decimal
    column.notice = _styled(column.name, cells, style)


def _styled(name: str, cells: Sequence[str], style: Style) -> str:
    """A notice of how a number with unusual signs was read."""
    unit = style.thousands or style.unit
    if not unit:
        return ""
    row = next((n for n, cell in enumerate(cells) if unit in cell), 0)
    value = numbers([cells[row]], style)[0]
    return f"{name}: {cells[row]} is read as {value:.10g}."

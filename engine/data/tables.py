"""Reads tables of the user's own, from bytes to examples; each stage is a file in `table`."""

from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from engine.data.description import DataDescription, answers_span, counts, rare_classes
from engine.data.examples import Examples
from engine.data.files import read_only_examples
from engine.data.reading import AS_FOUND, Reading
from engine.data.table.columns import type_columns
from engine.data.table.decoding import decode
from engine.data.table.dialect import NAMES, Lines, find_dialect, rows
from engine.data.table.grid import Grid, fill, find_shape, sample
from engine.data.table.inputs import (
    describe_column,
    matrix,
    missing_rows,
    plan,
    refuse_missing,
)
from engine.data.table.plain import fill_fast
from engine.data.table.target import answers, choose_target

MAX_TABLE = 2**27  # bytes
LARGE = 2**20  # characters, above which the fast parser is tried first
SHOWN = 6  # rows in a description
READINGS = 4  # results per table that stay in memory


@dataclass(frozen=True, eq=False)
class Made:
    """A table under one reading."""

    examples: Examples
    described: DataDescription


class Table:
    """A table with known columns, which can be read with any target."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._typed = type_columns(grid)
        self._made: dict[Reading, Made] = {}

    def examples(self, reading: Reading = AS_FOUND) -> Examples:
        """The examples under a reading; equal readings share one result."""
        return self._make(reading).examples

    def describe(self, reading: Reading = AS_FOUND) -> DataDescription:
        """A description of the columns and their use; incomplete rows are then not counted."""
        gaps = 0 if reading.missing else len(self._gaps(reading))
        if not gaps:
            return self._make(reading).described
        described = self._make(Reading(reading.target, reading.task, "drop")).described
        notices = tuple(notice for notice in described.notices if notice != _left_out(gaps))
        return replace(described, missing=gaps, notices=notices)

    def _gaps(self, reading: Reading) -> np.ndarray:
        target = choose_target(self._grid, self._typed, reading)
        used = plan(self._grid, self._typed, target.column).used
        return missing_rows(self._grid, self._typed, sorted([*used, target.column]))

    def _make(self, reading: Reading) -> Made:
        if reading not in self._made:
            while len(self._made) >= READINGS:
                del self._made[next(iter(self._made))]
            self._made[reading] = self._build(reading)
        return self._made[reading]

    def _build(self, reading: Reading) -> Made:
        grid, typed = self._grid, self._typed
        target = choose_target(grid, typed, reading)
        planned = plan(grid, typed, target.column)
        used = sorted([*planned.used, target.column])
        gaps = missing_rows(grid, typed, used)
        if len(gaps) and reading.missing is None:
            refuse_missing(grid, typed, used, target.column, gaps)
        if reading.missing == "median":  # a missing target cannot be filled in
            gaps = np.flatnonzero(typed[target.column].missing())
        kept = np.delete(np.arange(len(grid.lines)), gaps)
        if not len(kept):
            raise ValueError(f"{grid.name}: no row is without a missing value")
        y, classes = answers(grid, typed[target.column], target, kept)
        x, names, filled = matrix(grid, typed, planned.used, kept, reading.missing)
        dropped = [_left_out(len(gaps))] if len(gaps) else []
        examples = replace(read_only_examples(x, y, classes, x.shape[1:]), columns=names)
        planned.uses[target.column] = ("class" if classes else typed[target.column].kind), "target"
        asked = [target.notice] if target.notice else []
        rare = rare_classes(examples)
        notices = [*grid.notices, *planned.notices, *asked, *dropped, *filled, *rare]
        return Made(examples, self._describe(examples, target.column, target.asks,
                                             planned.uses, notices))  # fmt: skip

    def _describe(
        self,
        examples: Examples,
        target: int,
        asks: bool,
        uses: dict[int, tuple[str, str]],
        notices: list[str],
    ) -> DataDescription:
        grid, typed = self._grid, self._typed
        columns = [describe_column(column, *uses[n]) for n, column in enumerate(typed)]
        if examples.classes:
            columns[target] = replace(columns[target], span=answers_span(examples))
        signs = {column.decimal for column in typed if column.decimal}
        first = (tuple(c.written(row) for c in typed) for row in range(min(SHOWN, len(grid.lines))))
        return DataDescription(
            len(examples), examples.x.shape[1], counts(examples), grid.names[target],
            tuple(columns), grid.encoding, grid.separator,
            next(iter(signs)) if len(signs) == 1 else (None if signs else "."),
            tuple(notices), asks, first=tuple(first),
        )  # fmt: skip


def _left_out(rows: int) -> str:
    if rows == 1:
        return "1 row with a missing value is left out."
    return f"{rows:,} rows with a missing value are left out."


def read_table(raw: bytes, name: str) -> Table:
    """Read the table in a text file; ValueError says in one sentence what is wrong."""
    if len(raw) > MAX_TABLE:
        raise ValueError(f"{name}: has {len(raw):,} bytes; at most {MAX_TABLE:,} can be read")
    try:
        text, encoding = decode(raw)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    grid = _divide(text, name)
    grid.encoding = encoding
    if encoding not in ("UTF-8", "UTF-16"):
        grid.notices.append(f"The text is read as {encoding}; save it as UTF-8 if names look odd.")
    return Table(grid)


def _divide(text: str, name: str) -> Grid:
    dialect = find_dialect(text, name)
    every = rows(text, dialect, name)
    first, every = sample(every)
    heading = None
    if dialect.heading:
        heading = next(
            (cells for _, cells in rows(dialect.heading, replace(dialect, begin=0), name)), None
        )
    shape = find_shape(first, name, heading)
    grid = None
    if len(text) > LARGE and len(first) > shape.skipped:
        begin = first[shape.skipped][0]
        lines = Lines(text, name, dialect.begin, dialect.line)
        after = (line for line in lines if lines.number >= begin and line.strip())
        grid = fill_fast(name, shape, first, after, dialect.separator, dialect.quote)
    if grid is None:
        for _ in range(shape.skipped):
            next(every)
        grid = fill(name, shape, every)
    grid.separator = NAMES.get(dialect.separator, dialect.separator)
    grid.header = shape.header
    return grid


def table_of(rows_: list[tuple[int, list[str]]], name: str, notices: list[str]) -> Table:
    """The table in rows that are already split into cells, as in a spreadsheet."""
    shape = find_shape(rows_[:1000], name, None)
    grid = fill(name, shape, chain(rows_[shape.skipped :]))
    grid.header = shape.header
    grid.notices += notices
    return Table(grid)


def read_csv(raw: bytes, name: str) -> Examples:
    """The examples of a table, with target and task as detected."""
    return read_table(raw, name).examples()

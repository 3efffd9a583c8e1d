"""A table split into cells: names of columns, cells as text, and line numbers."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from engine.data.files import MAX_EXAMPLES, MAX_NUMBERS, check_shape
from engine.data.table.dialect import COMMENT, MAX_COLUMNS, SAMPLE, Row, table_begin
from engine.data.table.header import is_header, names_of
from engine.types import Array

PAUSE = 5e-4  # seconds between two pieces, in which other threads get a turn
PIECE = 8_000  # cells

type Cells = list[str] | Array  # as text; or as numbers, if all are plain numbers


@dataclass(eq=False)
class Grid:
    """A table that has been split into cells; the kinds of its columns are not known yet."""

    name: str  # of the file
    names: list[str]
    columns: list[Cells]
    lines: Sequence[int]  # where each row begins
    encoding: str | None = None
    separator: str | None = None
    decimal: str = "."  # of the columns that are numbers already
    header: bool = True
    notices: list[str] = field(default_factory=list)

    def place(self, row: int, column: str) -> str:
        """The place of a cell in the file, for messages."""
        return f"{self.name}, line {self.lines[row]}, column {column!r}"


@dataclass(frozen=True)
class Shape:
    """What the first rows show: how many precede the data, and the number of columns."""

    skipped: int  # rows of a title and the header
    names: list[str]
    header: bool
    notices: list[str]


def find_shape(first: Sequence[Row], name: str, heading: list[str] | None) -> Shape:
    """Infer the shape of a table from its first rows; refuses what is no table."""
    if not first:
        raise ValueError(f"{name}: expected rows of numbers, found an empty file")
    title, width = table_begin(first)
    line, cells = first[title]
    if not 2 <= width <= MAX_COLUMNS:
        raise ValueError(
            f"{name}, line {line}: expected 2 to {MAX_COLUMNS:,} columns, divided by commas,"
            f" semicolons, tabs, pipes or spaces, found {width:,}"
        )
    notices = [f"{title} lines of a title are left out." if title > 1 else "A title is left out."]
    notices = notices if title else []
    below = [trimmed(row, width) for _, row in first[title + 1 :]]
    if heading and len(heading) == width and not is_header(cells, below):
        return Shape(title, names_of(heading), True, notices)
    named = ["row", *cells]  # as R writes tables
    if len(named) == width and {*map(len, below)} == {width} and is_header(named, below):
        return Shape(title + 1, names_of(named), True, notices)
    cells = trimmed(cells, width)
    if is_header(cells, below):
        return Shape(title + 1, names_of(cells), True, notices)
    return Shape(title, [str(n + 1) for n in range(width)], False, notices)


def trimmed(cells: list[str], width: int) -> list[str]:
    """A row without the blank cells beyond the last column."""
    while len(cells) > width and not cells[-1].strip():
        cells = cells[:-1]
    return cells


def fill(name: str, shape: Shape, rows: Iterable[Row]) -> Grid:
    """Collect all rows by column; refuses rows of another width, and too many rows."""
    width = len(shape.names)
    columns: list[list[str]] = [[] for _ in range(width)]
    lines: list[int] = []
    same: dict[str, str] = {}  # one string object for all equal cells
    for piece in pieces(rows, max(1, PIECE // width)):
        kept = [row for row in piece if not _is_comment(row[1], width)]
        lines.extend(line for line, _ in kept)
        check_size(len(lines), width, name)
        checked = [_row(name, line, cells, width) for line, cells in kept]
        for column, cells in zip(columns, zip(*checked, strict=True), strict=False):
            column.extend([same.setdefault(cell, cell) for cell in map(_plain_text, cells)])
        if len(same) > 100_000:
            same.clear()
    check_shape((len(lines), width), name)
    return Grid(name, shape.names, [*columns], lines, notices=list(shape.notices))


def _plain_text(cell: str) -> str:
    """A cell as one line of text."""
    return " ".join(cell.split()) if "\n" in cell or "\r" in cell else cell.strip()


def pieces[T](items: Iterable[T], size: int) -> Iterator[list[T]]:
    """So many items at a time, with a pause after each piece for other threads."""
    iterator = iter(items)
    while piece := list(islice(iterator, size)):
        yield piece
        time.sleep(PAUSE)


def _is_comment(cells: list[str], width: int) -> bool:
    return len(cells) != width and cells[0].lstrip().startswith(COMMENT)


def _row(name: str, line: int, cells: list[str], width: int) -> list[str]:
    if len(cells) != width:
        cells = trimmed(cells, width)
        if len(cells) != width:
            raise ValueError(
                f"{name}, line {line}: has {len(cells)} cells; expected {width}"
                " as in the other rows"
            )
    return cells


def check_size(rows: int, width: int, name: str) -> None:
    """Refuse a table as soon as it has too many rows or numbers."""
    if rows > MAX_EXAMPLES:
        raise ValueError(f"{name}: has more than {MAX_EXAMPLES:,} rows")
    if rows * width > MAX_NUMBERS:
        raise ValueError(f"{name}: has more than {MAX_NUMBERS:,} cells")


def sample(rows: Iterator[Row]) -> tuple[list[Row], Iterator[Row]]:
    """The first rows, and an iterator over all rows."""
    first = list(islice(rows, SAMPLE))
    return first, chain(first, rows)

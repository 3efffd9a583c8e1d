"""A fast parser for large tables of plain numbers and short text, based on NumPy's.

Numbers may have a decimal comma, and any cell may be missing. Everything else, such as thousands
separators, units, dates or quotes around a comma, is left to the general parser.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from engine.data.table.dialect import Row
from engine.data.table.grid import PIECE, Cells, Grid, Shape, check_size, pieces
from engine.data.table.numerals import is_missing

TEXT = 48  # characters of text that a cell can hold
MANY = 100  # distinct integers, too many to be classes
DIGITS = frozenset("0123456789+-.")  # a cell that begins with one of these is not missing
NOTHING = "nan"  # what the parser reads as a missing number


def fill_fast(
    name: str, shape: Shape, first: Sequence[Row], lines: Iterable[str], separator: str, quote: str
) -> Grid | None:
    """All rows by column, with numbers already read; None if this parser does not apply."""
    if separator == " ":
        return None
    for decimal in ".," if separator != "," else ".":
        formats = _formats(first[shape.skipped :], len(shape.names), separator, decimal)
        if formats:
            break
    else:
        return None
    reader = _Reader(formats, separator, decimal, quote)
    count = 0
    try:
        for piece in pieces(lines, max(1, 3 * PIECE // len(formats))):
            count += len(piece)
            check_size(count, len(formats), name)
            reader.add(piece)
    except _NotPlainError:
        return None
    begin = first[shape.skipped][0]
    rows = range(begin, begin + count)
    return Grid(
        name, shape.names, reader.columns, rows, decimal=decimal, notices=list(shape.notices)
    )


class _NotPlainError(Exception):
    """Raised for input that this parser cannot read for certain."""


class _Reader:
    """Parses rows of one format, piece by piece."""

    def __init__(self, formats: Sequence[str], separator: str, decimal: str, quote: str) -> None:
        self._kind = np.dtype([(f"f{n}", form) for n, form in enumerate(formats)])
        self._columns = [_Numbers() if form == "f8" else _Words(decimal) for form in formats]
        self._separator, self._decimal, self._quote = separator, decimal, quote
        self._has_gaps = False  # whether any cell has been missing so far

    @property
    def columns(self) -> list[Cells]:
        """The parsed columns."""
        return [column.joined() for column in self._columns]

    def add(self, piece: list[str]) -> None:
        """Parse further lines."""
        if self._decimal == ",":
            piece = [self._with_points(line) for line in piece]
        read = None if self._has_gaps else self._parse(piece)
        if read is None:
            self._has_gaps = True
            read = self._parse([self._without_gaps(line) for line in piece])
        if read is None:
            raise _NotPlainError
        if len(read) != len(piece):
            raise _NotPlainError
        for n, column in enumerate(self._columns):
            column.add(read[f"f{n}"])

    def _parse(self, piece: list[str]) -> np.ndarray | None:
        try:
            return np.loadtxt(
                piece,
                self._kind,
                delimiter=self._separator,
                quotechar=self._quote,
                comments=None,
                ndmin=1,
            )
        except ValueError:
            return None

    def _with_points(self, line: str) -> str:
        """The line with dots for commas; refuses a dot beside them, which may mean thousands."""
        if "." in line:
            raise _NotPlainError
        return line.replace(",", ".")

    def _without_gaps(self, line: str) -> str:
        """The line with "nan" for each missing cell."""
        if self._quote in line:
            raise _NotPlainError
        cells = line.rstrip("\r\n").split(self._separator)
        filled = [
            cell if (cell and cell[0] in DIGITS) or not is_missing(cell) else NOTHING
            for cell in cells
        ]
        return self._separator.join(filled)


class _Numbers:
    """A column of plain numbers, piece by piece; NaN where missing."""

    def __init__(self) -> None:
        self._pieces: list[np.ndarray] = []

    def add(self, read: np.ndarray) -> None:
        if np.isinf(read).any():
            raise _NotPlainError
        self._pieces.append(read.copy())

    def joined(self) -> Cells:
        return np.concatenate(self._pieces)


class _Words:
    """A column of short text with few distinct values, piece by piece."""

    def __init__(self, decimal: str) -> None:
        self._words: list[str] = []
        self._same = {NOTHING: ""}
        self._pointed = decimal == ","  # whether a dot in a word was a comma

    def add(self, read: np.ndarray) -> None:
        cells = list(map(str.strip, read.tolist()))
        if max(map(len, cells)) >= TEXT or len(self._same) > 50_000:  # cut off, or too many
            raise _NotPlainError
        if self._pointed and any("." in word for word in set(cells)):
            raise _NotPlainError
        same = self._same
        self._words.extend([same.setdefault(word, word) for word in cells])

    def joined(self) -> Cells:
        return self._words


def _formats(first: Sequence[Row], width: int, separator: str, decimal: str) -> list[str] | None:
    """By the first rows, whether each column has plain numbers or short text."""
    if not first or any(len(cells) != width for _, cells in first):
        return None
    formats = []
    for n in range(width):
        column = [cells[n].strip() for _, cells in first]
        present = [cell for cell in column if not is_missing(cell)]
        if present and all(_is_plain(cell, decimal) for cell in present):
            formats.append("f8" if _is_sure(present, separator, decimal) else f"U{TEXT}")
        elif not present or any(map(_is_odd, present)) or max(map(len, present)) >= TEXT:
            return None
        else:
            formats.append(f"U{TEXT}")
    return formats if "f8" in formats else None


def _is_sure(column: Sequence[str], separator: str, decimal: str) -> bool:
    """Whether the numbers can be nothing else: neither names of classes nor thousands."""
    if any(_has_decimals(cell, decimal) for cell in column):
        return True
    if all(decimal in cell for cell in column):
        return decimal == "." and separator != ";"
    whole = all(cell.isdigit() and (cell == "0" or cell[0] != "0") for cell in column)
    return whole and len(set(column)) > MANY


def _is_plain(cell: str, decimal: str) -> bool:
    if decimal == ",":
        if "." in cell:
            return False
        cell = cell.replace(",", ".")
    try:
        return cell.isascii() and bool(np.isfinite(float(cell))) and "_" not in cell
    except ValueError:
        return False


def _is_odd(cell: str) -> bool:
    """Whether a cell may be a number in another style."""
    return not cell[0].isalpha()


def _has_decimals(cell: str, decimal: str) -> bool:
    whole, point, decimals = cell.lstrip("+-").partition(decimal)
    return bool(point) and (len(decimals) not in (0, 3) or whole in ("", "0"))

"""Detects whether the first row names the columns, and gives every column a name."""

import re
from collections.abc import Sequence

from engine.data.table.numerals import is_missing, looks_numeric

TARGETS = (
    *("label", "labels", "class", "classes", "target", "species", "y", "outcome", "category"),
    *("answer", "diagnosis", "variety", "type", "price", "output", "result"),
)
CERTAIN = frozenset(TARGETS) - {"y"}  # header for certain; a "y" may also mean yes
YES = frozenset({"y", "n", "yes", "no", "j"})
WHOLE = re.compile(r"\d+")
LONGEST = 60  # characters of a name


def is_header(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether a row is the header of those below: of another kind, or counting up."""
    cells = [cell.strip() for cell in first]
    words = [cell.lower() for cell in cells]
    numeric = [looks_numeric(cell) for cell in cells]
    if CERTAIN & {*words}:
        return True
    columns = [[row[n].strip() for row in below if n < len(row)] for n in range(len(cells))]
    if not any(numeric):
        return not any(
            cell and not is_missing(cell) and cell in column
            for cell, column in zip(cells, columns, strict=True)
        )
    if any(map(_names, cells, numeric, columns)):
        return True
    return _counts(cells, columns) or _whole_over_decimals(cells, numeric, columns)


def _names(cell: str, numeric: bool, column: Sequence[str]) -> bool:
    """Whether a cell is of another kind than all cells below it."""
    present = [below for below in column if not is_missing(below)]
    if not present or is_missing(cell):
        return False
    if not numeric:
        return all(map(looks_numeric, present))
    return len(present) > 1 and bool(WHOLE.fullmatch(cell)) and not any(map(looks_numeric, present))


def _counts(cells: Sequence[str], columns: Sequence[Sequence[str]]) -> bool:
    """Names that count up from 0 or 1, as pandas writes them, perhaps with a word."""
    numbers = [int(cell) for cell in cells if WHOLE.fullmatch(cell) and cell.isascii()]
    counting = bool(numbers) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    if not counting or numbers[0] > 1 or len(numbers) < 2:
        return False
    words = [n for n, cell in enumerate(cells) if not WHOLE.fullmatch(cell)]
    if words:
        return all(
            cells[n] not in columns[n] and not _is_answer(cells[n], columns[n]) for n in words
        )
    return len(numbers) > 2 or any(map(_decimals, columns))


def _is_answer(cell: str, column: Sequence[str]) -> bool:
    """A word that may be a yes or a no, above others of its kind."""
    return {cell.lower(), *map(str.lower, column)} <= YES or not column


def _whole_over_decimals(
    cells: Sequence[str], numeric: Sequence[bool], columns: Sequence[Sequence[str]]
) -> bool:
    """Integers above decimals, such as years above measurements."""
    whole = [bool(WHOLE.fullmatch(cell)) for cell in cells]
    if not all(w or not n for w, n in zip(whole, numeric, strict=True)):
        return False
    over = [_decimals(column) for column, w in zip(columns, whole, strict=True) if w]
    return sum(over) >= 2 and 2 * sum(over) >= len(cells)


def _decimals(column: Sequence[str]) -> bool:
    """Whether every number of a column has decimals."""
    return len(column) > 1 and all(re.search(r"\d[.,]\d", cell) for cell in column)


def names_of(cells: Sequence[str]) -> list[str]:
    """A distinct name for each column."""
    names: list[str] = []
    for number, cell in enumerate(cells, 1):
        plain = " ".join("".join(c if c.isprintable() else " " for c in cell).split())
        name = base = plain[:LONGEST] or f"column {number}"
        again = 1
        while name in names:
            again += 1
            name = f"{base} ({again})"
        names.append(name)
    return names

"""Finds the dialect of a table: its separator, its quotes, and where the table begins."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from engine.data.table.numerals import looks_numeric

SEPARATORS = "\t;|, "  # if two fit equally well, the one that is rarer in prose
NAMES = {"\t": "tab", " ": "space"}
SAMPLE = 1000  # rows from which the dialect is inferred
COMPARED = 60  # rows on which every separator is tried
ALIKE = 0.7  # share of the first rows that must have the same number of cells
ABOVE = 10  # lines of a title above the table, at most
MAX_LINE = 2**20  # characters
MAX_COLUMNS = 4096
LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n|\Z)")
ANNOUNCED = re.compile(r'"?sep=(.)"?\s*', re.I)
COMMENT = "#"
APOSTROPHES = re.compile(r"(?:^|[,;\t|])\s*'[^'\n]*'\s*(?=[,;\t|\r\n])", re.M)

type Row = tuple[int, list[str]]  # a line's number, from 1, and its cells


@dataclass(frozen=True)
class Dialect:
    """How a text is split into cells, and where its table begins."""

    separator: str
    quote: str
    begin: int  # characters before the table
    line: int  # ... and lines
    heading: str | None = None  # a comment above the table, which may be its header


class Lines:
    """The lines of a text with their line ends, numbered."""

    def __init__(self, text: str, name: str, begin: int = 0, line: int = 0) -> None:
        self._matches = LINE.finditer(text, begin)
        self._name, self.number = name, line

    def __iter__(self) -> Iterator[str]:
        for match in self._matches:
            self.number += 1
            if match.end() - match.start() > MAX_LINE:
                raise ValueError(
                    f"{self._name}, line {self.number}: has more than {MAX_LINE:,} characters"
                )
            yield match[0]


def find_dialect(text: str, name: str) -> Dialect:
    """The dialect that fits the first rows best."""
    begin, line, announced, heading = _preamble(text)
    quote = "'" if _singly_quoted(text[begin : begin + 10_000]) else '"'
    tried = [Dialect(sign, quote, begin, line, heading) for sign in announced or SEPARATORS]
    fitness = {dialect: _fitness(text, name, dialect) for dialect in tried}
    best = max(tried, key=fitness.__getitem__)
    if fitness[best][0] <= 0 and not announced:  # none fits: error messages are about the usual one
        return next(dialect for dialect in tried if dialect.separator == ",")
    return best


def _preamble(text: str) -> tuple[int, int, str, str | None]:
    """Where a table may begin, the line before it, a declared separator, the last comment."""
    begin, announced, heading = 0, "", None
    number = 0
    for number, match in enumerate(LINE.finditer(text), 1):
        line = match[0].strip()
        if found := ANNOUNCED.fullmatch(match[0]):
            announced = found[1]
        elif line.startswith(COMMENT):
            heading = line.lstrip(COMMENT).strip()
        elif line or match.end() >= len(text):
            number -= 1
            break
        begin = match.end()
    return begin, number, announced, heading


def _singly_quoted(head: str) -> bool:
    """Whether cells are quoted with apostrophes, and none with quotation marks."""
    return (
        '"' not in head
        and len(re.findall(r"(?:^|[,;\t|])\s*'[^'\n]*'\s*(?=[,;\t|\r\n])", head, re.M)) > 3
    )


def _fitness(text: str, name: str, dialect: Dialect) -> tuple[float, float]:
    """Whether the first rows have equally many cells, and the share of numbers among these."""
    try:
        first = [cells for _, cells in islice(rows(text, dialect, name), COMPARED)]
    except ValueError:
        return -1.0, 0.0
    if not first:
        return 0.0, 0.0
    width, count = Counter(map(len, first)).most_common(1)[0]
    if width < 2:
        return 0.0, 0.0
    cells = [cell for row in first for cell in row]
    numeric = sum(map(looks_numeric, cells)) / len(cells)
    divisible = sum(any(s in c for s in "\t;|,") and not looks_numeric(c) for c in cells)
    alike = count / len(first)
    return float(alike >= ALIKE), round(numeric - divisible / len(cells) - 2 * (1 - alike), 9)


def rows(text: str, dialect: Dialect, name: str) -> Iterator[Row]:
    """The rows that are neither blank nor comments, each with the line on which it begins.

    A ValueError names the line that is no CSV.
    """
    lines = Lines(text, name, dialect.begin, dialect.line)
    source = (" ".join(line.split()) for line in lines) if dialect.separator == " " else lines
    reader = csv.reader(
        source,
        delimiter=dialect.separator,
        quotechar=dialect.quote,
        skipinitialspace=True,
        strict=True,
    )
    while True:
        line = lines.number + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise ValueError(f"{name}, line {line}: not a CSV table: {error}") from None
        if cells is None:
            return
        if any(cell and not cell.isspace() for cell in cells):
            yield line, cells


def table_begin(first: Sequence[Row]) -> tuple[int, int]:
    """The number of title rows, and of columns of the table below them."""
    trimmed = [_filled(cells) for _, cells in first]
    width = Counter(len(cells) for _, cells in first).most_common(1)[0][0]
    if all(filled < width for filled in trimmed):  # each line ends with a separator
        width = max(trimmed)
    title = 0
    while title < min(ABOVE, len(first) - 2) and _is_title(first[title][1], trimmed[title], width):
        title += 1
    return title, width


def _filled(cells: Sequence[str]) -> int:
    """The number of cells up to the last that is not blank."""
    return next((n for n in range(len(cells), 0, -1) if cells[n - 1].strip()), 0)


def _is_title(cells: Sequence[str], filled: int, width: int) -> bool:
    """A line of prose: fewer cells than the table has columns, none of them a number."""
    present = [cell for cell in cells if cell.strip()]
    if len(present) == 1 and width > 1:
        return not looks_numeric(present[0]) and (width > 2 or filled < width)
    return filled < width - 1 and not any(map(looks_numeric, present))

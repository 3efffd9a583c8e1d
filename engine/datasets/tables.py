"""Tables that a user brings: CSV as spreadsheets and pandas write it."""

import csv
import re
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from engine.datasets.answers import labelled
from engine.datasets.examples import Examples
from engine.datasets.files import LARGEST, MAX_EXAMPLES, check_shape, lasting
from engine.types import Array, Integers

ANSWERS = ("label", "class", "target", "species", "y")  # what an answer's column may be called
MISSING = {"", "?", "na", "n/a", "nan", "null"}
MAX_TABLE = 2**27  # bytes
MAX_COLUMNS = 4096
MAX_LINE = 2**20  # characters
FEW = 20  # so many different whole numbers, each twice on average, are classes

LINE = re.compile(r"([^\r\n]*)(?:\r\n?|\n|\Z)")

type Row = tuple[int, list[str]]  # a line's number, from 1, and its cells


@dataclass(frozen=True)
class _Table:
    """What the first row tells."""

    name: str
    columns: list[str]  # names, or numbers from 1
    answer: int  # which column holds the right answers
    number: Callable[[str], float]

    def place(self, line: int, column: int) -> str:
        return f"{self.name}, line {line}, column {self.columns[column]!r}"


def read_csv(raw: bytes, name: str) -> Examples:
    """A table with an example a row: numbers, and in one column the right answer.

    The answer is the column called label, class, target, species or y, else the last. Answers of
    text, or of few different whole numbers, are classes; other numbers are values to predict.
    """
    text = _text(raw, name)
    delimiter = _delimiter(text)
    rows = _rows(text, delimiter, name)
    first = next(rows, None)
    if first is None:
        raise ValueError(f"{name}: expected rows of numbers, found an empty file")
    number = _decimal_comma if delimiter == ";" else float
    table, waiting = _begin(first, number, name)
    x, answers, lines = _columns(table, waiting, rows)
    y, classes = _answers(table, answers, lines)
    return lasting(x, y, classes, x.shape[1:])


def _text(raw: bytes, name: str) -> str:
    if len(raw) > MAX_TABLE:
        raise ValueError(f"{name}: has {len(raw):,} bytes; at most {MAX_TABLE:,} can be read")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{name}, line {line}: expected UTF-8 text, found other bytes") from None


def _delimiter(text: str) -> str:
    """What divides the first lines alike; a comma may also be a decimal comma, so it comes last."""
    lines = [line for line in text[:1_000_000].splitlines()[:20] if line.strip()]
    for delimiter in "\t;":
        counts = {re.sub('"[^"]*"', "", line).count(delimiter) for line in lines}
        if len(counts) == 1 and counts != {0}:
            return delimiter
    return ","


def _decimal_comma(cell: str) -> float:
    return float(cell.replace(",", "."))


def _rows(text: str, delimiter: str, name: str) -> Iterator[Row]:
    """The rows that are not blank; a cell ends with its line, so that no row takes a whole file."""
    for number, match in enumerate(LINE.finditer(text), 1):
        if match.end(1) - match.start(1) > MAX_LINE:
            raise ValueError(f"{name}, line {number}: has more than {MAX_LINE:,} characters")
        reader = csv.reader([match[1]], delimiter=delimiter, skipinitialspace=True, strict=True)
        try:
            cells = next(reader, [])
        except csv.Error as error:
            raise ValueError(f"{name}, line {number}: not a CSV table: {error}") from None
        if "".join(cells).strip():
            yield number, cells


def _begin(first: Row, number: Callable[[str], float], name: str) -> tuple[_Table, list[Row]]:
    """The table, and the first row again if it is not a header."""
    line, cells = first[0], [cell.strip() for cell in first[1]]
    if not 2 <= len(cells) <= MAX_COLUMNS:
        raise ValueError(
            f"{name}, line {line}: expected 2 to {MAX_COLUMNS:,} columns, divided by commas,"
            f" semicolons or tabs, found {len(cells):,}"
        )
    lowered = [cell.lower() for cell in cells]
    called = [lowered.index(answer) for answer in ANSWERS if answer in lowered]
    if not _is_header(lowered, number):
        numbers = [str(column) for column in range(1, len(cells) + 1)]
        return _Table(name, numbers, len(cells) - 1, number), [first]
    if "" in cells:  # pandas' numbers of the rows: of a sorted table they give the answer away
        raise ValueError(
            f"{name}, line {line}: column {cells.index('') + 1} has no name; name or remove it"
        )
    answer = called[0] if called else len(cells) - 1
    return _Table(name, [cell[:40] for cell in cells], answer, number), []


def _is_header(cells: list[str], number: Callable[[str], float]) -> bool:
    """Without numbers, or with a name for the answer; but a "y" after numbers may mean yes."""
    return not any(_is_number(cell, number) for cell in cells) or bool({*cells} & {*ANSWERS[:-1]})


def _is_number(cell: str, number: Callable[[str], float]) -> bool:
    try:
        number(cell)
    except ValueError:
        return False
    return True


def _columns(
    table: _Table, waiting: list[Row], rows: Iterator[Row]
) -> tuple[Array, list[str], list[int]]:
    """Inputs `(N, I)`, and the answer and the line of each."""
    numbers, answers, lines = array("f"), list[str](), list[int]()
    for source in (waiting, rows):
        for line, cells in source:
            if len(cells) != len(table.columns):
                raise ValueError(
                    f"{table.name}, line {line}: has {len(cells)} cells;"
                    f" expected {len(table.columns)} as in the first row"
                )
            if len(lines) == MAX_EXAMPLES:
                raise ValueError(f"{table.name}: has more than {MAX_EXAMPLES:,} rows")
            answers.append(cells.pop(table.answer).strip())
            lines.append(line)
            numbers.extend(_numbers(table, line, cells))
    check_shape((len(lines), len(table.columns) - 1), table.name)
    x = np.frombuffer(numbers, np.float32).reshape(len(lines), -1).copy()
    _check_small(table, x, lines)
    return x, answers, lines


def _input(table: _Table, index: int) -> int:
    """The column of an input: the answer's is left out of their count."""
    return index + (index >= table.answer)


def _numbers(table: _Table, line: int, cells: list[str]) -> list[float]:
    try:
        return list(map(table.number, cells))
    except ValueError:
        bad = next(i for i, cell in enumerate(cells) if not _is_number(cell, table.number))
        place = table.place(line, _input(table, bad))
        found = repr(cells[bad][:40]) if cells[bad].strip() else "an empty cell"
        raise ValueError(f"{place}: expected a number, found {found}") from None


def _check_small(table: _Table, x: Array, lines: list[int]) -> None:
    small = np.abs(x) < LARGEST  # no NaN is
    if not small.all():
        row, index = divmod(int(small.argmin()), x.shape[1])
        place = table.place(lines[row], _input(table, index))
        raise ValueError(f"{place}: expected a number below {LARGEST:g}, found {x[row, index]:g}")


def _answers(
    table: _Table, answers: list[str], lines: list[int]
) -> tuple[Integers | Array, tuple[str, ...]]:
    for line, answer in zip(lines, answers, strict=True):
        if answer.lower() in MISSING:
            place = table.place(line, table.answer)
            raise ValueError(f"{place}: expected an answer, found {answer or 'an empty cell'}")
    texts = [row for row, answer in enumerate(answers) if not _is_number(answer, table.number)]
    if not texts:
        return _values(table, np.array(list(map(table.number, answers))), lines)
    if any(_is_number(answer, _fraction) for answer in answers):
        place = table.place(lines[texts[0]], table.answer)
        found = answers[texts[0]][:40]
        raise ValueError(f"{place}: expected a number as in other rows, found {found!r}")
    return labelled(answers, table.name)


def _fraction(cell: str) -> float:
    value = _decimal_comma(cell)
    if value.is_integer():
        raise ValueError("a whole number, which may name a class")
    return value


def _values(
    table: _Table, values: Array, lines: list[int]
) -> tuple[Integers | Array, tuple[str, ...]]:
    small = np.abs(values) < LARGEST  # no NaN is
    if not small.all():
        row = int(small.argmin())
        place = table.place(lines[row], table.answer)
        raise ValueError(f"{place}: expected a number below {LARGEST:g}, found {values[row]:g}")
    distinct = np.unique(values)
    if len(distinct) <= min(FEW, len(values) / 2) and np.all(distinct == np.round(distinct)):
        return labelled([int(value) for value in values], table.name)
    return values.astype(np.float32)[:, None], ()

"""Reads the first sheet of an Excel workbook that is not empty; refuses a broken workbook."""

import datetime
import io
import time
from collections.abc import Iterator
from typing import Any

from engine.data.files import MAX_BYTES, MAX_EXAMPLES
from engine.data.packed import check_workbook
from engine.data.table.dialect import MAX_COLUMNS, Row
from engine.data.table.grid import PAUSE, check_size
from engine.data.tables import Table, table_of

PIECE = 100  # rows, after which other threads get a turn


def read_xlsx(raw: bytes, name: str, most: int = MAX_BYTES) -> Table:
    """The table of a workbook; a formula counts as the value last saved for it."""
    check_workbook(raw, name, most)
    try:
        import openpyxl  # from the optional extra `excel`
    except ImportError:
        raise ValueError(
            f"{name}: Excel workbooks need the extra babysit[excel]; save the table as CSV"
        ) from None
    try:
        book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
        found = [
            (sheet.title, rows) for sheet in book.worksheets if (rows := list(_rows(sheet, name)))
        ]
    except ValueError as error:
        if str(error).startswith(name):
            raise
        raise ValueError(
            f"{name}: expected an Excel workbook, found a broken one: {error}"
        ) from None
    except Exception as error:  # openpyxl raises any kind of error on damaged XML
        reason = " ".join(str(error).split())[:100]
        raise ValueError(
            f"{name}: expected an Excel workbook, found a broken one: {reason}"
        ) from None
    if not found:
        raise ValueError(f"{name}: expected rows of numbers, found an empty workbook")
    title, rows = found[0]
    others = ", ".join(other for other, _ in found[1:])
    return table_of(rows, name, [f"Sheet {title} is read, not {others}."] if others else [])


def _rows(sheet: Any, name: str) -> Iterator[Row]:
    """The rows that are not blank, padded to the widest."""
    rows, width, cells = [], 0, 0
    for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
        if number > MAX_EXAMPLES:
            raise ValueError(f"{name}: has more than {MAX_EXAMPLES:,} rows")
        if number % PIECE == 0:
            time.sleep(PAUSE)
        texts = [_text(value) for value in values[: MAX_COLUMNS + 1]]
        while texts and not texts[-1].strip():
            texts.pop()
        if texts:
            rows.append((number, texts))
            width, cells = max(width, len(texts)), cells + len(texts)
            check_size(1, cells, name)
    check_size(len(rows), width, name)
    for number, texts in rows:
        yield number, texts + [""] * (width - len(texts))


def _text(value: object) -> str:
    """A cell as text, in the form that tables use."""
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ", timespec="seconds").removesuffix(" 00:00:00")
    return str(value)

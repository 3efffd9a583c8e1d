"""Converts dates and times to days."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from engine.types import Array

CLOCK = r"(?:[T ]+(\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
YEAR_FIRST = re.compile(rf"(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}}){CLOCK}", re.A)
YEAR_LAST = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}){CLOCK}", re.A)
DAY = 86_400.0  # seconds


def looks_dated(cell: str) -> bool:
    """Whether a cell looks like a date."""
    return bool(YEAR_FIRST.fullmatch(cell) or YEAR_LAST.fullmatch(cell))


def days(cells: Sequence[str]) -> Array:  # (N,)
    """Days since 1970; "" gives NaN. ValueError says why dates cannot be read."""
    order = _order([cell for cell in cells if cell])
    return np.array([_day(cell, order) if cell else np.nan for cell in cells])


def _order(cells: Sequence[str]) -> str:
    """Whether day or month comes first, if the year is last."""
    found = [match for cell in cells if (match := YEAR_LAST.fullmatch(cell))]
    if not found or found[0][2] == ".":  # with dots the day comes first
        return "day"
    first = max(int(match[1]) for match in found)
    second = max(int(match[3]) for match in found)
    if (first > 12) == (second > 12):
        raise ValueError("leaves day and month ambiguous: write dates as 2024-12-31")
    return "day" if first > 12 else "month"


def _day(cell: str, order: str) -> float:
    if match := YEAR_FIRST.fullmatch(cell):
        year, month, day, rest = match[1], match[3], match[4], match.groups()[4:]
    elif match := YEAR_LAST.fullmatch(cell):
        day, month, year, rest = match[1], match[3], match[4], match.groups()[4:]
        if order == "month":
            day, month = month, day
    else:
        raise ValueError(f"holds {cell[:40]!r}, which is no date as the others are")
    hour, minute, second = (int(part or 0) for part in rest)
    try:
        moment = datetime(int(year), int(month), int(day), hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise ValueError(f"holds {cell[:40]!r}, which is on no calendar") from None
    return moment.timestamp() / DAY

"""Reads numbers column by column, because a single cell may be ambiguous: 1.450 or 1,450?

A column's decimal sign follows from a cell that can be read in only one way. If there is none, the
other columns of the file decide; if they cannot either, the column is refused.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.types import Array

MISSING = frozenset({"", "?", "na", "n/a", "#n/a", "nan", "null", "<na>"})
NO_NUMBER = MISSING | {"-", "--", ".", "none", "missing"}  # may name a class
UNITS = "%$€£¥"
SPACES = " \u00a0\u2009\u202f"
APOSTROPHES = "'\u2019"
# Typographic signs and full-width digits.
SAME = str.maketrans(
    "−–﹣－＋０１２３４５６７８９．，％",  # noqa: RUF001
    "---" + "-+0123456789.,%",
)
PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.A)
COMMA = re.compile(r"[+-]?(?:\d+,?\d*|,\d+)(?:[eE][+-]?\d+)?", re.A)
INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.I)
GROUPED = re.compile(
    rf"[+-]?\d{{1,3}}(?:([.,{SPACES}{APOSTROPHES}])\d{{3}})(?:\1\d{{3}})*(?:([.,])\d*)?", re.A
)
FAR = 10  # if numbers without a sign are so many times larger, the sign separates thousands


class Ambiguous(ValueError):
    """A column whose numbers can be read in two ways."""


@dataclass(frozen=True)
class Style:
    """How a column writes its numbers."""

    decimal: str = "."
    thousands: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Evidence:
    """What the cells of a column show about its style."""

    decimals: frozenset[str]  # signs that can only be decimal signs
    thousands: frozenset[str]  # ... that can only separate thousands
    open: frozenset[str]  # ... that can be either
    units: frozenset[str]


def is_missing(cell: str) -> bool:
    """Whether a cell means a missing value."""
    return cell.strip().lower() in MISSING


def is_no_number(cell: str) -> bool:
    """Whether a cell among numbers means that there is no number."""
    return cell.strip().lower() in NO_NUMBER


def looks_numeric(cell: str) -> bool:
    """Whether a cell is a number in any style."""
    body, _ = _body(cell)
    return any(form.fullmatch(body) for form in (PLAIN, COMMA, INFINITE)) or bool(_grouped(body))


def _body(cell: str) -> tuple[str, str]:
    """A cell without its unit, and the unit."""
    text = cell.strip().translate(SAME)
    for unit in UNITS:
        if text.endswith(unit) or text.lstrip("+-").startswith(unit):
            return text.replace(unit, "", 1).strip(), unit
    return text, ""


def _grouped(body: str) -> re.Match[str] | None:
    found = GROUPED.fullmatch(body)
    if found is None or found[2] == found[1] or body.lstrip("+-").startswith("0"):
        return None
    return found


def evidence(cells: Iterable[str]) -> Evidence:
    """What these cells, all of them numbers, show about their style."""
    decimals, thousands, either, units = (set[str]() for _ in range(4))
    for cell in cells:
        body, unit = _body(cell)
        units.add(unit)
        grouped = _grouped(body)
        if grouped is None:
            decimals.update(sign for sign in ".," if sign in body)
        elif grouped[2]:  # both signs: the last one is the decimal sign
            thousands.add(grouped[1])
            decimals.add(grouped[2])
        elif grouped[1] not in ".," or body.count(grouped[1]) > 1:
            thousands.add(grouped[1])
        else:
            either.add(grouped[1])
    return Evidence(*map(frozenset, (decimals, thousands, either, units)))


def decide(cells: Sequence[str], found: Evidence, others: str, separator: str) -> Style:
    """The style of a column, given the decimal sign of the other columns ("" if unknown)."""
    if len(found.units) > 1:
        raise Ambiguous(f"some have {_quoted(found.units - {''})}, others have not")
    unit = next(iter(found.units), "")
    if len(found.decimals) > 1 or len(found.thousands) > 1:
        raise Ambiguous("decimals are written in two ways")
    decimal = next(iter(found.decimals), "")
    thousands = next(iter(found.thousands), "")
    if decimal and decimal == thousands:
        raise Ambiguous(f"{decimal!r} stands for decimals and for thousands")
    if thousands in (".", ",") and not decimal:
        decimal = "," if thousands == "." else "."
    if found.open and not decimal:
        decimal = _decide_open(cells, found.open, others, separator)
    left = found.open - {decimal}
    return Style(decimal or others or ".", thousands or next(iter(left), ""), unit)


def _quoted(signs: Iterable[str]) -> str:
    return " or ".join(sorted(signs))


def _decide_open(cells: Sequence[str], open: frozenset[str], others: str, separator: str) -> str:
    """The decimal sign if every cell that has one could also separate thousands."""
    if len(open) > 1:
        raise Ambiguous("'.' and ',' may both stand for decimals")
    sign = next(iter(open))
    if others:
        return others
    bodies = [_body(cell)[0] for cell in cells]
    marked = [abs(float(body.replace(sign, "."))) for body in bodies if sign in body]
    others_than = [abs(float(body)) for body in bodies if sign not in body]
    other_sign = "," if sign == "." else "."
    if others_than and max(others_than) < 1000 and min(others_than) >= 100:
        if min(others_than) >= FAR * min(marked) and max(marked) < FAR * max(others_than):
            return other_sign
        raise Ambiguous(f"{sign!r} may stand for decimals or for thousands")
    if (sign == ".") == (separator == ";"):
        raise Ambiguous(f"{sign!r} may stand for decimals or for thousands")
    return sign


def numbers(cells: Sequence[str], style: Style) -> Array:  # (N,) float64, NaN where missing
    """The cells as numbers; ValueError has the first cell that is not a number as its argument."""
    if style == Style():
        try:
            return np.fromiter((float(cell) if cell else np.nan for cell in cells), float)
        except ValueError:
            pass
    known: dict[str, float] = {}
    for cell in cells:
        if cell not in known:
            known[cell] = np.nan if is_no_number(cell) else number(cell, style)
    return np.fromiter(map(known.__getitem__, cells), float, len(cells))


def number(cell: str, style: Style) -> float:
    """One number in a known style."""
    body, _ = _body(cell)
    if style.thousands:
        body = body.replace(style.thousands, "")
    if style.decimal == ",":
        body = body.replace(",", ".")
    if PLAIN.fullmatch(body) or INFINITE.fullmatch(body):
        return float(body)
    raise ValueError(cell)

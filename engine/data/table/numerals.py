"""Numbers as people write them, read by the column: one cell alone does not tell 1.450 from 1,450.

A column says itself which sign its decimals have, by a cell that can be read in one way only. Where
it does not, the other columns of the file do; where they do not either, it is refused.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.types import Array

MISSING = frozenset({"", "?", "na", "n/a", "#n/a", "nan", "null", "<na>"})
NO_NUMBER = MISSING | {"-", "--", ".", "none", "missing"}  # among numbers; they may name a class
UNITS = "%$€£¥"
SPACES = " \u00a0\u2009\u202f"
APOSTROPHES = "'\u2019"
# Signs of typographers, and digits of full width.
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
FAR = 10  # times as large as all with a sign are those without: then the sign is of thousands


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
    """What the cells of a column say of its style."""

    decimals: frozenset[str]  # signs that can only be of decimals
    thousands: frozenset[str]  # ... only of thousands
    open: frozenset[str]  # ... of either
    units: frozenset[str]


def is_missing(cell: str) -> bool:
    """Whether nothing is told here."""
    return cell.strip().lower() in MISSING


def is_no_number(cell: str) -> bool:
    """Whether a cell among numbers says that there is none."""
    return cell.strip().lower() in NO_NUMBER


def looks_numeric(cell: str) -> bool:
    """Whether a cell is a number in one style or another."""
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
    """What these cells, all of them numbers, say of their style."""
    decimals, thousands, either, units = (set[str]() for _ in range(4))
    for cell in cells:
        body, unit = _body(cell)
        units.add(unit)
        grouped = _grouped(body)
        if grouped is None:
            decimals.update(sign for sign in ".," if sign in body)
        elif grouped[2]:  # both signs: the last is of decimals
            thousands.add(grouped[1])
            decimals.add(grouped[2])
        elif grouped[1] not in ".," or body.count(grouped[1]) > 1:
            thousands.add(grouped[1])
        else:
            either.add(grouped[1])
    return Evidence(*map(frozenset, (decimals, thousands, either, units)))


def decide(cells: Sequence[str], found: Evidence, others: str, separator: str) -> Style:
    """The style of a column, given what the other columns take for decimals ("" if unknown)."""
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
    """The sign of decimals where every cell that has one could be of thousands as well."""
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
    """The cells as numbers; ValueError has the first cell that is none as its argument."""
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

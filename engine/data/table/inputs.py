"""The inputs that the network gets from a table: which columns, how text and gaps are encoded."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.data.description import Column, span
from engine.data.files import check_shape
from engine.data.reading import Missing
from engine.data.row_numbers import tell_classes
from engine.data.table.columns import Typed
from engine.data.table.grid import Grid
from engine.data.table.numerals import is_missing
from engine.data.table.target import check_small
from engine.number_format import written
from engine.types import Array, Integers

CONSTANT = ": the same in all rows, so it is left out."
CONSTANTS = ": each the same in all rows, so they are left out."
LISTED = 6  # names in a notice
ONE_HOT = 20  # distinct texts, up to which a column is one-hot encoded
INDEX = re.compile(
    r"(?:.*[_\s.])?(?:id|idx|index|nr|no|row|rownames|number|key|#|column \d+|unnamed: \d+)"
    r"|.*[a-z]I[dD]|ID"
)


@dataclass
class Plan:
    """The use of each column except the target."""

    used: list[int] = field(default_factory=list)
    uses: dict[int, tuple[str, str]] = field(default_factory=dict)  # kind and use
    notices: list[str] = field(default_factory=list)


def plan(grid: Grid, typed: Sequence[Typed], target: int) -> Plan:
    """Choose the inputs; ValueError if a column can be neither used nor left out."""
    made = Plan()
    indices = list[int]()
    for n, column in enumerate(typed):
        if n == target:
            continue
        kind, use, notice = _use(grid, column)
        made.uses[n] = kind, use
        if notice:
            made.notices.append(notice)
        if use != "left out":
            made.used.append(n)
            if kind == "number" and _is_index(grid, column):
                indices.append(n)
    made.notices[:] = _together(made.notices)
    _leave_out(grid, typed, made, indices, target)
    if not made.used:
        found = "; ".join(["none", *made.notices]).removesuffix(".")
        raise ValueError(
            f"{grid.name}: expected a column of inputs beside the target, found {found}"
        )
    return made


def _together(notices: Sequence[str]) -> list[str]:
    """One notice for all columns that have the same notice."""
    names = [notice.removesuffix(CONSTANT) for notice in notices if notice.endswith(CONSTANT)]
    if len(names) < 2:
        return list(notices)
    together = f"{_listed(names)}{CONSTANTS}"
    return [together, *(notice for notice in notices if not notice.endswith(CONSTANT))]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - LISTED:,} more columns" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def _use(grid: Grid, column: Typed) -> tuple[str, str, str]:
    """The kind of a column, its use, and a notice."""
    name = column.name
    if column.kind == "empty":
        return "constant", "left out", f"{name} is empty: it is left out."
    if column.refusal:
        raise ValueError(f"{grid.name}: column {name!r} {column.refusal}")
    if column.wrong is not None:
        found = column.written(column.wrong)[:40]
        place = grid.place(column.wrong, name)
        raise ValueError(f"{place}: expected a number, found {found!r}")
    if column.values is not None:
        known = column.values[~np.isnan(column.values)]
        if len(known) > 1 and known.min() == known.max():
            return "constant", "left out", f"{name}{CONSTANT}"
        return column.kind, "input", column.notice
    texts = {cell for cell in column.cells or [] if not is_missing(cell)}
    if len(texts) == 1 and sum(cell in texts for cell in column.cells or []) > 1:
        return "constant", "left out", f"{name}{CONSTANT}"
    if len(texts) > ONE_HOT:
        return (
            "text",
            "left out",
            (f"{name} has {len(texts):,} different texts, more than {ONE_HOT}: it is left out."),
        )
    return "text", "one-hot", f"{name} becomes {len(texts)} inputs, one a text."


def _is_index(grid: Grid, column: Typed) -> bool:
    """Whether a column only numbers the rows: by its values, or by its name."""
    values = column.values
    if values is None or len(values) < 3 or not np.isfinite(values).all():
        return False
    if np.all(np.diff(values) == 1):
        return True
    whole = bool(np.all(values == values.round()))
    return whole and _is_called_index(grid, column) and len(np.unique(values)) == len(values)


def _is_called_index(grid: Grid, column: Typed) -> bool:
    lowered = column.name.lower()
    return bool(INDEX.fullmatch(column.name) or INDEX.fullmatch(lowered))


def _leave_out(
    grid: Grid, typed: Sequence[Typed], made: Plan, indices: Sequence[int], target: int
) -> None:
    """An index is left out if there are other inputs; one with another name may be kept."""
    for n in indices:
        name = typed[n].name
        tells = _tells(typed[n], typed[target])
        says = f"{name} numbers the rows{' and alone gives the answer away' if tells else ''}"
        counted = not grid.header and n == 0
        if len(made.used) > 1 and (counted or _is_called_index(grid, typed[n])):
            made.used.remove(n)
            made.uses[n] = "index", "left out"
            made.notices.append(f"{says}: it is left out.")
        else:
            made.notices.append(f"{says}: no new example will have such a number.")


def _tells(index: Typed, target: Typed) -> bool:
    """Whether the rows, in the order of this index, are sorted by class."""
    if index.values is None:
        return False
    answers = np.array([target.written(row) for row in range(len(index.values))])
    return tell_classes(index.values, answers)


# ---- missing values -----------------------------------------------------------------------------


def missing_rows(grid: Grid, typed: Sequence[Typed], used: Sequence[int]) -> Integers:  # (M,)
    """The numbers of the rows in which one of these columns has a missing value."""
    gaps = np.zeros(len(grid.lines), bool)
    for n in used:
        gaps |= typed[n].missing()
    return np.flatnonzero(gaps)


def refuse_missing(
    grid: Grid,
    typed: Sequence[Typed],
    used: Sequence[int],
    target: int,
    rows: Integers,  # (M,) the numbers of those with a missing value
) -> None:
    """Raise ValueError with the place of the first missing value, their number, the remedies."""
    row = int(rows[0])
    column = next(typed[n] for n in used if typed[n].missing()[row])
    cell = column.written(row)
    wanted = "a number" if column.kind == "number" else "a text"
    wanted = "an answer" if column is typed[target] else wanted
    raise ValueError(
        f"{grid.place(row, column.name)}: expected {wanted}, found {cell or 'an empty cell'};"
        f" {len(rows):,} of {len(grid.lines):,} rows have a missing value: choose data.missing=drop"
        " to leave them out, or data.missing=median to fill them in"
    )


def matrix(
    grid: Grid, typed: Sequence[Typed], used: Sequence[int], rows: Integers, missing: Missing | None
) -> tuple[Array, tuple[str, ...], list[str]]:
    """Inputs `(N, I)` of these rows, their names, and notices of what was filled in."""
    parts, names, notices = list[Array](), list[str](), list[str]()
    for n in used:
        column = typed[n]
        if column.values is None:
            texts, filled = _filled_words(column, rows, missing)
            distinct = sorted(set(texts))
            parts += [np.fromiter((w == word for w in texts), float) for word in distinct]
            names += [f"{column.name}={word}" for word in distinct]
        else:
            values, filled = _filled_numbers(column, rows, missing)
            check_small(grid, column, values, rows)
            parts.append(values)
            names.append(column.name)
        if filled:
            notices.append(f"{column.name}: {filled}.")
    check_shape((len(rows), len(parts)), grid.name)
    return np.stack(parts, axis=1), tuple(names), notices


def _filled_numbers(column: Typed, rows: Integers, missing: Missing | None) -> tuple[Array, str]:
    values = np.asarray(column.values)[rows]
    gaps = np.isnan(values)
    if missing != "median" or not gaps.any():
        return values, ""
    median = float(np.median(values[~gaps]))
    return np.where(
        gaps, median, values
    ), f"{gaps.sum():,} filled in by the median, {written(median)}"


def _filled_words(column: Typed, rows: Integers, missing: Missing | None) -> tuple[list[str], str]:
    texts = [(column.cells or [])[row] for row in rows.tolist()]
    counts = Counter(word for word in texts if not is_missing(word))
    gaps = len(texts) - counts.total()
    if missing != "median" or not gaps:
        return texts, ""
    common = counts.most_common(1)[0][0]
    return (
        [common if is_missing(word) else word for word in texts],
        f"{gaps:,} filled in by the most frequent, {common}",
    )


def describe_column(column: Typed, kind: str, use: str) -> Column:
    """A column's description for the user."""
    if column.values is not None and len(finite := column.values[np.isfinite(column.values)]):
        if column.kind == "date":
            cells = [cell for cell in column.cells or [] if not is_missing(cell)]
            return Column(column.name, kind, use, f"{cells[0]} to {cells[-1]}")
        return Column(column.name, kind, use, span(float(finite.min()), float(finite.max())))
    distinct = len({cell for cell in column.cells or [] if not is_missing(cell)})
    return Column(column.name, kind, use, f"{distinct:,} different" if distinct else "")

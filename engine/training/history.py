"""An append-only table of a run, dense at first and sparser as the run goes on."""

import copy
import csv
import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from engine.memoize import memoize
from engine.types import Array

RESOLUTION = 100  # rows per factor e of steps: neighbours lie 1 % of the run apart
ROWS_ADDED = 128  # rows by which a full table grows, at least: each visitor has one or two
AFRESH = 20  # ... after a change they lie 5 % of the steps since then apart, if that is less


class Curves(Mapping[str, Array]):
    """The rows of a history at one step, column by column; read-only."""

    # Compared by identity, so that results computed from them can be cached.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __init__(
        self,
        places: Mapping[str, int],
        table: Array,  # (columns, rows)
        grown: dict[Any, tuple[int, Any]] | None = None,  # results of the history, and their rows
    ) -> None:
        self._places = places
        self._table = table
        self.rows = table.shape[1]
        self._grown = {} if grown is None else grown
        table.setflags(write=False)

    def __getstate__(self) -> dict[str, Any]:
        """Copy and pickle the rows alone, not what was computed from them."""
        return {**vars(self), "_grown": {}}

    def __getitem__(self, name: str) -> Array:
        column: Array = self._table[self._places[name]]
        return column

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    @property
    def nbytes(self) -> int:
        """Bytes of all rows."""
        return self._table.nbytes

    @memoize
    def since(self, row: int) -> Mapping[str, list[float]]:
        """The rows from `row` on as plain numbers."""
        return dict(zip(self._places, self._table[:, row:].tolist(), strict=True))

    def grown[*Ts, K](
        self, fact: Callable[[K | None, int, Mapping[str, list[float]], *Ts], K], *others: *Ts
    ) -> K:
        """What is computed from all rows, from the result for those before and the new ones.

        `fact` gets that result (None of no rows), which it must not change, how many rows it is of,
        and those that came since then.
        """
        key = fact, *others
        rows, known = self._grown.get(key, (0, None))
        if rows == self.rows and rows:
            result: K = known
            return result
        if rows > self.rows:  # the history has more rows by now
            return fact(None, 0, self.since(0), *others)
        result = fact(known, rows, self.since(rows), *others)
        self._grown[key] = self.rows, result
        return result

    @memoize
    def last_known(self, name: str) -> tuple[int, float]:
        """The step and value of the last row where a column is finite; 0 and NaN if none is."""
        return self.grown(_last_known).get(name, (0, math.nan))

    def last(self, name: str) -> float:
        """The last value of a column that is not NaN; NaN if there is none."""
        return self.last_known(name)[1]

    def to_csv(self) -> str:
        """The rows as CSV; NaN is an empty cell."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(self)
        for step, *values in self._table.T.tolist():
            table.writerow([int(step), *("" if math.isnan(x) else x for x in values)])
        return text.getvalue()


def _last_known(
    known: Mapping[str, tuple[int, float]] | None, _: int, rows: Mapping[str, list[float]]
) -> Mapping[str, tuple[int, float]]:
    """The step and value of the last finite figure of each column that has one."""
    found = dict(known or {})
    for name, values in rows.items():
        for step, value in zip(reversed(rows["step"]), reversed(values), strict=True):
            if math.isfinite(value):
                found[name] = int(step), value
                break
    return found


class History:
    """Rows of numbers with a column `step`.

    A written row never changes and is never removed, so a reader that has the first rows needs
    only the later ones. Rows are spaced in proportion to the step: a million steps make about 1,000
    rows, and on a logarithmic axis neighbours are too close to be told apart.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = ("step", *names)
        self._places = {name: place for place, name in enumerate(self.names)}
        self._table: Array = np.empty((len(self.names), ROWS_ADDED))
        self._rows = 0
        self._curves: Curves | None = None  # cached until the next row
        self._grown: dict[Any, tuple[int, Any]] = {}  # what was computed from the rows so far
        self._due = 0
        self.last = self._changed = 0  # steps: of the last row, and of that before the last change

    def __getstate__(self) -> dict[str, Any]:
        """Copy and pickle the rows alone, not what was computed from them."""
        return {**vars(self), "_grown": {}}

    def __len__(self) -> int:
        return self._rows

    def due(self, step: int) -> bool:
        """Whether a row should be written at `step`."""
        return step >= self._due

    def make_due(self) -> None:
        """Request a row at the next step, whatever the spacing, and close ones after it."""
        self._due = 0
        self._changed = self.last

    def append(self, step: int, values: Mapping[str, float]) -> None:
        """Write one row; a missing value becomes NaN."""
        if self._rows == len(self._table.T):
            # A new array, not a resize in place: curves handed out keep the old one.
            more = np.empty((len(self.names), max(ROWS_ADDED, self._rows // 4)))
            self._table = np.concatenate([self._table, more], axis=1)
        self._table[:, self._rows] = [step, *(values.get(name, np.nan) for name in self.names[1:])]
        self._take(step)

    def _take(self, step: int) -> None:
        self._rows += 1
        self._curves = None
        self.last = step
        self._due = step + max(1, min(step // RESOLUTION, (step - self._changed) // AFRESH))

    def mark(self) -> "History":
        """Its state without the rows, from which `rewound` restores it."""
        mark = copy.copy(self)
        mark._table, mark._curves = np.empty((0, 0)), None
        return mark

    def rewound(self, mark: "History") -> "History":
        """The table as it was at a mark; `repeat` appends the rows that followed."""
        past = copy.copy(mark)
        past._table = self._table
        return past

    def repeat(self) -> dict[str, float]:
        """Append the next known row, and return its figures."""
        step, *values = self._table[:, self._rows].tolist()
        self._take(int(step))
        return dict(zip(self.names[1:], values, strict=True))

    def compact_copy(self) -> "History":
        """A copy of all rows, in a table of no more rows."""
        other = copy.copy(self)
        other._table, other._curves = self._table[:, : self._rows].copy(), None
        return other

    def forget_later_rows(self) -> None:
        """Forget the known later rows, and append to a table of its own."""
        self._table, self._grown = self._table.copy(), {}

    def curves(self) -> Curves:
        """All rows so far, without copying them; the same object until there is a new one."""
        if self._curves is None:
            table = self._table[:, : self._rows]
            self._curves = Curves(self._places, table, self._grown)
        return self._curves

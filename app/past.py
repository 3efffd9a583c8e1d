"""Other runs in the curves of this one: the run before it, faint, and those that were pinned."""

import math
from collections.abc import Mapping
from weakref import WeakKeyDictionary

import numpy as np

from app import theme
from app.columns import Columns, rounded
from engine import Curves, PastRun, Snapshot

POINTS = 150  # of a curve, at most

type Line = tuple[list[float | None], list[float | None]]

_lines: WeakKeyDictionary[PastRun, dict[tuple[str, ...], Line]] = WeakKeyDictionary()


def ghosts(snapshot: Snapshot, view: str, names: Mapping[str, str]) -> dict[str, Columns]:
    """The curves of other runs by their names, each drawn with the dash that is given for it.

    Of several curves whose names end in a star, such as "ratio *", the median is drawn.
    """
    x, y, colours, dashes, labels = [], [], [], [], []
    others = [(past, theme.past(n)) for n, past in enumerate(snapshot.pinned)]
    if snapshot.previous:
        others.insert(0, (snapshot.previous, theme.QUIET))
    for past, colour in others:
        for name, dash in names.items():
            steps, values = _line(past, name)
            x.append(steps)
            y.append(values)
            colours.append(colour)
            dashes.append(dash)
            labels.append(past.name if past is not snapshot.previous else "before")
    columns: Columns = {"x": x, "y": y, "colour": colours, "dash": dashes, "label": labels}
    return {f"{view}.ghosts": columns}


def _line(past: PastRun, name: str) -> Line:
    """A curve of a run that is over, thinned; worked out once."""
    known = _lines.setdefault(past, {})
    if (name,) not in known:
        known[name,] = _thinned(past.curves, name)
    return known[name,]


def _thinned(curves: Curves, name: str) -> Line:
    values = _values(curves, name)
    rows = np.flatnonzero(np.isfinite(values))
    rows = rows[:: math.ceil(len(rows) / POINTS) or 1]
    return rounded(curves["step"][rows]), rounded(values[rows])


def _values(curves: Curves, name: str) -> np.ndarray:
    if not name.endswith("*"):
        return curves[name]
    several = np.stack([curves[x] for x in curves if x.startswith(name[:-1])])
    known = np.isfinite(several).any(axis=0)
    values = np.full(several.shape[1], np.nan)
    values[known] = np.nanmedian(several[:, known], axis=0)
    return values

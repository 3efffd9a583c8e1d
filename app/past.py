"""Other runs in the curves of this one: the run before it, faint, and those that were pinned."""

import bisect
import math
from collections.abc import Mapping

import numpy as np

from app import theme
from app.columns import Columns, rounded
from engine import Curves, PastRun, Snapshot, remembered

POINTS = 150  # of a curve, at most

LONGEST = 12  # characters of a name that is written behind a line

type Line = tuple[list[float], list[float]]  # steps and values, all of them finite


def ghosts(snapshot: Snapshot, view: str, names: Mapping[str, str]) -> dict[str, Columns]:
    """The curves of other runs by their names, each drawn with the dash that is given for it.

    Of several curves whose names end in a star, such as "ratio *", the median is drawn.
    """
    x, y, colours, dashes, labels = [], [], [], [], []
    for past, colour in _others(snapshot):
        for name, dash in names.items():
            steps, values = _line(past.curves, name)
            x.append(steps)
            y.append(values)
            colours.append(colour)
            dashes.append(dash)
            labels.append(_label(snapshot, past))
    columns: Columns = {"x": x, "y": y, "colour": colours, "dash": dashes, "label": labels}
    return {f"{view}.ghosts": columns}


def ghost_ends(snapshot: Snapshot, name: str) -> list[tuple[str, float, str]]:
    """Label, value and colour of that curve of other runs, at the step that this run is at.

    A run that ended earlier has the value that it ended with.
    """
    ends = []
    for past, colour in _others(snapshot):
        steps, values = _line(past.curves, name)
        passed = bisect.bisect_right(steps, snapshot.step)
        if passed:
            ends.append((_label(snapshot, past), values[passed - 1], colour))
    return ends


def _others(snapshot: Snapshot) -> list[tuple[PastRun, str]]:
    """The run before this one and those that were pinned, each with its colour."""
    others = [(past, theme.past(n)) for n, past in enumerate(snapshot.pinned)]
    return [(snapshot.previous, theme.QUIET), *others] if snapshot.previous else others


def _label(snapshot: Snapshot, past: PastRun) -> str:
    if past is snapshot.previous:
        return "before"
    return past.name if len(past.name) <= LONGEST else f"{past.name[: LONGEST - 1]}…"


@remembered
def _line(curves: Curves, name: str) -> Line:
    """A curve of a run that is over, thinned."""
    values = _values(curves, name)
    rows = np.flatnonzero(np.isfinite(values))
    rows = rows[:: math.ceil(len(rows) / POINTS) or 1]
    steps = [float(step) for step in curves["step"][rows]]
    return steps, [value for value in rounded(values[rows]) if value is not None]


def _values(curves: Curves, name: str) -> np.ndarray:
    if not name.endswith("*"):
        return curves[name]
    several = np.stack([curves[x] for x in curves if x.startswith(name[:-1])])
    known = np.isfinite(several).any(axis=0)
    values = np.full(several.shape[1], np.nan)
    values[known] = np.nanmedian(several[:, known], axis=0)
    return values

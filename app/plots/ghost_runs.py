"""Other runs in the curves of this one: the run before it, faint, and those that were pinned.

They are drawn where they can be compared: on the same data, and of losses under the same loss.
"""

import bisect
import math
from collections.abc import Mapping

import numpy as np

from app import palette
from app.plots.plot_data import Columns, floored, rounded
from engine import Choice, Curves, PastRun, RunConfig, Snapshot, memoize

POINTS = 150  # of a curve, at most

LONGEST = 12  # characters of a name that is written behind a line

type Line = tuple[list[float], list[float]]  # steps and values, all of them finite


def ghosts(snapshot: Snapshot, view: str, names: Mapping[str, str]) -> dict[str, Columns]:
    """The curves of other runs by their names, each drawn with the dash that is given for it.

    Of several curves whose names end in a star, such as "ratio *", the median is drawn.
    """
    x, y, colours, dashes, labels = [], [], [], [], []
    for name, dash in names.items():
        for past, colour in _comparable(snapshot, name):
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
    for past, colour in _comparable(snapshot, name):
        steps, values = _line(past.curves, name)
        passed = bisect.bisect_right(steps, snapshot.step)
        if passed:
            ends.append((_label(snapshot, past), values[passed - 1], colour))
    return ends


def left_out(snapshot: Snapshot, name: str) -> str:
    """Which runs are not drawn, and why: this curve of theirs cannot be compared."""
    told = [(_label(snapshot, past), _apart(snapshot, past, name)) for past, _ in _others(snapshot)]
    words = ", ".join(f"{label} ({reason})" for label, reason in told if reason)
    return f"not drawn: {words}" if words else ""


def _apart(snapshot: Snapshot, past: PastRun, name: str) -> str:
    """Why a curve of another run cannot be compared with this one's; empty if it can."""
    mine, other = snapshot.config, past.config
    if (mine.data.dataset, mine.data.classes) != (other.data.dataset, other.data.classes):
        return "other data"
    if "loss" in name and _unit_of_loss(mine) != _unit_of_loss(other):
        return "other loss"
    return ""


def _unit_of_loss(config: RunConfig) -> tuple[Choice, Choice]:
    return config.optimization.loss, config.data.target_scaling


def _comparable(snapshot: Snapshot, name: str) -> list[tuple[PastRun, str]]:
    return [x for x in _others(snapshot) if not _apart(snapshot, x[0], name)]


def _others(snapshot: Snapshot) -> list[tuple[PastRun, str]]:
    """The run before this one and those that were pinned, each with its colour."""
    others = [(past, palette.past(n)) for n, past in enumerate(snapshot.pinned)]
    before = run_before(snapshot)
    return [(before, palette.QUIET), *others] if before else others


def run_before(snapshot: Snapshot) -> PastRun | None:
    """The run before this one, unless it stands among the pinned ones as it ended."""
    before = snapshot.previous
    pinned = {(past.run, past.step) for past in snapshot.pinned}
    return None if before is None or (before.run, before.step) in pinned else before


def _label(snapshot: Snapshot, past: PastRun) -> str:
    if past is snapshot.previous:
        return "before"
    return past.name if len(past.name) <= LONGEST else f"{past.name[: LONGEST - 1]}…"


@memoize
def _line(curves: Curves, name: str) -> Line:
    """A curve of a run that is over, thinned."""
    values = _values(curves, name)
    rows = np.flatnonzero(np.isfinite(values))
    rows = rows[:: math.ceil(len(rows) / POINTS) or 1]
    steps = [float(step) for step in curves["step"][rows]]
    shown = rounded(values[rows]) if "accuracy" in name else floored(values[rows])
    return steps, [value for value in shown if value is not None]


def _values(curves: Curves, name: str) -> np.ndarray:
    if not name.endswith("*"):
        return curves[name]
    several = np.stack([curves[x] for x in curves if x.startswith(name[:-1])])
    known = np.isfinite(several).any(axis=0)
    values = np.full(several.shape[1], np.nan)
    values[known] = np.nanmedian(several[:, known], axis=0)
    return values

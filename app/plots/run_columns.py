"""What the plots over the run have in common in their frames: axes, epochs, names, changes."""

import math
from collections.abc import Sequence

import numpy as np

from app.plots.plot_data import Columns, floored, rounded
from engine import Curves, Marker, Snapshot, memoize

BEND = 1e-6  # of its slope: what turns by less is a straight line


def axes(view: str, snapshot: Snapshot, low: float, high: float) -> dict[str, Columns]:
    """How far the axes go while the whole run is seen, and the epochs along it."""
    return {
        f"{view}.frame": {"step": [0, snapshot.end], "y": rounded([low, high])},
        f"{view}.cursor": {"step": [snapshot.step] if snapshot.looking else []},
        f"{view}.epochs": epochs(snapshot),
    }


def epochs(snapshot: Snapshot) -> Columns:
    """The epoch at some steps; between them, and after the last, it grows evenly."""
    examples = snapshot.data.training
    batch = min(snapshot.config.optimization.batch_size, examples)
    return _epochs(snapshot.curves, batch / examples)


@memoize
def _epochs(curves: Curves, a_step: float) -> Columns:
    steps, passes = (column.tolist() for column in _bends(curves))
    return {
        "step": [*steps, steps[-1] + 1],  # the next step, which shows the direction
        "epoch": [*passes, passes[-1] + a_step],
    }


def _bends(curves: Curves) -> tuple[np.ndarray, np.ndarray]:
    """The first row, the last, and those where the batch size was turned."""
    step, epoch = curves["step"], curves["epoch"]
    slope = (epoch[1:] - epoch[:-1]) / (step[1:] - step[:-1])
    bent = np.abs(slope[1:] - slope[:-1]) > BEND * slope[1:]
    kept = [0, *(1 + bent.nonzero()[0]), *([curves.rows - 1] if curves.rows > 1 else [])]
    return step[kept], epoch[kept]


def names(step: int, lines: Sequence[tuple[str, float, str]], *, log: bool) -> Columns:
    """What is written beside the ends of lines, and where those are; the browser finds room.

    `lines` are names, values and colours.
    """
    known = [line for line in lines if math.isfinite(line[1])]
    values = [value for _, value, _ in known]
    return {
        "step": [step] * len(known),
        "y": floored(values) if log else rounded(values),
        "label": [name for name, _, _ in known],
        "colour": [colour for _, _, colour in known],
    }


def markers(snapshot: Snapshot, since: int, view: str) -> dict[str, Columns]:
    """The changes that belong to the rows after `since`, up to the last row."""
    steps: list[int] = []
    labels: list[str] = []
    for marker in snapshot.markers if since + 1 < snapshot.curves.rows else ():
        if since < marker.row < snapshot.curves.rows:
            steps.append(marker.step)
            labels.append(marker.text)
    marked = set(zip(steps, labels, strict=True))
    for marker in _of_other(snapshot, since):
        if (marker.step, marker.text) not in marked:
            steps.append(marker.step)
            labels.append(f"B: {marker.text}")
    return {f"{view}.markers": {"step": steps, "label": labels}}


def _of_other(snapshot: Snapshot, since: int) -> list[Marker]:
    """The changes of run B since the row `since` of this one."""
    if snapshot.other is None or since + 1 >= snapshot.curves.rows:
        return []
    steps = snapshot.curves["step"]
    known = steps[since] if since >= 0 else -1
    return [x for x in snapshot.other.markers if known <= x.step < steps[-1]]

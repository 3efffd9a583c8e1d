"""What the plots over the run have in common in their frames: axes, epochs, names, changes."""

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from app.plots.plot_data import Columns, Numbers, floored, rounded
from engine import Curves, Marker, Snapshot, memoize

BEND = 1e-6  # of its slope: what turns by less is a straight line


def axes(view: str, snapshot: Snapshot, low: float, high: float) -> dict[str, Columns]:
    """How far the axes go while the whole run is seen, and the epochs along it."""
    return {
        f"{view}.frame": {"step": [0, snapshot.end], "y": _range(low, high)},
        f"{view}.cursor": {"step": [snapshot.step] if snapshot.looking_back else []},
        f"{view}.epochs": epochs(snapshot),
    }


def epochs(snapshot: Snapshot) -> Columns:
    """The epoch at some steps; between them, and after the last, it grows evenly."""
    examples = snapshot.data.training
    batch = min(snapshot.config.optimization.batch_size, examples)
    return _epochs(snapshot.curves, batch / examples)


@memoize
def _epochs(curves: Curves, a_step: float) -> Columns:
    bends, last = curves.grown(_bends)
    known = bends if last.row == 0 else (*bends, last)
    end = known[-1]
    return {
        "step": [*(x.step for x in known), end.step + 1],  # the next step shows the direction
        "epoch": [*(x.epoch for x in known), end.epoch + a_step],
    }


class _Row(NamedTuple):
    row: int
    step: float
    epoch: float
    slope: float  # epochs a step since the row before


type _Bends = tuple[tuple[_Row, ...], _Row]


def _bends(known: _Bends | None, begin: int, rows: Mapping[str, Sequence[float]]) -> _Bends:
    """The first row and those where the batch size was turned; and the last row."""
    bends, last = known or ((), None)
    for row, (step, epoch) in enumerate(zip(rows["step"], rows["epoch"], strict=True), begin):
        if last is None:
            last = _Row(row, step, epoch, math.nan)
            bends = (last,)
            continue
        slope = _slope(epoch - last.epoch, step - last.step)
        if abs(slope - last.slope) > BEND * slope:
            bends = (*bends, last)
        last = _Row(row, step, epoch, slope)
    if last is None:
        raise ValueError("a history without rows has no epochs")
    return bends, last


def _slope(epochs: float, steps: float) -> float:
    """Epochs a step; a run that diverges ends with a second row at its last step."""
    return epochs / steps if steps else math.inf * epochs if epochs else math.nan


class End(NamedTuple):
    """The end of a line: what is written there, and where that is."""

    name: str
    step: int  # of its last point, which on a dear network is not the step that is shown
    value: float
    colour: str
    curve: str = ""  # the name of its curve, if that is another


def names(step: int, lines: Iterable[End], *, log: bool) -> Columns:
    """What is written behind this step, and where the lines end that it names.

    The browser places them.
    """
    ends = _ends(tuple(lines), log=log)
    return {"step": [step] * len(ends["end"]), **ends}


@functools.lru_cache(1024)  # of a few plots of each visitor: nearly always as in the last frame
def _ends(lines: tuple[End, ...], *, log: bool) -> Columns:
    known = [line for line in lines if math.isfinite(line.value)]
    values = [line.value for line in known]
    return {
        "end": [line.step for line in known],
        "y": floored(values) if log else rounded(values),
        "label": [line.name for line in known],
        "curve": [line.curve or line.name for line in known],
        "colour": [line.colour for line in known],
    }


@functools.lru_cache(1024)
def _range(low: float, high: float) -> Numbers:
    return rounded([low, high])


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

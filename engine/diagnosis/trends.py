"""What the curves of a run show, computed once for each new row.

Curves get a row every 1 % of a run, but findings are computed for every frame. `first` is the first
row that belongs to the current settings.
"""

import math
from bisect import bisect_left
from statistics import median

import numpy as np

from engine.memoize import memoize
from engine.training.history import Curves
from engine.types import Array

RECENT = 20  # latest rows that count as current, at most, ...
LATE = 1 / 3  # ... and only in this last part of the steps, so that they are current
FEWEST = 3  # ... but at least so many rows


@memoize
def recent(curves: Curves, name: str, first: int) -> float:
    """The median of a column's latest values."""
    return _late_median(curves["step"][first:], curves[name][first:])


@memoize
def recent_gap(curves: Curves, first: int) -> float:
    """The median of the latest gaps between training and validation accuracy.

    Both swing together: the gap of two medians would depend on which rows are judged.
    """
    gaps = curves["train_accuracy"][first:] - curves["validation_accuracy"][first:]
    return _late_median(curves["step"][first:], gaps)


@memoize
def objective_now(curves: Curves, first: int) -> float:
    """The median of the latest values of the objective: the loss plus its penalty."""
    return _late_median(curves["step"][first:], _objective(curves)[first:])


def _late_median(steps: Array, column: Array) -> float:
    """The median of the latest values, as lists: NumPy takes several times as long for so few."""
    at, values = steps[-RECENT:].tolist(), column[-RECENT:].tolist()
    if not all(map(math.isfinite, values)):  # some more lie further back
        known = np.flatnonzero(np.isfinite(column))[-RECENT:]
        at, values = steps[known].tolist(), column[known].tolist()
    if len(values) > FEWEST:
        begin, end = float(steps[0]), float(steps[-1])
        late = end - LATE * (end - begin)
        values = values[min(bisect_left(at, late), len(values) - FEWEST) :]
    return median(values) if values else math.nan


@memoize
def ratio(curves: Curves, first: int) -> float:
    """The median over the layers of their latest update/weight ratios."""
    ratios = (recent(curves, name, first) for name in curves if name.startswith("ratio "))
    known = [x for x in ratios if math.isfinite(x)]
    return median(known) if known else math.nan


@memoize
def largest_ratio(curves: Curves, first: int) -> float:
    """The largest update/weight ratio of any layer so far."""
    columns = (curves[name][first:] for name in curves if name.startswith("ratio "))
    return max((float(np.fmax.reduce(x, initial=0)) for x in columns), default=0.0)


@memoize
def least_objective(curves: Curves, first: int) -> float:
    """The lowest value of the objective so far, averaged over several rows."""
    column = _objective(curves)[first:]
    whole = len(column) // RECENT * RECENT
    means = np.add.reduce(column[:whole].reshape(-1, RECENT), axis=1) / RECENT
    return float(np.fmin.reduce(means, initial=np.inf))  # ignores NaN


@memoize
def _objective(curves: Curves) -> Array:
    """The objective: the loss plus the penalty, which is not known in every row."""
    loss, penalty = curves["loss"], curves["penalty"]
    finite = np.isfinite(penalty)
    if not finite.all():
        known = np.maximum.accumulate(np.where(finite, np.arange(len(penalty)), 0))
        penalty = np.nan_to_num(penalty[known])
    objective: Array = loss + penalty
    return objective


@memoize
def settled(curves: Curves, first: int) -> bool:
    """Whether the loss has stopped falling: its last fifth is no better than the fifth before."""
    steps = curves["step"][first:]
    if len(steps) < 2 * RECENT:
        return False
    late = steps[-1] - 0.4 * (steps[-1] - steps[0])
    loss = curves["loss"][first:][np.searchsorted(steps, late, side="right") :]
    half = len(loss) // 2
    if half < FEWEST:
        return False
    before, after = np.add.reduce(loss[:half]) / half, np.add.reduce(loss[half:]) / len(loss[half:])
    return bool(after > 0.99 * before)


@memoize
def flat(curves: Curves, first: int, level: float) -> float:
    """Steps from the row `first` on until the loss left this level."""
    steps, loss = curves["step"][first:], curves["loss"][first:]
    if not len(steps):
        return 0.0
    still = np.abs(loss - level) < 0.03 * level
    moved = int(still.argmin())  # the first False, if there is one
    return float(steps[-1 if still[moved] else moved] - steps[0])


@memoize
def judged(curves: Curves, first: int) -> int:
    """How many rows have a validation loss."""
    return int(np.isfinite(curves["validation_loss"][first:]).sum())


@memoize
def risen(curves: Curves, first: int) -> float:
    """The latest validation loss divided by the lowest one."""
    loss = curves["validation_loss"][first:]
    known = loss[np.isfinite(loss)]
    if not len(known):
        return math.nan
    last, best = median(known[-FEWEST:].tolist()), float(known.min())
    return last / best if best > 0 else math.inf  # hinge loss can be exactly 0


@memoize
def before(curves: Curves, name: str, row: int) -> float:
    """The last value of a column before a row."""
    column = curves[name][:row]
    known = column[np.isfinite(column)]
    return float(known[-1]) if len(known) else math.nan

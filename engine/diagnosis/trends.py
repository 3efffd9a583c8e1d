"""What the curves of a run show, computed once for each new row.

Curves get a row every 1 % of a run, but findings are computed for every frame. `first` is the first
row that belongs to the current settings.
"""

import math
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
    return _last_median(curves["step"][first:], curves[name][first:])


@memoize
def objective_now(curves: Curves, first: int) -> float:
    """The median of the latest values of the objective: the loss plus its penalty."""
    return _last_median(curves["step"][first:], _objective(curves)[first:])


def _last_median(steps: Array, column: Array) -> float:
    known = np.flatnonzero(np.isfinite(column))[-RECENT:]
    if len(known) > FEWEST:
        late = steps[-1] - LATE * (steps[-1] - steps[0])
        known = known[min(np.searchsorted(steps[known], late), len(known) - FEWEST) :]
    return _median(column[known]) if len(known) else math.nan


def _median(few: Array) -> float:
    """The median of a few numbers, for which NumPy's own takes five times as long."""
    ordered, middle = np.sort(few), len(few) // 2
    return float(ordered[middle] if len(few) % 2 else (ordered[middle - 1] + ordered[middle]) / 2)


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
    means = column[:whole].reshape(-1, RECENT).mean(axis=1)
    return float(np.fmin.reduce(means, initial=np.inf))  # ignores NaN


@memoize
def _objective(curves: Curves) -> Array:
    """The objective: the loss plus the penalty, which is not known in every row."""
    penalty = curves["penalty"]
    known = np.maximum.accumulate(np.where(np.isfinite(penalty), np.arange(len(penalty)), 0))
    objective: Array = curves["loss"] + np.nan_to_num(penalty[known])
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
    return half >= FEWEST and bool(loss[half:].mean() > 0.99 * loss[:half].mean())


@memoize
def flat(curves: Curves, first: int, level: float) -> float:
    """Steps from the row `first` on until the loss left this level."""
    steps, loss = curves["step"][first:], curves["loss"][first:]
    moved = np.flatnonzero(~(np.abs(loss - level) < 0.03 * level))
    return float(steps[moved[0] if len(moved) else -1] - steps[0]) if len(steps) else 0.0


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
    last, best = float(np.median(known[-FEWEST:])), float(known.min())
    return last / best if best > 0 else math.inf  # hinge loss can be exactly 0


@memoize
def before(curves: Curves, name: str, row: int) -> float:
    """The last value of a column before a row."""
    column = curves[name][:row]
    known = column[np.isfinite(column)]
    return float(known[-1]) if len(known) else math.nan

"""What the curves of a run say about it, worked out once for each new row.

A row is written every 1 % of a run, and findings are looked for with every frame.
"""

import itertools
import math
from statistics import median

import numpy as np

from engine.history import Curves
from engine.remembered import remembered

RECENT = 20  # rows of the history that count as now


@remembered
def recent(curves: Curves, name: str, first: int) -> float:
    """The median of a column's last values, none of them from before the row `first`."""
    latest = reversed(curves[name][first:][-5 * RECENT :].tolist())
    known = sorted(itertools.islice(filter(math.isfinite, latest), RECENT))
    return known[len(known) // 2] if known else math.nan


@remembered
def ratio(curves: Curves, first: int) -> float:
    """The median over the layers of their last update/weight ratios."""
    ratios = (recent(curves, name, first) for name in curves if name.startswith("ratio "))
    known = [x for x in ratios if math.isfinite(x)]
    return median(known) if known else math.nan


@remembered
def lowest(curves: Curves, name: str) -> float:
    """The lowest value of a column so far, each the mean of several rows."""
    column = curves[name]
    whole = len(column) // RECENT * RECENT
    means = column[:whole].reshape(-1, RECENT).mean(axis=1)
    return float(np.fmin.reduce(means, initial=np.inf))  # passes over what is no number


@remembered
def flat(curves: Curves, first: int, level: float) -> float:
    """Steps from the row `first` on until the loss left this level."""
    steps, loss = curves["step"][first:], curves["loss"][first:]
    moved = np.flatnonzero(~(np.abs(loss - level) < 0.03 * level))
    return float(steps[moved[0] if len(moved) else -1] - steps[0]) if len(steps) else 0.0


@remembered
def judged(curves: Curves) -> tuple[int, float]:
    """How often the run was judged, and its lowest loss on the validation examples."""
    loss = curves["validation_loss"]
    known = loss[np.isfinite(loss)]
    return len(known), float(known.min(initial=math.inf))

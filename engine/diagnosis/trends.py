"""What the curves of a run show, computed once for each new row.

Curves get a row whenever the steps have grown by 1 %, but findings are computed for every frame.
`first` is the first row that belongs to the current settings.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from operator import itemgetter
from statistics import median
from typing import NamedTuple

import numpy as np

from engine.memoize import memoize
from engine.training.history import Curves

# The latest rows count as current: those in the last part of the steps, within these numbers.
LATE = 1 / 3
RECENT = 20  # at most
FEWEST = 3  # at least


type Latest = tuple[tuple[int, float, float], ...]  # row, step and value of the last finite ones
_STEP, _VALUE = itemgetter(1), itemgetter(2)


@memoize
def recent(curves: Curves, name: str, first: int) -> float:
    """The median of a column's latest values."""
    return _late_median(curves, curves.grown(_latest, name), first)


@memoize
def recent_gap(curves: Curves, first: int) -> float:
    """The median of the latest gaps between training and validation accuracy.

    Both swing together: the gap of two medians would depend on which rows are evaluated.
    """
    return _late_median(curves, curves.grown(_latest_gaps), first)


@memoize
def objective_now(curves: Curves, first: int) -> float:
    """The median of the latest values of the objective: the loss plus its penalty."""
    return _late_median(curves, curves.grown(_objective, first).latest, first)


def _latest(
    known: Latest | None, begin: int, rows: Mapping[str, Sequence[float]], name: str
) -> Latest:
    """The last finite values of a column."""
    return ((known or ()) + _finite(begin, rows["step"], rows[name]))[-RECENT:]


def _latest_gaps(known: Latest | None, begin: int, rows: Mapping[str, Sequence[float]]) -> Latest:
    train, validation = rows["train_accuracy"], rows["validation_accuracy"]
    gaps = [a - b for a, b in zip(train, validation, strict=True)]
    return ((known or ()) + _finite(begin, rows["step"], gaps))[-RECENT:]


def _finite(begin: int, steps: Sequence[float], values: Sequence[float]) -> Latest:
    """Those values that are finite, of the rows from `begin` on."""
    found = []
    for row, value in enumerate(values):
        if math.isfinite(value):
            found.append((begin + row, steps[row], value))
    return tuple(found)


def _late_median(curves: Curves, latest: Latest, first: int) -> float:
    """The median of the latest values since the row `first`."""
    if latest and latest[0][0] < first:
        latest = tuple([x for x in latest if x[0] >= first])
    if len(latest) > FEWEST:
        steps = curves["step"]
        begin, end = steps.item(first), steps.item(-1)
        since = end - LATE * (end - begin)
        latest = latest[min(bisect_left(latest, since, key=_STEP), len(latest) - FEWEST) :]
    return median(map(_VALUE, latest)) if latest else math.nan


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
    return curves.grown(_objective, first).least


class _Objective(NamedTuple):
    penalty: float  # the last one known: it is not in every row
    latest: Latest
    some: tuple[float, ...]  # values of the last rows, too few to be averaged
    least: float  # mean of so many


def _objective(
    known: _Objective | None, begin: int, rows: Mapping[str, Sequence[float]], first: int
) -> _Objective:
    """The objective: the loss plus the penalty."""
    penalty = known.penalty if known else float(np.nan_to_num(rows["penalty"][0]))
    values = []
    for loss, measured in zip(rows["loss"], rows["penalty"], strict=True):
        penalty = measured if math.isfinite(measured) else penalty
        values.append(loss + penalty)
    latest = (known.latest if known else ()) + _finite(begin, rows["step"], values)
    some = (known.some if known else ()) + tuple(values[max(0, first - begin) :])
    least = known.least if known else math.inf
    while len(some) >= RECENT:
        mean = float(np.add.reduce(np.array(some[:RECENT])) / RECENT)
        some, least = some[RECENT:], mean if mean < least else least  # not if it is NaN
    return _Objective(penalty, latest[-RECENT:], some, least)


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
    known = curves.grown(_flat, first, level)
    return known.until - known.begin if known else 0.0


class _Flat(NamedTuple):
    begin: float  # step of the first row
    until: float  # step of the row where the loss left the level; else of the last one
    left: bool


def _flat(
    known: _Flat | None, begin: int, rows: Mapping[str, Sequence[float]], first: int, level: float
) -> _Flat | None:
    """Since which step the loss stays at a level, and until which."""
    if known and known.left:
        return known
    steps, losses = rows["step"], rows["loss"]
    for row in range(max(0, first - begin), len(steps)):
        left = not abs(losses[row] - level) < 0.03 * level  # NaN has left it, too
        known = _Flat(known.begin if known else steps[row], steps[row], left)
        if left:
            break
    return known


@memoize
def evaluations(curves: Curves, first: int) -> int:
    """How many rows have a validation loss."""
    return curves.grown(_evaluated, first).rows


@memoize
def risen(curves: Curves, first: int) -> float:
    """The latest validation loss divided by the lowest one."""
    known = curves.grown(_evaluated, first)
    if not known.rows:
        return math.nan
    last, best = median(known.latest), known.least
    return last / best if best > 0 else math.inf  # hinge loss can be exactly 0


class _Evaluated(NamedTuple):
    rows: int  # that have one
    latest: tuple[float, ...]  # the losses in the last few of them
    least: float


def _evaluated(
    known: _Evaluated | None, begin: int, rows: Mapping[str, Sequence[float]], first: int
) -> _Evaluated:
    """The validation losses since the row `first`."""
    so_many, latest, least = known or (0, (), math.inf)
    new = tuple(filter(math.isfinite, rows["validation_loss"][max(0, first - begin) :]))
    return _Evaluated(so_many + len(new), (latest + new)[-FEWEST:], min((least, *new)))


@memoize
def before(curves: Curves, name: str, row: int) -> float:
    """The last value of a column before a row."""
    column = curves[name][:row]
    known = column[np.isfinite(column)]
    return float(known[-1]) if len(known) else math.nan

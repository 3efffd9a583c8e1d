"""From a snapshot to the columns of a frame: pure functions, one a view, without Bokeh.

A frame says what to append to a source (`stream`), which columns to replace (`set`), and which
words to show (`text`). Numbers are rounded to what can be seen.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from app import theme
from engine import Curves, LayerFrame, Snapshot

type Column = Sequence[float | None] | Sequence[str]
type Columns = dict[str, Column]

ROW_HEIGHT = 100  # of one layer's histogram, in the units of its plot
BAR_HEIGHT = 80  # of its tallest bar
LABEL_GAP = 0.02  # of the run: the labels of changes closer than that would overlap
DIGITS = 4  # significant ones of a point on a curve


@dataclass(frozen=True)
class Part:
    """What one view adds to a frame."""

    stream: Mapping[str, Columns] = field(default_factory=dict)
    set: Mapping[str, Columns] = field(default_factory=dict)
    text: Mapping[str, str] = field(default_factory=dict)


def status(snapshot: Snapshot, since: int) -> Part:
    """The line of words: step, epoch, pace and state."""
    return Part(
        text={
            "step": f"{snapshot.step:,}",
            "epoch": f"{snapshot.epoch:,.1f}",
            "pace": f"{snapshot.steps_per_second:,.0f}",
            "status": snapshot.status.value,
        }
    )


def loss(snapshot: Snapshot, since: int) -> Part:
    """The loss on the mini-batches and on the validation examples."""
    curves = snapshot.curves
    names = {"train": "loss", "low": "loss_low", "high": "loss_high"}
    return Part(
        stream={
            "loss": _rows(curves, since, names),
            "loss.judged": _judged(curves, since, {"validation": "validation_loss"}),
        }
        | _markers(snapshot, since, "loss"),
        text={
            "loss.train": theme.number(curves["loss"][-1]),
            "loss.validation": theme.number(_last(curves["validation_loss"])),
        },
    )


def accuracy(snapshot: Snapshot, since: int) -> Part:
    """The share of right answers on fixed training and validation examples."""
    curves = snapshot.curves
    names = {"train": "train_accuracy", "validation": "validation_accuracy"}
    return Part(
        stream={"accuracy": _judged(curves, since, names)} | _markers(snapshot, since, "accuracy"),
        text={f"accuracy.{key}": theme.percent(_last(curves[name])) for key, name in names.items()},
    )


def updates(snapshot: Snapshot, since: int) -> Part:
    """The size of each update against the size of the weights it changes."""
    curves = snapshot.curves
    weights = [tensor.name for tensor in snapshot.tensors]
    names = {f"W{n}": f"ratio {name}" for n, name in enumerate(weights, start=1)}
    return Part(
        stream={"updates": _measured(curves, since, names)} | _markers(snapshot, since, "updates"),
        text={f"updates.{key}": theme.number(_last(curves[name])) for key, name in names.items()},
    )


def activations(snapshot: Snapshot, since: int) -> Part:
    """A histogram for each layer, one above the other, the first layer on top."""
    layers = snapshot.layers
    bins = len(layers[0].counts)
    histograms: Columns = {"x": [float(n) for n in range(bins + 1)]}
    for row, layer in enumerate(layers):
        base = ROW_HEIGHT * (len(layers) - 1 - row)
        heights = _heights(layer)
        histograms[f"base{row}"] = [base] * (bins + 1)
        histograms[f"top{row}"] = [base + int(height) for height in [*heights, heights[-1]]]
    return Part(
        set={
            "activations": histograms,
            "activations.rows": _rows_of_text(layers),
            "activations.ticks": _ticks(layers[0]),
        }
    )


def _heights(layer: LayerFrame) -> np.ndarray:
    tallest = layer.counts.max()
    return np.rint(BAR_HEIGHT * layer.counts / tallest) if tallest else layer.counts


def _rows_of_text(layers: tuple[LayerFrame, ...]) -> Columns:
    bases = [ROW_HEIGHT * (len(layers) - 1 - row) for row in range(len(layers))]
    return {
        "base": [float(base) for base in bases],
        "top": [float(base + ROW_HEIGHT - 3) for base in bases],
        "name": [layer.name for layer in layers],
        "zero": [float(b + round(BAR_HEIGHT * a.zero)) for b, a in zip(bases, layers, strict=True)],
        "text": [
            f"mean {theme.number(a.mean)}  std {theme.number(a.std)}  zero {100 * a.zero:.0f} %"
            for a in layers
        ],
    }


def _ticks(layer: LayerFrame) -> Columns:
    """Where the round values lie among the bins, which are equally wide in asinh."""
    limit = layer.edges[-1]
    bins, reach = len(layer.counts), math.asinh(limit)
    decades = range(max(0, math.floor(math.log10(limit))) + 1)
    steps = sorted({m * 10.0**d for d in decades for m in (1, 3)} | {0.0})
    if len(steps) > 5:
        steps = [0.0, *(10.0**d for d in decades if d % (1 + len(decades) // 4) == 0)]
    values = [s * v for v in steps for s in (-1, 1) if v < 0.98 * limit and (v or s > 0)]
    return {
        "x": [round(bins * (math.asinh(v) + reach) / (2 * reach), 2) for v in values],
        "label": [f"{v:g}".replace("-", "−").replace("e+", "e") for v in values],
    }


def _rows(curves: Curves, since: int, names: Mapping[str, str]) -> Columns:
    return _columns(curves, np.arange(since + 1, curves.rows), names)


def _judged(curves: Curves, since: int, names: Mapping[str, str]) -> Columns:
    """The rows that the network was judged at: on a dear one, not every row."""
    return _rows_with("validation_accuracy", curves, since, names)


def _measured(curves: Curves, since: int, names: Mapping[str, str]) -> Columns:
    """The rows that its weights were measured at: on a dear network, not every row."""
    return _rows_with("penalty", curves, since, names)


def _rows_with(known: str, curves: Curves, since: int, names: Mapping[str, str]) -> Columns:
    rows = np.arange(since + 1, curves.rows)
    return _columns(curves, rows[np.isfinite(curves[known][rows])], names)


def _columns(curves: Curves, rows: np.ndarray, names: Mapping[str, str]) -> Columns:
    columns: Columns = {"step": [int(step) for step in curves["step"][rows]]}
    for key, name in names.items():
        columns[key] = _rounded(curves[name][rows])
    return columns


def _last(values: np.ndarray) -> float:
    """The last value that was measured; a run always has one."""
    return float(values[np.isfinite(values)][-1]) if np.isfinite(values).any() else math.nan


def _markers(snapshot: Snapshot, since: int, view: str) -> dict[str, Columns]:
    """The changes that belong to the rows after `since`, up to the last row."""
    steps: list[int] = []
    labels: list[str] = []
    labelled = -math.inf  # the step of the last change with a label
    for marker in snapshot.markers:
        far = marker.step - labelled > LABEL_GAP * marker.step
        if far:
            labelled = marker.step
        if since < marker.row < snapshot.curves.rows:
            steps.append(marker.step)
            labels.append(marker.text if far else "")
    return {f"{view}.markers": {"step": steps, "label": labels}}


def _rounded(values: np.ndarray) -> list[float | None]:
    """The values to so many digits; what is not finite becomes None, for which JSON has a word."""
    return [float(f"{v:.{DIGITS}g}") if math.isfinite(v) else None for v in values.tolist()]

"""What the views' pure functions make of a snapshot, and the parts that several of them share.

A frame says what to append to a source (`stream`), which columns to replace (`set`), and which
words to show (`text`). Numbers are rounded to what can be seen.
"""

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from engine import Curves, Snapshot

LABEL_GAP = 0.02  # of the run: the labels of changes closer than that would overlap
DIGITS = 4  # significant ones of a point on a curve


class Image(msgspec.Struct, frozen=True):
    """A picture in a column: a byte a pixel, or four (red, green, blue, opacity)."""

    pixels: str  # in base64, row by row, the lowest row first
    shape: tuple[int, int]  # rows and columns


type Column = Sequence[float | None] | Sequence[str] | Sequence[Image] | Sequence[Sequence[float]]
type Columns = dict[str, Column]


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


def image(pixels: np.ndarray) -> Image:  # (rows, columns) of uint8 or uint32
    """A picture, its lowest row first, as a column can hold it."""
    rows, columns = pixels.shape
    return Image(base64.b64encode(np.ascontiguousarray(pixels)).decode(), (rows, columns))


# ---- curves -------------------------------------------------------------------------------------


def all_rows(curves: Curves, since: int, names: Mapping[str, str]) -> Columns:
    """The rows after `since`; `names` are the columns of the source and those of the curves."""
    return _columns(curves, np.arange(since + 1, curves.rows), names)


def judged_rows(curves: Curves, since: int, names: Mapping[str, str]) -> Columns:
    """The rows that the network was judged at: on a dear one, not every row."""
    return _rows_with("validation_accuracy", curves, since, names)


def measured_rows(curves: Curves, since: int, names: Mapping[str, str]) -> Columns:
    """The rows that its weights were measured at: on a dear network, not every row."""
    return _rows_with("penalty", curves, since, names)


def _rows_with(known: str, curves: Curves, since: int, names: Mapping[str, str]) -> Columns:
    rows = np.arange(since + 1, curves.rows)
    return _columns(curves, rows[np.isfinite(curves[known][rows])], names)


def _columns(curves: Curves, rows: np.ndarray, names: Mapping[str, str]) -> Columns:
    columns: Columns = {"step": [int(step) for step in curves["step"][rows]]}
    for key, name in names.items():
        columns[key] = rounded(curves[name][rows])
    return columns


def last_value(values: np.ndarray) -> float:
    """The last value that was measured; a run always has one."""
    return float(values[np.isfinite(values)][-1]) if np.isfinite(values).any() else math.nan


def markers(snapshot: Snapshot, since: int, view: str) -> dict[str, Columns]:
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


def rounded(values: np.ndarray) -> list[float | None]:
    """The values to so many digits; what is not finite becomes None, for which JSON has a word."""
    return [float(f"{v:.{DIGITS}g}") if math.isfinite(v) else None for v in values.tolist()]


def score_name(snapshot: Snapshot) -> str:
    """What accuracy is called here: of values it is the share of their variance explained."""
    return "accuracy" if snapshot.data.classes else "R²"

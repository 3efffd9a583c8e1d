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

ROOM = 0.25  # of the step, behind it, for the names of the lines
LINE_GAP = 0.085  # of an axis, from the name of one line to the next
LABEL_GAP = 0.02  # of the run: the labels of changes closer than that would overlap
DIGITS = 4  # significant ones of a point on a curve


class Image(msgspec.Struct, frozen=True):
    """A picture in a column: a byte a pixel, or four (red, green, blue, opacity)."""

    pixels: str  # in base64, row by row, the lowest row first
    shape: tuple[int, int]  # rows and columns


type Numbers = Sequence[float | None]
type Column = Numbers | Sequence[str] | Sequence[Image] | Sequence[Numbers]
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
            "title": _title(snapshot),
            "health": snapshot.findings[0].rule if snapshot.findings else "healthy",
            "step": f"{snapshot.step:,}",
            "until": "" if snapshot.until is None else f"of {snapshot.until:,}",
            "epoch": f"{snapshot.epoch:,.1f}",
            "pace": f"{snapshot.steps_per_second:,.0f}",
            "status": snapshot.status.value,
        }
    )


def _title(snapshot: Snapshot) -> str:
    """What is tried here, in a few words."""
    model, data = snapshot.config.model, snapshot.config.data.dataset.name
    return f"{model.initializer.name} + {model.activation.name} on {data.partition(' #')[0]}"


def image(pixels: np.ndarray) -> Image:  # (rows, columns) of uint8 or uint32
    """A picture, its lowest row first, as a column can hold it."""
    rows, columns = pixels.shape
    return Image(base64.b64encode(np.ascontiguousarray(pixels)).decode(), (rows, columns))


# ---- axes and the ends of lines ------------------------------------------------------------------


def frame(step: int, low: float, high: float) -> Columns:
    """What the axes of a plot by step have to show: room behind the last step for words."""
    return {"x": [0, round(max(step, 20) * (1 + ROOM))], "y": rounded(np.array([low, high]))}


def ends(
    step: int, lines: Sequence[tuple[str, float, str]], low: float, high: float, *, log: bool
) -> Columns:
    """Where to write the name of each line behind its last value: none on top of another.

    `lines` are names, values and colours; `low` and `high` the ends of the axis.
    """
    known = [line for line in lines if math.isfinite(line[1]) and (line[1] > 0 or not log)]
    known = known[: int(1 / LINE_GAP)]  # for more there is no room
    scale = math.log if log else float
    bottom, top = scale(low), scale(high)
    gap = LINE_GAP * (top - bottom)
    places = np.array([min(max(scale(value), bottom), top) for _, value, _ in known])
    heights = _apart(places, gap)
    heights += max(0.0, bottom + gap / 2 - heights.min(initial=top))
    heights -= max(0.0, heights.max(initial=bottom) - (top - gap / 2))
    return {
        "step": [step] * len(known),
        "y": rounded(np.exp(heights) if log else heights),
        "label": [name for name, _, _ in known],
        "colour": [colour for _, _, colour in known],
    }


def _apart(places: np.ndarray, gap: float) -> np.ndarray:
    """The places moved until no two are closer than `gap`, and together as little as can be.

    Without the gaps that lie below each, they only must not fall: neighbours that would are put at
    their mean, which is the isotonic regression.
    """
    order = np.argsort(places, kind="stable")
    steps = gap * np.arange(len(places))
    groups: list[tuple[float, int]] = []  # the mean of each, and how many are in it
    for place in places[order] - steps:
        mean, size = float(place), 1
        while groups and groups[-1][0] > mean:
            below, others = groups.pop()
            mean = (mean * size + below * others) / (size + others)
            size += others
        groups.append((mean, size))
    moved = np.empty_like(places)
    moved[order] = np.repeat([m for m, _ in groups], [n for _, n in groups]) + steps
    return moved


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


def decades(*values: np.ndarray) -> list[float]:
    """The powers of ten around the positive values: the ends of an axis that does not jump."""
    known = np.concatenate([np.ravel(v) for v in values])
    known = known[np.isfinite(known) & (known > 0)]
    if not known.size:
        return [0.1, 10.0]
    low, high = (float(np.log10(v)) for v in (known.min(), known.max()))
    return [10.0 ** math.floor(low), 10.0 ** max(math.ceil(high), math.floor(low) + 1)]


def positive(values: np.ndarray) -> list[float | None]:
    """The values as a logarithmic axis can show them: what is 0 or less is not there."""
    return [value if value is not None and value > 0 else None for value in rounded(values)]

"""What the views' pure functions make of a snapshot, and the parts that several of them share.

A frame says what to append to a source (`stream`), which columns to replace (`set`), and which
words to show (`text`). Numbers are rounded to what can be seen.
"""

import base64
import functools
import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import msgspec
import numpy as np

from app import numbers
from app.pace_names import BY_NAME, in_short
from engine import Curves, Notice, Pace, Snapshot, Status

FLOOR = 1e-7  # drawn instead of 0 on a logarithmic axis: about what float32 can distinguish from 1
LINE_GAP = 0.085  # of an axis, from the name of one line to the next
STATE = ("status", "play", "play.icon")  # whether the run goes on
PAUSE, PLAY = "Pause", "Play"  # what the button does next
DIGITS = 4  # significant ones of a point on a curve
ROUNDED = f"%.{DIGITS}g"  # two thirds of the time that an f-string takes


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
    # The text alternative, composed only for the few frames that send it.
    alternative: Callable[[], str] | None = None

    def described(self, view: str) -> "Part":
        """This part with its text alternative among the texts."""
        if self.alternative is None:
            return self
        return replace(self, text={**self.text, f"{view}.alt": self.alternative()})


def status(snapshot: Snapshot, since: int) -> Part:
    """The text of the header and the timeline: step, epoch, pace and state."""
    running = snapshot.status is Status.RUNNING
    return Part(
        text={
            "title": _title(snapshot),
            "health": _in_a_word(snapshot),
            "step": numbers.count(snapshot.step),
            "until": "" if snapshot.until is None else f"of {numbers.count(snapshot.until)}",
            "look": _looking(snapshot),
            "branch": _branch(snapshot),
            "lockstep": _lockstep(snapshot),
            "changed": _changed(snapshot),
            "noticed": "" if snapshot.lesson_asks else _noticed(snapshot.noticed),
            "epoch": f"{snapshot.epoch:,.1f}",
            "pace": in_short(snapshot.pace, snapshot.steps_per_second),
            "status": snapshot.status.value,
            "play": PAUSE if running else PLAY,
            "play.icon": "pause" if running else "play_arrow",
            **_marks(snapshot.pace),
        }
    )


def before_it_begins(part: Part) -> Part:
    """Leave out the state: the run of this page starts once it is drawn, and is not paused."""
    return Part(text={k: v for k, v in part.text.items() if k not in STATE})


@functools.lru_cache(64)
def _marks(pace: Pace) -> Mapping[str, str]:
    """The mark before each pace of the list: one before the effective pace, else none."""
    return {f"pace.is.{name}": "✓" if known == pace else "" for name, known in BY_NAME.items()}


def _looking(snapshot: Snapshot) -> str:
    """The text about the past step that is shown; empty while the current state is."""
    if snapshot.looking_back is None or snapshot.looking_back.verified is not None:
        return ""
    step, done = numbers.count(snapshot.looking_back.step), snapshot.looking_back.done
    rebuilt = f", {numbers.percent(done)} rebuilt" if 0 < done < 1 else ""
    return f"Looking at step {step} of {numbers.count(snapshot.end)}{rebuilt}"


def _changed(snapshot: Snapshot) -> str:
    """The steps of all changes, for the timeline to mark: also where no plot is in sight."""
    markers = (*snapshot.markers, *(snapshot.other.markers if snapshot.other else ()))
    return " ".join(map(str, dict.fromkeys(marker.step for marker in markers)))


@functools.lru_cache(64)
def _noticed(noticed: tuple[Notice, ...]) -> str:
    """The findings along the run with their steps, for the timeline to mark."""
    return "; ".join(f"{numbers.count(x.step)}: {x.rule}" for x in noticed)


def _branch(snapshot: Snapshot) -> str:
    """Where this run comes from, if it goes on from another; else what the timeline is for."""
    if snapshot.looking_back and snapshot.looking_back.verified is not None:
        step = numbers.count(snapshot.looking_back.step)
        if snapshot.looking_back.done < 1:
            return f"Step {step} is being made from the link's state."
        done = numbers.decimal_percent(snapshot.looking_back.verified)
        return f"Step {step}, as the link has it: {done} of the run repeated to verify it."
    if waits := _left(snapshot):
        return waits
    if snapshot.parent is None:
        return "Drag to look back at any step."
    step = numbers.count(snapshot.parent.step)
    return f"Run {snapshot.run} goes on from step {step} of run {snapshot.parent.run}."


def _left(snapshot: Snapshot) -> str:
    """How long it takes to the step at which the run pauses, where that is worth waiting for."""
    if snapshot.until is None or snapshot.steps_per_second <= 0:
        return ""
    seconds = (snapshot.until - snapshot.step) / snapshot.steps_per_second
    step = numbers.count(snapshot.until)
    return (
        f"About {numbers.seconds(seconds)} to step {step}, at this speed." if seconds >= 1 else ""
    )


def _lockstep(snapshot: Snapshot) -> str:
    """How run B differs from this one, while both are trained in lockstep."""
    other = snapshot.other
    if other is None:
        return ""
    text = f"A (solid) is run {snapshot.run}, B (dashed) run {other.run},"
    text += f" the same up to step {numbers.count(other.since)}."
    if other.diverged:
        return f"{text} B has diverged."
    distance = numbers.decimal_percent(other.distance)
    return f"{text} Their weights differ by {distance} of the norm of A's."


def _in_a_word(snapshot: Snapshot) -> str:
    """The state of the run in a word: the first finding, else healthy or converged."""
    if snapshot.lesson_asks:
        return ""
    return snapshot.findings[0].rule if snapshot.findings else snapshot.condition.value


def _title(snapshot: Snapshot) -> str:
    """The title of the run: initializer, activation and data set."""
    model, data = snapshot.config.model, snapshot.config.data.dataset.name
    return f"{model.initializer.name} + {model.activation.name} on {data.partition(' #')[0]}"


def image(pixels: np.ndarray) -> Image:  # (rows, columns) of uint8 or uint32
    """A picture, its lowest row first, as a column can hold it."""
    rows, columns = pixels.shape
    return Image(base64.b64encode(np.ascontiguousarray(pixels)).decode(), (rows, columns))


# ---- the ends of lines ------------------------------------------------------------------------


def ends(
    step: int, lines: Sequence[tuple[str, float, str]], low: float, high: float, *, log: bool
) -> Columns:
    """Where to write the name of each line behind its last value, so that none overlap.

    `lines` are names, values and colours; `low` and `high` the ends of the axis.
    """
    known = [line for line in lines if math.isfinite(line[1]) and (line[1] > 0 or not log)]
    known = known[: int(1 / LINE_GAP)]  # for more there is no space
    return {
        "step": [step] * len(known),
        "y": _heights(tuple(value for _, value, _ in known), low, high, log=log),
        "label": [name for name, _, _ in known],
        "colour": [colour for _, _, colour in known],
    }


@functools.lru_cache(1024)  # of a few plots of each visitor: nearly always as in the last frame
def _heights(values: tuple[float, ...], low: float, high: float, *, log: bool) -> Numbers:
    """Where names beside these values do not touch, between the ends of the axis."""
    scale = math.log if log else float
    bottom, top = scale(low), scale(high)
    gap = LINE_GAP * (top - bottom)
    heights = _apart([min(max(scale(value), bottom), top) for value in values], gap)
    up = max(0.0, bottom + gap / 2 - min(heights, default=top))
    down = max(0.0, max(heights, default=bottom) + up - (top - gap / 2))
    heights = [height + up - down for height in heights]
    return rounded([math.exp(height) for height in heights] if log else heights)


def _apart(places: Sequence[float], gap: float) -> list[float]:
    """Move places until no two are closer than `gap`, with the least total movement.

    Less the gaps below each, the places must not decrease. The nearest such sequence is the
    isotonic regression: neighbours in the wrong order are replaced by their mean.
    """
    order = sorted(range(len(places)), key=places.__getitem__)
    groups: list[tuple[float, int]] = []  # the mean of each, and how many are in it
    for below, place in enumerate(order):
        mean, size = places[place] - below * gap, 1
        while groups and groups[-1][0] > mean:
            lower, others = groups.pop()
            mean = (mean * size + lower * others) / (size + others)
            size += others
        groups.append((mean, size))
    moved = [0.0] * len(places)
    means = (mean for mean, size in groups for _ in range(size))
    for below, (place, mean) in enumerate(zip(order, means, strict=True)):
        moved[place] = mean + below * gap
    return moved


# ---- curves -------------------------------------------------------------------------------------


def all_rows(curves: Curves, since: int, names: Mapping[str, str]) -> Columns:
    """The rows after `since`; `names` are the columns of the source and those of the curves."""
    return _rows_with("step", curves, since, names)


def evaluated_rows(curves: Curves, since: int, names: Mapping[str, str]) -> Columns:
    """The rows with validation figures; for an expensive network not every row has them."""
    return _rows_with("validation_accuracy", curves, since, names)


def measured_rows(curves: Curves, since: int, names: Mapping[str, str]) -> Columns:
    """The rows with figures of the weights; for an expensive network not every row has them."""
    return _rows_with("penalty", curves, since, names)


def _rows_with(known: str, curves: Curves, since: int, names: Mapping[str, str]) -> Columns:
    if since + 1 >= curves.rows:  # as in most frames
        return {"step": [], **{key: [] for key in names}}
    rows = curves.since(since + 1)
    kept = [math.isfinite(x) for x in rows[known]]
    if not any(kept):  # as in most frames with a new row
        return {"step": [], **{key: [] for key in names}}
    if not all(kept):
        rows = {name: list(itertools.compress(rows[name], kept)) for name in names.values()} | {
            "step": list(itertools.compress(rows["step"], kept))
        }
    columns: Columns = {"step": [int(step) for step in rows["step"]]}
    for key, name in names.items():
        columns[key] = rounded(rows[name])
    return columns


def rounded(values: np.ndarray | Sequence[float]) -> list[float | None]:
    """Round to `DIGITS` significant digits; infinity and NaN become None, as JSON has neither."""
    plain = values.tolist() if isinstance(values, np.ndarray) else values
    return [float(ROUNDED % v) if math.isfinite(v) else None for v in plain]


def in_variances(snapshot: Snapshot) -> bool:
    """Whether values to predict are scaled, so that the loss is in variances of them."""
    scaling = snapshot.config.data.target_scaling.name
    return not snapshot.data.classes and scaling == "standardize"


def score_name(snapshot: Snapshot) -> str:
    """What accuracy is called here: of values it is the share of their variance explained."""
    return "accuracy" if snapshot.data.classes else "R²"


def decades(values: Iterable[float]) -> list[float]:
    """The powers of ten around the positive values: the ends of an axis that does not jump."""
    known = [value for value in values if 0 < value < math.inf]
    if not known:
        return [0.1, 10.0]
    low, high = math.floor(math.log10(min(known))), math.ceil(math.log10(max(known)))
    return [10.0**low, 10.0 ** max(high, low + 1)]


def floored(values: np.ndarray | Sequence[float]) -> list[float | None]:
    """Round for a logarithmic axis, and raise values below its floor to the floor."""
    return [None if value is None else max(value, FLOOR) for value in rounded(values)]


def floored_rows(rows: Columns) -> Columns:
    """Raise all columns but the steps to the floor of a logarithmic axis."""
    shown: Columns = {}
    for name, column in rows.items():
        numbers = cast(Numbers, column)
        shown[name] = (
            numbers if name == "step" else [x if x is None else max(x, FLOOR) for x in numbers]
        )
    return shown


def positive(values: np.ndarray | Sequence[float]) -> list[float | None]:
    """Round for a logarithmic axis, and leave out values of 0 or less."""
    plain = values.tolist() if isinstance(values, np.ndarray) else values
    return [float(ROUNDED % v) if 0 < v < math.inf else None for v in plain]

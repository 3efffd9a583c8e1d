"""What the views of a search share: its axes in plots, and the colours of its trials."""

import math
from collections.abc import Callable, Sequence

from bokeh.models import CustomJS, FixedTicker, Range1d
from bokeh.models.axes import Axis as PlotAxis
from bokeh.plotting import figure

from app import numbers, palette
from app.panels.search.search_controller import search_progress
from engine import (
    LECTURE_SEARCH,
    Categorical,
    Continuous,
    SearchFrame,
    Snapshot,
    TrialFrame,
    TrialStatus,
    in_words,
    label_of,
    within,
)

TRIAL, SORT, REGION = "search trial", "search sort", "search region"  # what the page reports
MOST_TICKS = 6
MARGIN = 0.05  # share of an axis shown beyond its ends
ENDED = (TrialStatus.FINISHED, TrialStatus.STOPPED, TrialStatus.FAILED)

# The trial nearest to the pointer, unless it is too far away.
NEAREST = """
let nearest = null, least = 0.003
for (const {data} of sources) {
  data.number.forEach((number, i) => {
    const far = (data.x[i] - cb_obj.x) ** 2 + (data.y[i] - cb_obj.y) ** 2
    if (far < least) { least = far; nearest = number }
  })
}
TELL
"""
# The trial whose cell contains the pointer.
INSIDE = """
let nearest = null
for (const {data} of sources) {
  data.number.forEach((number, i) => {
    const across = data.left[i] <= cb_obj.x && cb_obj.x < data.right[i]
    if (across && data.bottom[i] <= cb_obj.y && cb_obj.y < data.top[i]) { nearest = number }
  })
}
TELL
"""
SEND = """
if (nearest != null) { window.babysit_send({kind: "press", name, value: String(nearest)}) }
"""
BRUSHED = """
const {x0, x1, y0, y1} = cb_obj.geometry
if (cb_obj.final) { window.babysit_send({kind: "press", name, value: [x0, x1, y0, y1].join(" ")}) }
"""


def search_of(snapshot: Snapshot) -> SearchFrame | None:
    """The visitor's search."""
    return search_progress(snapshot).frame


def space_of(snapshot: Snapshot) -> Sequence[Continuous | Categorical]:
    """Its axes; before there is a search, those of the lecture's."""
    frame = search_of(snapshot)
    return frame.search.space if frame else LECTURE_SEARCH.space


def ticks(axis: Continuous | Categorical) -> dict[float, str]:
    """Tick labels along an axis, by their places."""
    if isinstance(axis, Categorical):
        return {axis.place(option): in_words(option) for option in axis.options}
    if axis.scale == "linear":
        values = [axis.low + n * (axis.high - axis.low) / 4 for n in range(5)]
    else:
        values = _decades(axis.low, axis.high)
    return {round(axis.place(value), 4): numbers.short(value) for value in values}


def _decades(low: float, high: float) -> list[float]:
    """Powers of ten within a range; in a narrow range also values between them."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for mantissas in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8)):
        stops = [float(f"{m}e{n}") for n in range(first, last + 1) for m in mantissas]
        inside = [stop for stop in stops if low <= stop <= high]
        if len(inside) >= 3:
            return inside[:: 1 + (len(inside) - 1) // MOST_TICKS]
    return [low, high]


def lay_along(drawn: PlotAxis, axis: Continuous | Categorical) -> None:
    """Label a plot's axis, whose range is 0 to 1, with the values of a search axis."""
    labels = ticks(axis)
    drawn.axis_label = label_of(axis.path)
    drawn.ticker = FixedTicker(ticks=list(labels))
    drawn.major_label_overrides = {place: said for place, said in labels.items()}


def places() -> Range1d:
    """The range of such an axis."""
    return Range1d(start=-MARGIN, end=1 + MARGIN)


def colour(trial: TrialFrame) -> str:
    """The colour of a trial, by its accuracy so far."""
    return palette.score_colour(trial.validation_accuracy)


def score_of(frame: SearchFrame, trial: TrialFrame) -> str:
    """The score of a trial as text: accuracy in per cent; in regression R²."""
    score = trial.validation_accuracy
    if frame.measure == "accuracy" or math.isnan(score):
        return numbers.decimal_percent(score)
    return f"{frame.measure} {numbers.number(score)}"


def trial_label(frame: SearchFrame, trial: TrialFrame) -> str:
    """A trial as text: its score, its values, why it was stopped."""
    point = ", ".join(
        f"{within(label_of(axis.path))} {in_words(value)}"
        for axis, value in zip(frame.search.space, trial.point, strict=True)
    )
    reason = f"; {trial.status.value}: {trial.reason}" if trial.reason else ""
    return f"{trial.number + 1}: {score_of(frame, trial)}, {point}{reason}"


def send_trial(drawn: figure, which: str, sources: Sequence[object]) -> None:
    """Report to the server which trial was clicked; `which` is NEAREST or INSIDE."""
    code = which.replace("TELL", SEND)
    drawn.js_on_event("tap", CustomJS(code=code, args={"sources": sources, "name": TRIAL}))


def send_region(drawn: figure) -> None:
    """Report the selected region to the server, from 0 to 1 on each axis."""
    drawn.js_on_event("selectiongeometry", CustomJS(code=BRUSHED, args={"name": REGION}))


def shape_of(snapshot: Snapshot) -> str:
    """The shape that most of these views are drawn for."""
    return str(space_of(snapshot))


def best_places(frame: SearchFrame | None, at: Callable[[TrialFrame], float]) -> list[float]:
    """The place of the best trial, if there is one."""
    return [round(at(frame.trials[frame.ranking[0]]), 4)] if frame and frame.ranking else []

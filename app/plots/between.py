"""The loss on the straight line from A's weights to B's (Goodfellow et al. 2015)."""

import math
from collections.abc import Sequence

import numpy as np
from bokeh.models import FixedTicker, LogTicker
from bokeh.models.annotations import Span
from bokeh.models.text import BaseText

from app import numbers, palette, theme
from app.explanations.explanation import explain
from app.plots.axes import tick_powers
from app.plots.plot_data import Columns, Part, floored
from app.plots.view import VIEWS, auto_range, frame_axes, layers_of, plot, source
from engine import PLACES, LossLine, Snapshot, Status

ENDS: dict[float | str, str | BaseText] = {0.0: "A", 0.5: "halfway", 1.0: "B"}
NONE = "press A | B below the plots to train two runs from one step"
NOTHING = numbers.number(0.0)
WAITS = "pause, and it is measured"


def between_columns(snapshot: Snapshot, since: int) -> Part:
    """The training and validation loss at places on the line through the weights of both."""
    line = snapshot.other.line if snapshot.other else None
    text = _words(snapshot, line)
    return Part(
        set={"between": _columns(line), "between.frame": _frame(line)},
        text={
            "between.train": _ends(line.train.tolist() if line else []),
            "between.validation": _ends(line.validation.tolist() if line else []),
            "between.words": text,
        },
        alternative=lambda: (
            "The loss on the straight line from A's weights to B's. How far the training loss rises"
            f" above the line between its ends: {text}."
        ),
    )


def _columns(line: LossLine | None) -> Columns:
    if line is None:
        return {"place": [], "train": [], "validation": []}
    return {
        "place": line.places.tolist(),
        "train": floored(line.train),
        "validation": floored(line.validation),
    }


def _frame(line: LossLine | None) -> Columns:
    """The corners of the plot: the lowest and the highest loss; some before there are any."""
    losses = [*line.train, *line.validation] if line else []
    known = [loss for loss in floored(losses) if loss is not None]
    return {"x": [0.0, 1.0], "y": [min(known), max(known)] if known else [0.1, 10.0]}


def _ends(losses: Sequence[float]) -> str:
    """The losses of A and B, once all places have been measured."""
    if len(losses) < len(PLACES):
        return "–"
    a, b = (losses[int(np.flatnonzero(place == PLACES)[0])] for place in (0, 1))
    return f"{numbers.number(a)} → {numbers.number(b)}"


def _words(snapshot: Snapshot, line: LossLine | None) -> str:
    """The text about the line, or why there is none yet."""
    if snapshot.other is None:
        return NONE
    if snapshot.other.diverged or snapshot.status is Status.DIVERGED:
        return "one of the two has diverged"
    if line is None:
        return WAITS
    if line.refusal:
        return line.refusal.rstrip(".")
    if math.isnan(line.barrier):
        return "being measured"
    height = numbers.number(line.barrier)
    if height == NOTHING:
        return "none, the two are linearly connected"
    return f"{height} of the training loss"


@VIEWS.register("between")
class BetweenView:
    """The loss on the straight line between A and B: no barrier, and both lie in one basin."""

    title = "Straight line between A and B"
    tab = "A | B"
    requested: frozenset[str] = frozenset()
    columns = staticmethod(between_columns)
    drawn_for = staticmethod(layers_of)
    keys = (
        ("between.train", "train", palette.TRAIN),
        ("between.validation", "validation", palette.VALIDATION),
        ("between.words", "barrier", palette.PLAIN),
    )

    def __init__(self, snapshot: Snapshot, style: theme.Style) -> None:
        figure = plot(
            "between",
            "Loss on the straight line from A's weights to B's",
            style,
            y_axis_type="log",
            x_range=(-0.3, 1.3),
        )
        figure.y_range = auto_range()
        figure.yaxis.ticker = LogTicker(desired_num_ticks=5, num_minor_ticks=0)
        figure.yaxis.formatter = tick_powers()
        figure.xaxis.ticker = FixedTicker(ticks=[0.0, 0.5, 1.0])
        figure.xaxis.major_label_overrides = ENDS
        for place in (0.0, 1.0):
            figure.add_layout(
                Span(location=place, dimension="height", line_color=palette.QUIET, line_alpha=0.6)
            )
        data = source("between", ["place", "train", "validation"])
        for name, colour, dash in (
            ("train", palette.TRAIN, "solid"),
            ("validation", palette.VALIDATION, palette.VALIDATION_DASH),
        ):
            figure.line(
                "place",
                name,
                source=data,
                color=colour,
                line_dash=dash,
                line_width=style.line_width,
            )
            figure.scatter("place", name, source=data, color=colour, size=5)
        frame_axes(figure, "between")
        self.figures = [figure]


explain(
    ("view between", "tab A | B"),
    "Straight line between A and B",
    "The loss of networks on the straight line from A's weights to B's. No barrier means that both"
    " lie in one basin.",
    moved_by="How long both have gone apart, and how differently.",
)
explain(
    ("number between.train", "number between.validation"),
    "At both ends",
    "The loss of A, and that of B.",
)
explain(
    "number between.words",
    "Barrier",
    "How much higher the loss is on the way than at its ends.",
)

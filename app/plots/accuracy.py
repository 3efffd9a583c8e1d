"""Accuracy: how often is it right, and does what it learned hold for examples it has not seen?"""

import math
from collections.abc import Hashable

import numpy as np

from app import numbers, palette, theme
from app.plots import plot_data
from app.plots.axes import hover_along, tick_shares
from app.plots.ghost_runs import ghost_ends, ghosts, left_out
from app.plots.plot_data import Part
from app.plots.view import (
    VIEWS,
    auto_range,
    draw_ghosts,
    frame_axes,
    layers_of,
    mark_changes,
    name_lines,
    over_time,
    source,
)
from engine import Curves, Snapshot, memoize

TOP = 1.0
USUAL = 5  # per cent of the points that may lie below the axis


def accuracy_columns(snapshot: Snapshot, since: int) -> Part:
    """The share of right answers on fixed training and validation examples, and the gap."""
    curves = snapshot.curves
    names = {"train": "train_accuracy", "validation": "validation_accuracy"}
    last = {key: curves.last(name) for key, name in names.items()}
    shown = {key: numbers.percent(value) for key, value in last.items()}
    gap = numbers.percent(last["train"] - last["validation"])
    lines = [
        ("train", last["train"], palette.TRAIN),
        ("validation", last["validation"], palette.VALIDATION),
        *ghost_ends(snapshot, "validation_accuracy"),
    ]
    low = _lowest(snapshot)
    return Part(
        stream={"accuracy": plot_data.judged_rows(curves, since, names)}
        | plot_data.markers(snapshot, since, "accuracy"),
        set={
            "accuracy.frame": plot_data.frame(snapshot.step, low, TOP),
            "accuracy.ends": plot_data.names(snapshot.step, lines, log=False),
        }
        | ghosts(
            snapshot, "accuracy", {"train_accuracy": "solid", "validation_accuracy": "dashed"}
        ),
        text={f"accuracy.{key}": words for key, words in shown.items()}
        | {
            "accuracy.gap": gap,
            "accuracy.apart": left_out(snapshot, "accuracy"),
            "accuracy.alt": f"At step {numbers.count(snapshot.step)} the"
            f" {plot_data.score_name(snapshot)} is {shown['train']} on training and"
            f" {shown['validation']} on validation examples, a"
            f" gap of {gap}.",
        },
    )


def _lowest(snapshot: Snapshot) -> float:
    """Where the axis begins: at 0, but R² may be negative, even hugely so, of a poor guess."""
    if snapshot.data.classes:
        return 0.0
    return _lowest_usual(snapshot.curves)


@memoize
def _lowest_usual(curves: Curves) -> float:
    known = curves["validation_accuracy"]
    known = known[np.isfinite(known)]
    usual = float(np.percentile(known, USUAL)) if known.size else 0.0
    return max(-1.0, math.floor(2 * min(usual, 0.0)) / 2)


def _drawn_for(snapshot: Snapshot) -> Hashable:
    return layers_of(snapshot), plot_data.score_name(snapshot)


@VIEWS.register("accuracy")
class AccuracyView:
    """The share of right answers; a wide gap between the two lines is overfitting."""

    title = "Accuracy"
    tab = ""
    looks: frozenset[str] = frozenset()
    columns = staticmethod(accuracy_columns)
    drawn_for = staticmethod(_drawn_for)
    keys = (
        ("accuracy.train", "train", palette.TRAIN),
        ("accuracy.validation", "validation", palette.VALIDATION),
        ("accuracy.gap", "gap", palette.GAP),
        ("accuracy.apart", "", palette.PLAIN),
    )

    def __init__(self, snapshot: Snapshot, style: theme.Style) -> None:
        name = plot_data.score_name(snapshot)
        self.title = name if name.isupper() else name.capitalize()
        figure = over_time(
            "accuracy",
            f"Training and validation {name} by step",
            style,
            y_range=auto_range(),
        )
        tick_shares(figure)
        mark_changes(figure, "accuracy", style)
        frame_axes(figure, "accuracy")
        draw_ghosts(figure, "accuracy", style)
        data = source("accuracy", ["step", "train", "validation"])
        figure.varea(
            "step", "train", "validation", source=data, fill_color=palette.GAP, fill_alpha=0.25
        )
        figure.line("step", "train", source=data, color=palette.TRAIN, line_width=style.line_width)
        judged = figure.line(
            "step",
            "validation",
            source=data,
            color=palette.VALIDATION,
            line_dash=palette.VALIDATION_DASH,
            line_width=style.line_width,
        )
        words = {key: f"@{key}{{c}}" for key in ("step", "train", "validation")}
        figure.add_tools(hover_along(judged, words, step="step", train="share", validation="share"))
        name_lines(figure, "accuracy", style, [("accuracy", "train", "validation")], log=False)
        self.figures = [figure]

"""Accuracy: how often is it right, and does what it learned hold for examples it has not seen?"""

import functools
import math
from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from app import numbers, palette, theme
from app.explanations.explanation import explain
from app.plots import plot_data
from app.plots.axes import tick_shares
from app.plots.ghost_runs import ghosts, left_out, own_name
from app.plots.other_run import (
    KEY,
    difference,
    draw_other,
    other_ends,
    other_lines,
    other_rows,
    validation_dash,
)
from app.plots.plot_data import Part
from app.plots.run_axis import Line, over_run, run_source
from app.plots.run_columns import End, axes, markers, names
from app.plots.view import VIEWS, in_lockstep
from engine import HEALTHY_GAP, Curves, Snapshot, memoize

TOP = 1.0
COLUMNS = {"train": "train_accuracy", "validation": "validation_accuracy"}
LINES = (
    Line("train", palette.TRAIN, "accuracy", ("train",)),
    Line("validation", palette.VALIDATION, "accuracy", ("validation",)),
)
COLOURS = {line.label: line.colour for line in LINES}
USUAL = 5  # per cent of the points that may lie below the axis


def accuracy_columns(snapshot: Snapshot, since: int) -> Part:
    """The share of right answers on fixed training and validation examples, and the gap."""
    curves = snapshot.curves
    last = {key: snapshot.so_far.last_known(name) for key, name in COLUMNS.items()}
    shown = _shown(last["train"][1], last["validation"][1])
    lines = [
        End(own_name(snapshot) or "train", *last["train"], palette.TRAIN, "train"),
        End("validation", *last["validation"], palette.VALIDATION),
    ]
    lines += other_ends(snapshot, COLUMNS, COLOURS)
    low = _lowest(snapshot)
    return Part(
        stream={"accuracy": plot_data.evaluated_rows(curves, since, COLUMNS)}
        | other_rows("accuracy", snapshot, since, COLUMNS, log=False)
        | markers(snapshot, since, "accuracy"),
        set={"accuracy.ends": names(snapshot.step, lines, log=False)}
        | axes("accuracy", snapshot, low, TOP)
        | ghosts(
            snapshot, "accuracy", {"train_accuracy": "solid", "validation_accuracy": "dashed"}
        ),
        text={
            **shown,
            **difference("accuracy", snapshot, COLUMNS, shares=True),
            "accuracy.apart": left_out(snapshot, "accuracy"),
        },
        alternative=lambda: (
            f"At step {numbers.count(last['validation'][0])} the {plot_data.score_name(snapshot)}"
            f" is {shown['accuracy.train']} on training and {shown['accuracy.validation']} on"
            f" validation examples, a gap of {shown['accuracy.gap']}."
        ),
    )


@functools.lru_cache(256)  # of each visitor the last: most frames bring no new figures
def _shown(train: float, validation: float) -> Mapping[str, str]:
    """The figures of the headline."""
    shares = {"train": train, "validation": validation, "gap": train - validation}
    return {f"accuracy.{name}": numbers.decimal_percent(share) for name, share in shares.items()}


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
    return in_lockstep(snapshot), plot_data.score_name(snapshot)


@VIEWS.register("accuracy")
class AccuracyView:
    """The share of right answers; a wide gap between the two lines is overfitting."""

    title = "Accuracy"
    tab = ""
    requested: frozenset[str] = frozenset()
    columns = staticmethod(accuracy_columns)
    drawn_for = staticmethod(_drawn_for)
    keys: Sequence[tuple[str, str, str]] = (
        ("accuracy.train", "train", palette.TRAIN),
        ("accuracy.validation", "validation", palette.VALIDATION),
        ("accuracy.gap", "gap", palette.GAP),
        ("accuracy.apart", "", palette.PLAIN),
    )

    def __init__(self, snapshot: Snapshot, style: theme.Style) -> None:
        name = plot_data.score_name(snapshot)
        self.title = name if name.isupper() else name.capitalize()
        others = other_lines("accuracy", LINES, snapshot)
        if others:
            self.keys = [*self.keys, ("accuracy.other", KEY, palette.PLAIN)]
        figure = over_run(
            "accuracy",
            f"Training and validation {name} by step",
            style,
            [*LINES, *others],
            log=False,
            shares=True,
        )
        tick_shares(figure)
        data = run_source("accuracy", COLUMNS)
        figure.varea(
            "x", "train", "validation", source=data, fill_color=palette.GAP, fill_alpha=0.25
        )
        figure.line("x", "train", source=data, color=palette.TRAIN, line_width=style.line_width)
        figure.line(
            "x",
            "validation",
            source=data,
            color=palette.VALIDATION,
            line_dash=validation_dash(snapshot),
            line_width=style.line_width,
        )
        draw_other(figure, "accuracy", others, style)
        self.figures = [figure]


explain(
    "view accuracy",
    "Accuracy",
    "The share of right answers on training examples, and on validation examples that the network"
    " never learns from. For values to predict it is R², the share of variance explained.",
    healthy="Both rise, and stay close together.",
    moved_by="More capacity if both are poor; more regularization or more examples if they part.",
    lesson="the-gap-is-overfitting",
)
explain(
    "number accuracy.train",
    "Training accuracy",
    "The share of training examples that are answered right. It alone says nothing of new"
    " examples.",
    healthy="close to the validation accuracy; 100 % on twenty examples",
    moved_by="Learning rate, capacity, and how long it trains.",
    lesson="overfit-20-examples",
)
explain(
    "number accuracy.validation",
    "Validation accuracy",
    "The share of right answers on examples that the network never learns from. This is what you"
    " want to be high.",
    healthy="close to the training accuracy",
    moved_by="Everything that moves the training accuracy, then dropout, L2 and more examples.",
    lesson="no-gap-more-capacity",
)
explain(
    "number accuracy.gap",
    "Gap",
    "By how much the training accuracy lies above the validation accuracy: what was learned by"
    " heart.",
    healthy=f"up to {numbers.percent(HEALTHY_GAP)}, where the diagnosis begins to speak of"
    " overfitting",
    moved_by="Dropout, L2, more examples and a smaller network narrow it.",
    lesson="the-gap-is-overfitting",
)

"""Accuracy: how often is it right, and does what it learned hold for examples it has not seen?"""

from collections.abc import Hashable

from bokeh.models import NumeralTickFormatter, Range1d

from app import columns, theme
from app.columns import Part
from app.past import ghosts
from app.views.view import (
    VIEWS,
    draw_ghosts,
    frame_axes,
    layers_of,
    mark_changes,
    name_lines,
    over_time,
    source,
)
from engine import Snapshot

TOP = 1.02


def accuracy_columns(snapshot: Snapshot, since: int) -> Part:
    """The share of right answers on fixed training and validation examples, and the gap."""
    curves = snapshot.curves
    names = {"train": "train_accuracy", "validation": "validation_accuracy"}
    last = {key: columns.last_value(curves[name]) for key, name in names.items()}
    shown = {key: theme.percent(value) for key, value in last.items()}
    gap = theme.percent(last["train"] - last["validation"])
    lines = [
        ("train", last["train"], theme.TRAIN),
        ("validation", last["validation"], theme.VALIDATION),
    ]
    return Part(
        stream={"accuracy": columns.judged_rows(curves, since, names)}
        | columns.markers(snapshot, since, "accuracy"),
        set={
            "accuracy.frame": columns.frame(snapshot.step, 0.0, TOP),
            "accuracy.ends": columns.ends(snapshot.step, lines, 0.0, TOP, log=False),
        }
        | ghosts(
            snapshot, "accuracy", {"train_accuracy": "solid", "validation_accuracy": "dashed"}
        ),
        text={f"accuracy.{key}": words for key, words in shown.items()}
        | {
            "accuracy.gap": gap,
            "accuracy.alt": f"At step {snapshot.step:,} the {columns.score_name(snapshot)} is"
            f" {shown['train']} on training and {shown['validation']} on validation examples, a"
            f" gap of {gap}.",
        },
    )


def _drawn_for(snapshot: Snapshot) -> Hashable:
    return layers_of(snapshot), columns.score_name(snapshot)


@VIEWS.register("accuracy")
class AccuracyView:
    """The share of right answers; a wide gap between the two lines is overfitting."""

    title = "Accuracy"
    tab = ""
    looks: frozenset[str] = frozenset()
    columns = staticmethod(accuracy_columns)
    drawn_for = staticmethod(_drawn_for)
    keys = (
        ("accuracy.train", "train", theme.TRAIN),
        ("accuracy.validation", "validation", theme.VALIDATION),
        ("accuracy.gap", "gap", theme.GAP),
    )

    def __init__(self, snapshot: Snapshot, style: theme.Style) -> None:
        name = columns.score_name(snapshot)
        self.title = name if name.isupper() else name.capitalize()
        figure = over_time(
            "accuracy",
            f"Training and validation {name} by step",
            style,
            y_range=Range1d(start=0, end=TOP),
        )
        figure.yaxis.formatter = NumeralTickFormatter(format="0 %")
        mark_changes(figure, "accuracy")
        frame_axes(figure, "accuracy")
        draw_ghosts(figure, "accuracy", style)
        data = source("accuracy", ["step", "train", "validation"])
        figure.varea(
            "step", "train", "validation", source=data, fill_color=theme.GAP, fill_alpha=0.25
        )
        for key, colour, dash in [
            ("train", theme.TRAIN, "solid"),
            ("validation", theme.VALIDATION, theme.VALIDATION_DASH),
        ]:
            figure.line(
                "step", key, source=data, color=colour, line_dash=dash, line_width=style.line_width
            )
        name_lines(figure, "accuracy", style)
        self.figures = [figure]

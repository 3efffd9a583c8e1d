"""Accuracy: how often is it right, and does what it learned hold for examples it has not seen?"""

from bokeh.models import NumeralTickFormatter, Range1d

from app import columns, theme
from app.columns import Part
from app.views.view import VIEWS, draw_curves, layers_of, mark_changes, over_time, source
from engine import Snapshot


def accuracy_columns(snapshot: Snapshot, since: int) -> Part:
    """The share of right answers on fixed training and validation examples."""
    curves = snapshot.curves
    names = {"train": "train_accuracy", "validation": "validation_accuracy"}
    shown = {key: theme.percent(columns.last_value(curves[name])) for key, name in names.items()}
    return Part(
        stream={"accuracy": columns.judged_rows(curves, since, names)}
        | columns.markers(snapshot, since, "accuracy"),
        text={f"accuracy.{key}": words for key, words in shown.items()}
        | {
            "accuracy.alt": f"At step {snapshot.step:,} the {columns.score_name(snapshot)} is"
            f" {shown['train']} on training and {shown['validation']} on validation examples."
        },
    )


@VIEWS.register("accuracy")
class AccuracyView:
    """The share of right answers; a wide gap between the two lines is overfitting."""

    title = "Accuracy"
    tab = ""
    looks: frozenset[str] = frozenset()
    columns = staticmethod(accuracy_columns)
    drawn_for = staticmethod(layers_of)
    keys = (
        ("accuracy.train", "train", theme.TRAIN),
        ("accuracy.validation", "validation", theme.VALIDATION),
    )

    def __init__(self, snapshot: Snapshot, style: theme.Style) -> None:
        figure = over_time(
            "accuracy",
            "Training and validation accuracy by step",
            style,
            y_range=Range1d(start=0, end=1.02),
        )
        figure.yaxis.formatter = NumeralTickFormatter(format="0 %")
        mark_changes(figure, "accuracy")
        data = source("accuracy", ["step", "train", "validation"])
        draw_curves(figure, [data, data], self.keys, style)
        self.figures = [figure]

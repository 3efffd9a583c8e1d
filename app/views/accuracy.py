"""Accuracy: how often is it right, and does what it learned hold for examples it has not seen?"""

from bokeh.models import NumeralTickFormatter, Range1d

from app import columns, theme
from app.views.view import VIEWS, draw_curves, mark_changes, over_time, source
from engine import Snapshot


@VIEWS.register("accuracy")
class AccuracyView:
    """The share of right answers; a wide gap between the two lines is overfitting."""

    title = "Accuracy"
    columns = staticmethod(columns.accuracy)
    keys = (
        ("accuracy.train", "train", theme.TRAIN),
        ("accuracy.validation", "validation", theme.VALIDATION),
    )

    def __init__(self, snapshot: Snapshot) -> None:
        self.figure = over_time(
            "accuracy",
            "Training and validation accuracy by step",
            y_range=Range1d(start=0, end=1.02),
        )
        self.figure.yaxis.formatter = NumeralTickFormatter(format="0 %")
        mark_changes(self.figure, "accuracy")
        data = source("accuracy", ["step", "train", "validation"])
        draw_curves(self.figure, [data, data], self.keys)

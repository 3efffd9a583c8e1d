"""Loss curve: is it learning, how fast, and is it about to blow up?"""

from app import columns, theme
from app.views.view import (
    VIEWS,
    auto_range,
    draw_curves,
    label_changes,
    mark_changes,
    over_time,
    source,
)
from engine import Snapshot


@VIEWS.register("loss")
class LossView:
    """The loss on each step's mini-batch, and on the validation examples; lower is better."""

    title = "Loss"
    columns = staticmethod(columns.loss)
    keys = (
        ("loss.train", "train", theme.TRAIN),
        ("loss.validation", "validation", theme.VALIDATION),
    )

    def __init__(self, snapshot: Snapshot) -> None:
        self.figure = over_time(
            "loss", "Training and validation loss by step", y_axis_type="log", y_range=auto_range()
        )
        label_changes(self.figure, mark_changes(self.figure, "loss"))
        data = source("loss", ["step", "train", "low", "high"])
        self.figure.varea(
            "step", "low", "high", source=data, fill_color=theme.TRAIN, fill_alpha=0.18
        )
        judged = source("loss.judged", ["step", "validation"])
        draw_curves(self.figure, [data, judged], self.keys)

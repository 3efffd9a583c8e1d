"""Loss curve: is it learning, how fast, and is it about to blow up?"""

from app import columns, theme
from app.columns import Part
from app.views.view import (
    VIEWS,
    auto_range,
    draw_curves,
    label_changes,
    layers_of,
    mark_changes,
    over_time,
    source,
)
from engine import Snapshot


def loss_columns(snapshot: Snapshot, since: int) -> Part:
    """The loss on the mini-batches and on the validation examples."""
    curves = snapshot.curves
    names = {"train": "loss", "low": "loss_low", "high": "loss_high"}
    judged = columns.judged_rows(curves, since, {"validation": "validation_loss"})
    train, validation = (
        theme.number(columns.last_value(curves[x])) for x in ("loss", "validation_loss")
    )
    return Part(
        stream={
            "loss": columns.all_rows(curves, since, names),
            "loss.judged": judged,
        }
        | columns.markers(snapshot, since, "loss"),
        text={
            "loss.train": train,
            "loss.validation": validation,
            "loss.alt": f"At step {snapshot.step:,} the loss is {train} on the last batches and"
            f" {validation} on the validation examples.",
        },
    )


@VIEWS.register("loss")
class LossView:
    """The loss on each step's mini-batch, and on the validation examples; lower is better."""

    title = "Loss"
    tab = ""
    looks: frozenset[str] = frozenset()
    columns = staticmethod(loss_columns)
    drawn_for = staticmethod(layers_of)
    keys = (
        ("loss.train", "train", theme.TRAIN),
        ("loss.validation", "validation", theme.VALIDATION),
    )

    def __init__(self, snapshot: Snapshot, style: theme.Style) -> None:
        figure = over_time(
            "loss",
            "Training and validation loss by step",
            style,
            y_axis_type="log",
            y_range=auto_range(),
        )
        label_changes(figure, mark_changes(figure, "loss"), style)
        data = source("loss", ["step", "train", "low", "high"])
        figure.varea("step", "low", "high", source=data, fill_color=theme.TRAIN, fill_alpha=0.18)
        judged = source("loss.judged", ["step", "validation"])
        draw_curves(figure, [data, judged], self.keys, style)
        self.figures = [figure]

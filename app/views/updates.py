"""Update/weight ratio: does each step change the weights by about a thousandth, as it should?"""

from bokeh.models.annotations import BoxAnnotation, Span

from app import columns, theme
from app.columns import Part
from app.views.view import (
    VIEWS,
    auto_range,
    draw_curves,
    layers_of,
    mark_changes,
    over_time,
    source,
)
from engine import Snapshot

HEALTHY = (10**-3.5, 10**-2.5)  # 1e-3, give or take half a power of ten
ALWAYS_SHOWN = (1e-5, 1e-1)


def updates_columns(snapshot: Snapshot, since: int) -> Part:
    """The size of each update against the size of the weights it changes."""
    curves = snapshot.curves
    weights = [tensor.name for tensor in snapshot.tensors]
    names = {f"W{n}": f"ratio {name}" for n, name in enumerate(weights, start=1)}
    shown = {key: theme.number(columns.last_value(curves[name])) for key, name in names.items()}
    return Part(
        stream={"updates": columns.measured_rows(curves, since, names)}
        | columns.markers(snapshot, since, "updates"),
        text={f"updates.{key}": words for key, words in shown.items()}
        | {
            "updates.alt": f"At step {snapshot.step:,} each step changes the weights by"
            f" {', '.join(f'{words} ({key})' for key, words in shown.items())} of their size;"
            " about 0.001 is healthy."
        },
    )


@VIEWS.register("updates")
class UpdatesView:
    """The size of each update against the weights it changes; wanted near 0.001 (the band)."""

    title = "Update / weight"
    tab = ""
    looks: frozenset[str] = frozenset()
    columns = staticmethod(updates_columns)
    drawn_for = staticmethod(layers_of)

    def __init__(self, snapshot: Snapshot, style: theme.Style) -> None:
        self.keys = [
            (f"updates.W{n}", f"W{n}", theme.colour(n - 1))
            for n in range(1, len(snapshot.tensors) + 1)
        ]
        figure = over_time(
            "updates",
            "Ratio of update to weights by step, one line a weight tensor",
            style,
            y_axis_type="log",
            y_range=auto_range(),
        )
        figure.add_layout(
            BoxAnnotation(
                bottom=HEALTHY[0],
                top=HEALTHY[1],
                fill_color=theme.GOOD,
                fill_alpha=0.13,
                line_color=None,
                level="underlay",
            )
        )
        figure.add_layout(
            Span(location=1e-3, dimension="width", line_color=theme.GOOD, line_alpha=0.6)
        )
        mark_changes(figure, "updates")
        # Two invisible points keep the range from jumping and the band in sight.
        figure.scatter([0, 0], ALWAYS_SHOWN, size=0, alpha=0)
        data = source("updates", ["step", *(label for _, label, _ in self.keys)])
        draw_curves(figure, [data] * len(self.keys), self.keys, style)
        self.figures = [figure]

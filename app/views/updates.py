"""Update/weight ratio: does each step change the weights by about a thousandth, as it should?"""

from bokeh.models.annotations import BoxAnnotation, Span

from app import columns, theme
from app.views.view import VIEWS, auto_range, draw_curves, mark_changes, over_time, source
from engine import Snapshot

HEALTHY = (10**-3.5, 10**-2.5)  # 1e-3, give or take half a power of ten
ALWAYS_SHOWN = (1e-5, 1e-1)


@VIEWS.register("updates")
class UpdatesView:
    """The size of each update against the weights it changes; wanted near 0.001 (the band)."""

    title = "Update / weight"
    columns = staticmethod(columns.updates)

    def __init__(self, snapshot: Snapshot) -> None:
        self.keys = [
            (f"updates.W{n}", f"W{n}", theme.colour(n - 1))
            for n in range(1, len(snapshot.tensors) + 1)
        ]
        self.figure = over_time(
            "updates",
            "Ratio of update to weights by step, one line a weight tensor",
            y_axis_type="log",
            y_range=auto_range(),
        )
        self.figure.add_layout(
            BoxAnnotation(
                bottom=HEALTHY[0],
                top=HEALTHY[1],
                fill_color=theme.GOOD,
                fill_alpha=0.13,
                line_color=None,
                level="underlay",
            )
        )
        self.figure.add_layout(
            Span(location=1e-3, dimension="width", line_color=theme.GOOD, line_alpha=0.6)
        )
        mark_changes(self.figure, "updates")
        # Two invisible points keep the range from jumping and the band in sight.
        self.figure.scatter([0, 0], ALWAYS_SHOWN, size=0, alpha=0)
        data = source("updates", ["step", *(label for _, label, _ in self.keys)])
        draw_curves(self.figure, [data] * len(self.keys), self.keys)

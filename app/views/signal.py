"""Signal: does what goes forward, and what comes back, keep its size from layer to layer?"""

import numpy as np
from bokeh.models import Range1d

from app import columns, theme
from app.columns import Part
from app.views.view import VIEWS, auto_range, layers_of, plot, source
from engine import Snapshot


def signal_columns(snapshot: Snapshot, since: int) -> Part:
    """The standard deviation of each layer's output, and of the gradient at it."""
    layers = snapshot.layers
    return Part(
        set={
            "signal": {
                "layer": list(range(1, len(layers) + 1)),
                "forward": columns.rounded(np.array([a.std for a in layers])),
            }
        },
        text={"signal.alt": ", ".join(f"{a.name} {theme.number(a.std)}" for a in layers)},
    )


@VIEWS.register("signal")
class SignalView:
    """How large the signal is in each layer going forward, and the gradient coming back."""

    title = "Signal"
    tab = "Signal"
    looks: frozenset[str] = frozenset()
    columns = staticmethod(signal_columns)
    drawn_for = staticmethod(layers_of)
    keys = ()

    def __init__(self, snapshot: Snapshot, style: theme.Style) -> None:
        figure = plot(
            "signal",
            "Size of the signal by layer",
            style,
            x_range=Range1d(start=0.5, end=len(snapshot.layers) + 0.5),
            y_range=auto_range(),
            y_axis_type="log",
        )
        data = source("signal", ["layer", "forward"])
        figure.line("layer", "forward", source=data, color=theme.TRAIN)
        self.figures = [figure]

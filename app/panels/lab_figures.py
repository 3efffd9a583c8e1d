"""The plots of the initialization lab: histograms, and sizes forward and backward."""

import math
from typing import Any

from bokeh.models import ColumnDataSource, FixedTicker, Range1d
from bokeh.plotting import figure

from app import palette, theme
from app.panels.lab_data import frame
from app.plots.figures import further
from app.plots.plot_data import Columns
from app.plots.view import plot, source

ROOM = 0.45  # after the last layer, for the names of lines, as a share of all layers
MOST_TICKS = 8
SHOWN = {
    "lab": ["x", "y", "colour"],
    "lab.reds": ["x", "base", "top"],
    "lab.ticks": ["x", "y", "label"],
    "lab.words": ["x", "y", "text"],
    "lab.forward": ["layer", "measured", "theory", "slide"],
    "lab.backward": ["layer", "measured", "theory", "slide"],
    "lab.forward.ends": ["step", "y", "label", "colour"],
    "lab.backward.ends": ["step", "y", "label", "colour"],
}


def draw_histograms() -> figure:
    """A histogram per layer, side by side in rows as on the slide; without data yet."""
    drawn = plot(
        "lab",
        "Histogram of the activations of each layer",
        theme.DESK,
        x_range=Range1d(start=0, end=1),
        y_range=Range1d(start=0, end=1),
    )
    drawn.axis.visible = False
    drawn.grid.visible = False
    drawn.patches("x", "y", source=_source("lab"), fill_color="colour", line_color=None, alpha=0.8)
    drawn.segment(
        "x", "base", "x", "top", source=_source("lab.reds"), line_color=palette.ACCENT, line_width=3
    )
    font: dict[str, Any] = {"text_font_size": theme.DESK.small, "text_color": palette.TICKS}
    drawn.text("x", "y", "label", source=_source("lab.ticks"), text_align="center", **font)
    drawn.text("x", "y", "text", source=_source("lab.words"), text_baseline="top", **font)
    return drawn


class Sizes:
    """Deviation by layer: dots are measured, the line is theory, crosses are from the slide."""

    def __init__(self, name: str, description: str, colour: str) -> None:
        self._across, self._up = Range1d(start=0.4, end=2), Range1d(start=0.1, end=10)
        self._layers, self._decades = FixedTicker(ticks=[]), FixedTicker(ticks=[])
        self.figure = further(
            "lab",
            description,
            theme.DESK,
            x_range=self._across,
            y_range=self._up,
            y_axis_type="log",
        )
        self.figure.xgrid.grid_line_color = None
        self.figure.xaxis.ticker, self.figure.yaxis.ticker = self._layers, self._decades
        self.figure.xaxis.axis_label = "layer"
        self.figure.xaxis.axis_label_standoff = 0
        self._draw(_source(name), colour)
        self._name_lines(_source(f"{name}.ends"))

    def _draw(self, data: ColumnDataSource, colour: str) -> None:
        line: dict[str, Any] = {"source": data, "color": colour, "line_width": 2}
        self.figure.line("layer", "theory", line_dash="dashed", **line)
        self.figure.scatter("layer", "measured", size=8, **line)
        line["color"] = palette.SLIDE
        self.figure.scatter("layer", "slide", marker="x", size=13, **line)

    def _name_lines(self, ends: ColumnDataSource) -> None:
        self.figure.text(
            "step",
            "y",
            "label",
            source=ends,
            text_color="colour",
            x_offset=11,
            text_baseline="middle",
            text_font_size=theme.DESK.small,
            text_font_style="bold",
        )

    def frame(self, shown: Columns) -> None:
        """Fit the axes to these columns, with space for the names of lines."""
        depth = len(shown["layer"])
        low, high = frame(shown)
        self._across.update(start=0.4, end=depth + max(1.0, ROOM * depth))
        self._up.update(start=low * 0.8, end=high * 1.25)
        self._layers.ticks = list(range(1, depth + 1))
        self._decades.ticks = _decades(low, high)


def _decades(low: float, high: float) -> list[float]:
    """A few round values between two powers of ten."""
    first, last = round(math.log10(low)), round(math.log10(high))
    if last - first == 1:
        return [m * low for m in (1, 2, 5, 10)]
    return [10.0**n for n in range(first, last + 1, 1 + (last - first) // MOST_TICKS)]


def _source(name: str) -> ColumnDataSource:
    return source(name, SHOWN[name])

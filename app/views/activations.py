"""Activation histograms: does the signal arrive in the last layer, or does it die or saturate?"""

from typing import Any

from bokeh.models import ColumnDataSource, Range1d

from app import columns, theme
from app.columns import ROW_HEIGHT
from app.views.view import VIEWS, plot, source
from engine import Snapshot


@VIEWS.register("activations")
class ActivationsView:
    """What the units of each layer put out; the red bar is the share that is exactly 0."""

    title = "Activations"
    columns = staticmethod(columns.activations)
    keys = (("", "exactly 0", theme.ACCENT),)

    def __init__(self, snapshot: Snapshot) -> None:
        layers, bins = snapshot.layers, len(snapshot.layers[0].counts)
        bottom, top = -0.16 * ROW_HEIGHT, ROW_HEIGHT * len(layers)
        self.figure = plot(
            "activations",
            "Histogram of the activations of each layer",
            x_range=Range1d(start=-0.5, end=bins + 0.5),
            y_range=Range1d(start=bottom, end=top),
        )
        self.figure.axis.visible = False
        self.figure.grid.visible = False
        self._draw_ticks(bottom, top)
        self._draw_histograms(len(layers))
        self._draw_rows(bins)

    def _draw_ticks(self, bottom: float, top: float) -> None:
        ticks = source("activations.ticks", ["x", "label"])
        self.figure.segment("x", 0, "x", top, source=ticks, line_color=theme.QUIET, line_alpha=0.25)
        self.figure.text(
            "x",
            bottom,
            "label",
            source=ticks,
            text_align="center",
            text_font_size=theme.SMALL,
            text_color=theme.QUIET,
        )

    def _draw_histograms(self, layers: int) -> None:
        names = [f"{part}{row}" for row in range(layers) for part in ("base", "top")]
        # Not empty like the others: the browser never returns from drawing steps of no points
        # (Bokeh 3.10.2, `VAreaStep._step_path`).
        data = ColumnDataSource({name: [0, 0] for name in ["x", *names]}, name="activations")
        for row in range(layers):
            self.figure.varea_step(
                "x",
                f"base{row}",
                f"top{row}",
                source=data,
                step_mode="after",
                fill_color=theme.colour(row),
                fill_alpha=0.75,
            )

    def _draw_rows(self, bins: int) -> None:
        rows = source("activations.rows", ["base", "top", "zero", "name", "text"])
        self.figure.segment(
            bins / 2, "base", bins / 2, "zero", source=rows, line_color=theme.ACCENT, line_width=4
        )
        small: dict[str, Any] = {
            "text_font_size": theme.SMALL,
            "text_color": theme.QUIET,
            "text_baseline": "top",
        }
        self.figure.text(0.0, "top", "name", source=rows, text_font_style="bold", **small)
        self.figure.text(bins, "top", "text", source=rows, text_align="right", **small)

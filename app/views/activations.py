"""Activation histograms: does the signal arrive in the last layer, or does it die or saturate?"""

import math
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, Range1d

from app import theme
from app.columns import Columns, Part
from app.views.view import VIEWS, layers_of, plot, source
from engine import LayerFrame, Snapshot

ROW_HEIGHT = 100  # of one layer's histogram, in the units of its plot
BAR_HEIGHT = 80  # of its tallest bar


def activations_columns(snapshot: Snapshot, since: int) -> Part:
    """A histogram for each layer, one above the other, the first layer on top."""
    layers = snapshot.layers
    bins = len(layers[0].counts)
    histograms: Columns = {"x": [float(n) for n in range(bins + 1)]}
    for row, layer in enumerate(layers):
        base = ROW_HEIGHT * (len(layers) - 1 - row)
        heights = _heights(layer)
        histograms[f"base{row}"] = [base] * (bins + 1)
        histograms[f"top{row}"] = [base + int(height) for height in [*heights, heights[-1]]]
    return Part(
        set={
            "activations": histograms,
            "activations.rows": _rows_of_text(layers),
            "activations.ticks": _ticks(layers[0]),
        },
        text={
            "activations.alt": "; ".join(
                f"{a.name}: mean {theme.number(a.mean)}, standard deviation {theme.number(a.std)},"
                f" {100 * a.zero:.0f} % exactly 0"
                for a in layers
            )
        },
    )


def _heights(layer: LayerFrame) -> np.ndarray:
    tallest = layer.counts.max()
    return np.rint(BAR_HEIGHT * layer.counts / tallest) if tallest else layer.counts


def _rows_of_text(layers: tuple[LayerFrame, ...]) -> Columns:
    bases = [ROW_HEIGHT * (len(layers) - 1 - row) for row in range(len(layers))]
    return {
        "base": [float(base) for base in bases],
        "top": [float(base + ROW_HEIGHT - 3) for base in bases],
        "name": [layer.name for layer in layers],
        "zero": [float(b + round(BAR_HEIGHT * a.zero)) for b, a in zip(bases, layers, strict=True)],
        "text": [
            f"mean {theme.number(a.mean)}  std {theme.number(a.std)}  zero {100 * a.zero:.0f} %"
            for a in layers
        ],
    }


def _ticks(layer: LayerFrame) -> Columns:
    """Where the round values lie among the bins, which are equally wide in asinh."""
    limit = layer.edges[-1]
    bins, reach = len(layer.counts), math.asinh(limit)
    decades = range(max(0, math.floor(math.log10(limit))) + 1)
    steps = sorted({m * 10.0**d for d in decades for m in (1, 3)} | {0.0})
    if len(steps) > 5:
        steps = [0.0, *(10.0**d for d in decades if d % (1 + len(decades) // 4) == 0)]
    values = [s * v for v in steps for s in (-1, 1) if v < 0.98 * limit and (v or s > 0)]
    return {
        "x": [round(bins * (math.asinh(v) + reach) / (2 * reach), 2) for v in values],
        "label": [f"{v:g}".replace("-", "−").replace("e+", "e") for v in values],
    }


@VIEWS.register("activations")
class ActivationsView:
    """What the units of each layer put out; the red bar is the share that is exactly 0."""

    title = "Activations"
    tab = ""
    looks: frozenset[str] = frozenset()
    columns = staticmethod(activations_columns)
    drawn_for = staticmethod(layers_of)
    keys = (("", "exactly 0", theme.ACCENT),)

    def __init__(self, snapshot: Snapshot, style: theme.Style) -> None:
        self._style = style
        layers, bins = snapshot.layers, len(snapshot.layers[0].counts)
        bottom, top = -0.16 * ROW_HEIGHT, ROW_HEIGHT * len(layers)
        self._figure = plot(
            "activations",
            "Histogram of the activations of each layer",
            style,
            x_range=Range1d(start=-0.5, end=bins + 0.5),
            y_range=Range1d(start=bottom, end=top),
        )
        self._figure.axis.visible = False
        self._figure.grid.visible = False
        self._draw_ticks(bottom, top)
        self._draw_histograms(len(layers))
        self._draw_rows(bins)
        self.figures = [self._figure]

    def _draw_ticks(self, bottom: float, top: float) -> None:
        ticks = source("activations.ticks", ["x", "label"])
        self._figure.segment(
            "x", 0, "x", top, source=ticks, line_color=theme.QUIET, line_alpha=0.25
        )
        self._figure.text(
            "x",
            bottom,
            "label",
            source=ticks,
            text_align="center",
            text_font_size=self._style.small,
            text_color=theme.QUIET,
        )

    def _draw_histograms(self, layers: int) -> None:
        names = [f"{part}{row}" for row in range(layers) for part in ("base", "top")]
        # Not empty like the others: the browser never returns from drawing steps of no points
        # (Bokeh 3.10.2, `VAreaStep._step_path`).
        data = ColumnDataSource({name: [0, 0] for name in ["x", *names]}, name="activations")
        for row in range(layers):
            self._figure.varea_step(
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
        self._figure.segment(
            bins / 2, "base", bins / 2, "zero", source=rows, line_color=theme.ACCENT, line_width=4
        )
        small: dict[str, Any] = {
            "text_font_size": self._style.small,
            "text_color": theme.QUIET,
            "text_baseline": "top",
        }
        self._figure.text(0.0, "top", "name", source=rows, text_font_style="bold", **small)
        self._figure.text(bins, "top", "text", source=rows, text_align="right", **small)

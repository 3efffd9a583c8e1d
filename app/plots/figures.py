"""Figures that several views of the panel "Inside" share."""

import textwrap
from collections.abc import Sequence
from typing import Any

from bokeh.models import DataRange1d, FixedTicker, LogTicker, Range1d
from bokeh.models.annotations import Title
from bokeh.plotting import figure

from app import palette, theme
from app.plots.plot_data import Columns
from app.plots.view import plot, source

MOST_NAMES = 6  # layers that are named in full below an axis; more are numbered


def further(view: str, description: str, style: theme.Style, **options: Any) -> figure:
    """A figure beside the first one of a view; only the first has the view's name."""
    figure = plot(view, description, style, **options)
    figure.name = None
    return figure


def entitle(figure: figure, title: str, style: theme.Style) -> None:
    """Write a title above a figure."""
    figure.title = Title(
        text=textwrap.fill(title, style.line),
        text_font_size=style.small,
        text_font_style="normal",
        text_color=palette.TICKS,
        standoff=2,
    )


def name_layers(figure: figure, names: Sequence[str], first: int, beyond: float = 0.6) -> None:
    """Label the horizontal axis with layers from `first` on, by name if there is space.

    It goes on `beyond` the last one, in layers.
    """
    places = range(first, first + len(names))
    figure.x_range = Range1d(start=first - 0.6, end=first + len(names) - 1 + beyond)
    figure.xaxis.ticker = FixedTicker(ticks=list(places))
    if len(names) > MOST_NAMES:
        names = [name.rpartition(" ")[2] if name[-1].isdigit() else name for name in names]
    every = 1 + len(names) // 24
    figure.xaxis.major_label_overrides = {
        place: name if place % every == 0 else "" for place, name in zip(places, names, strict=True)
    }
    figure.xgrid.grid_line_color = None


def frame_decades(figure: figure, name: str) -> None:
    """Fit the vertical axis to powers of ten, as its source `name` gives them."""
    frame = figure.scatter([], [], size=0, alpha=0)
    frame.data_source = source(name, ["x", "y"])
    frame.glyph.x, frame.glyph.y = "x", "y"
    figure.y_range = DataRange1d(syncable=False, range_padding=0.04, renderers=[frame])
    figure.yaxis.ticker = LogTicker(desired_num_ticks=4, num_minor_ticks=0)


def bars(lengths: Sequence[float], text: Sequence[str], colours: Sequence[str]) -> Columns:
    """The columns of `draw_bars`: lengths as shares of the axis, the first bar on top."""
    return {
        "row": [-float(row) for row in range(len(lengths))],
        "length": [round(length, 3) for length in lengths],
        "words": text,
        "colour": colours,
    }


def draw_bars(figure: figure, name: str, style: theme.Style, rows: Sequence[str]) -> None:
    """Horizontal bars from the source `name`, a row per name, with text after their ends.

    After the longest bar the text is beside the plot, where it has the same space at any width.
    """
    data = source(name, ["row", "length", "words", "colour"])
    figure.hbar("row", right="length", height=0.6, source=data, color="colour", alpha=0.8)
    figure.text(
        "length",
        "row",
        "words",
        source=data,
        x_offset=5,
        text_baseline="middle",
        text_font_size=style.small,
        text_color=palette.QUIET,
        level="annotation",  # which is not cut off at the edge
    )
    figure.x_range = Range1d(start=0, end=1)
    figure.min_border_right = style.figures
    figure.y_range = Range1d(start=0.4 - max(1, len(rows)), end=0.6)
    figure.yaxis.ticker = FixedTicker(ticks=[-row for row in range(len(rows))])
    figure.yaxis.major_label_overrides = {-row: label for row, label in enumerate(rows)}
    figure.xaxis.visible = False
    figure.grid.grid_line_color = None

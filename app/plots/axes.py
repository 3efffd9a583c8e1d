"""Formatters of axes and of what hovers, by the rules of app/static/numbers.js."""

from collections.abc import Mapping
from typing import Any, Literal

from bokeh.models import CustomJSHover, CustomJSTickFormatter, HoverTool, LogAxis
from bokeh.models.renderers import GlyphRenderer
from bokeh.plotting import figure

from app.plots.plot_data import FLOOR

KINDS = {  # of figures that hover; what is drawn at the floor of an axis is 0
    "step": "return window.babysit.count(value)",
    "share": "return `${window.babysit.tick(100 * value)} %`",
    "figure": f'return value <= {FLOOR} ? "0" : window.babysit.number(value)',
}


# Within one power of ten the ticks of a logarithmic axis crowd at its upper end. At its floor,
# which stands for 0, the page writes the figure itself.
POWERS = f"""
let written = ticks[0]
for (const value of ticks.slice(0, index + 1)) {{
  written = value >= 1.6 * written ? value : written
}}
return tick != written || Math.abs(tick / {FLOOR} - 1) < 1e-3 ? "" : window.babysit.tick(tick)
"""


def count_steps(figure: figure) -> None:
    """Write whole numbers along the horizontal axis, and nothing in between."""
    figure.xaxis.formatter = CustomJSTickFormatter(
        code='return Number.isInteger(tick) ? window.babysit.count(tick) : ""'
    )


def tick_figures() -> CustomJSTickFormatter:
    """Writes figures along an axis."""
    return CustomJSTickFormatter(code="return window.babysit.tick(tick)")


def tick_powers() -> CustomJSTickFormatter:
    """Writes figures along a logarithmic axis, where there is room for them."""
    return CustomJSTickFormatter(code=POWERS)


def tick_all(figure: figure) -> None:
    """Write figures along both axes."""
    for axis in figure.axis:
        axis.formatter = tick_powers() if isinstance(axis, LogAxis) else tick_figures()


def tick_shares(figure: figure) -> None:
    """Write shares as per cent along the vertical axis."""
    figure.yaxis.formatter = CustomJSTickFormatter(
        code="return `${window.babysit.tick(100 * tick)} %`"
    )


def hover_along(
    line: "GlyphRenderer[Any]",
    words: Mapping[str, str],
    side: Literal["left", "right"] = "right",
    **figures: str,
) -> HoverTool:
    """Tell beside the pointer what a line says; `figures` are columns and their kinds."""
    return HoverTool(
        renderers=[line],
        mode="vline",
        attachment=side,
        tooltips=list(words.items()),
        formatters={f"@{name}": CustomJSHover(code=KINDS[kind]) for name, kind in figures.items()},
    )

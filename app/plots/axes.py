"""Formatters of axes, by the rules of app/static/numbers.js."""

from bokeh.models import CustomJSTickFormatter, LogAxis
from bokeh.plotting import figure

from app.plots.plot_data import FLOOR

# A logarithmic axis has many ticks: they are written so far apart that a few remain, also where the
# axis shows less than a power of ten. At its floor, drawn for 0, the page writes the figure.
POWERS = f"""
const apart = Math.min(1.6, (ticks.at(-1) / ticks[0]) ** 0.25)
let written = ticks[0]
for (const value of ticks.slice(0, index + 1)) {{
  written = value >= apart * written * (1 - 1e-9) ? value : written
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
    """Writes figures along a logarithmic axis, where there is space for them."""
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

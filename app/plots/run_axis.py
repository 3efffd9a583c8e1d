"""Figures over the run, which share one horizontal axis in the browser.

The server sends steps, in columns `step`. The browser computes where each lies, in columns `x`
(app/static/time_axis.js), and which part of the run is shown (app/static/steps_shown.js).
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from bokeh.models import ColumnDataSource, CustomJSTicker, CustomJSTickFormatter, Range1d
from bokeh.plotting import figure

from app import palette, theme
from app.explanations.explanation import explain
from app.plots.plot_data import FLOOR
from app.plots.view import View, plot, source

PLACES = ("step", "x")
TICKS = "return window.babysit.time_ticks(cb_data.start, cb_data.end, {ticks})"
WORDS = "return window.babysit.time_words(tick)"
CHOICES = {  # of the steps that are shown
    "all": "all steps",
    "change": "since change",
    "last": "last 500",
    "powers": "log steps",
}
CONTROL = """
<button type="button" class="switch" data-axis="reset" hidden>reset</button>
<select class="switch" data-axis="steps" aria-label="Steps shown">
{options}<option value="part" hidden>part</option>
</select>
"""


@dataclass(frozen=True)
class Line:
    """What the browser needs of a line to show its values at the pointer."""

    label: str
    colour: str
    source: str
    columns: tuple[str, ...]  # one, or those between which the values lie
    fits: bool = True  # whether the vertical axis covers it


def over_run(
    view: str,
    description: str,
    style: theme.Style,
    lines: Sequence[Line],
    *,
    log: bool,
    shares: bool = False,  # whether values are shares, of which there are none above 1
    usual: tuple[int, int] = (0, 100),  # percentiles of the values that the axis covers
) -> figure:
    """A figure over the run, with the changes and the other runs that belong there."""
    figure = plot(
        view,
        description,
        style,
        x_range=Range1d(start=0, end=20, syncable=False),
        y_range=Range1d(start=0.1, end=1, syncable=False),
        y_axis_type="log" if log else "linear",
    )
    scale = {"floor": FLOOR if log else None, "shares": shares, "usual": usual}
    figure.tags = [{"lines": [asdict(line) for line in lines], **scale}]
    figure.xgrid.grid_line_color = None
    figure.xaxis.ticker = CustomJSTicker(major_code=TICKS.format(ticks=style.ticks))
    figure.xaxis.formatter = CustomJSTickFormatter(code=WORDS)
    figure.min_border_right = style.names
    _carry(figure, source(f"{view}.frame", ["step", "y"]))
    _carry(figure, source(f"{view}.epochs", ["step", "epoch"]))
    _carry(figure, source(f"{view}.ends", ["step", "end", "y", "label", "curve", "colour"]))
    _mark_changes(figure, view, style)
    _draw_others(figure, view, style)
    return figure


def run_source(name: str, columns: Iterable[str]) -> ColumnDataSource:
    """An empty source of rows of the run, drawn over `x`."""
    return source(name, [*PLACES, *columns])


def _carry(figure: figure, data: ColumnDataSource) -> None:
    """Attach a source to a figure that does not draw it: the browser reads it."""
    x, y, *_ = data.column_names
    figure.scatter(x, y, source=data, size=0, alpha=0)


def _mark_changes(figure: figure, view: str, style: theme.Style) -> None:
    """Draw a line at each change of a setting, with its text on a flag above.

    The flags are the page's, so that they can be read by keyboard (app/static/overlay.js).
    """
    marks = run_source(f"{view}.markers", ["label"])
    figure.vspan(x="x", source=marks, line_color=palette.ACCENT, line_alpha=0.55, line_width=1)
    cursor = run_source(f"{view}.cursor", [])  # the past step that is shown
    figure.vspan(x="x", source=cursor, line_color=palette.TICKS, line_width=2)
    figure.min_border_top = style.flags


def _draw_others(figure: figure, view: str, style: theme.Style) -> None:
    """Draw the curves of other runs, thinner than this one's."""
    columns = ["steps", "epochs", "x", "y", "colour", "dash", "label"]
    figure.multi_line(
        "x",
        "y",
        source=source(f"{view}.ghosts", columns),
        line_color="colour",
        line_dash="dash",
        line_alpha=0.75,
        line_width=style.line_width / 2,
    )


def write_levels(figure: figure, view: str) -> ColumnDataSource:
    """Label horizontal lines where no curve crosses the text (app/static/levels.js)."""
    levels = source(f"{view}.levels", ["y", "label", "colour"])
    figure.scatter("y", "y", source=levels, size=0, alpha=0)
    return levels


def control(view: View) -> str:
    """The menu of the steps shown, for the headline of a figure over the run; else empty."""
    if not any("lines" in tag for tag in view.figures[0].tags if isinstance(tag, dict)):
        return ""
    options = "".join(f'<option value="{name}">{label}</option>' for name, label in CHOICES.items())
    return CONTROL.format(options=options)


explain(
    "button axis steps",
    "Steps shown",
    "Which part of the run all plots over time show: all of it, what came since the last change, or"
    " the last steps. Log steps give the beginning more space.",
    shortcut="s",
)
explain(
    "button axis reset",
    "Reset",
    "Shows all again that was seen before you looked closer.",
    shortcut="0",
)
explain(
    "button axis unit",
    "Steps or epochs",
    "What the axis counts: updates, or how often all training examples were used.",
    shortcut="u",
)
explain(
    "mark change",
    "A change",
    "A setting was changed at this step: point at the flag to read which. What the curves do behind"
    " the line is its effect.",
    shortcut="t",
)
explain(
    "mark beyond",
    "Beyond the axis",
    "A value that lies above or below what the axis shows, and where.",
)

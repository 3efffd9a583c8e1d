"""What a view is, and the parts that several views are made of."""

from collections.abc import Callable, Hashable, Sequence, Set
from typing import Any, ClassVar, Protocol

from bokeh.models import BasicTicker, ColumnDataSource, CustomJS, DataRange1d
from bokeh.plotting import figure

from app import palette, theme
from app.plots.axes import count_steps, tick_all
from app.plots.plot_data import Part
from engine import Registry, Snapshot


class View(Protocol):
    """A card of the page: figures under a headline, fed by a pure function of the snapshot.

    `columns` fills the figures' sources and the headline's text, and has a text alternative for
    those who do not see the figures.
    """

    title: ClassVar[str]
    tab: ClassVar[str]  # of "Inside", or of the sidebar; empty: with the main plots
    requested: ClassVar[Set[str]]  # the fields of `OnDemandStatistics` that it shows
    columns: ClassVar[Callable[[Snapshot, int], Part]]
    # When its value changes, the view is drawn anew.
    drawn_for: ClassVar[Callable[[Snapshot], Hashable]]
    keys: Sequence[tuple[str, str, str]]  # text id, label and colour of each number in its headline
    figures: Sequence[figure]  # side by side, the first named "view:<its name>"

    def __init__(self, snapshot: Snapshot, style: theme.Style) -> None:
        """Draw its figures, without data."""


VIEWS: Registry[type[View]] = Registry("view")
SWITCH = "switch:"  # begins the names of callbacks of buttons in headlines


def view_of(name: str) -> type[View]:
    """The view of this name."""
    view: type[View] = VIEWS[name].make  # type: ignore[assignment]
    return view


def layers_of(snapshot: Snapshot) -> Hashable:
    """The names of the layers: most views are drawn for so many of them."""
    layers = tuple([layer.name for layer in snapshot.layers])  # quicker than of a generator
    return layers, tuple([tensor.name for tensor in snapshot.tensors])


def in_lockstep(snapshot: Snapshot) -> bool:
    """Whether there are two runs, A and B: plots over the run have lines for both."""
    return snapshot.other is not None


def source(name: str, columns: Sequence[str]) -> ColumnDataSource:
    """An empty source that frames fill in the browser; on the server it stays empty."""
    return ColumnDataSource({column: [] for column in columns}, name=name)


def plot(view: str, description: str, style: theme.Style, **options: Any) -> figure:
    """An empty figure in the page's style; the first of a view has its name."""
    plot = figure(
        name=f"view:{view}",
        sizing_mode="stretch_both",
        min_width=170,  # two stand side by side on a phone
        min_height=90,  # four lines of headline, as in lockstep, leave no more on a low screen
        toolbar_location=None,
        tools="",
        output_backend="canvas",
        html_attributes={"role": "img", "aria-label": description},
        **options,
    )
    plot.syncable = False  # or each change of its inner size is sent to the server
    plot.outline_line_color = None
    plot.grid.grid_line_color = palette.QUIET
    plot.grid.grid_line_alpha = 0.25
    plot.axis.axis_line_color = None
    plot.axis.major_tick_line_color = None
    plot.axis.minor_tick_line_color = None
    plot.axis.major_label_text_font_size = style.small
    plot.axis.axis_label_text_font_size = style.small
    plot.axis.axis_label_text_font_style = "normal"
    plot.axis.major_label_text_color = palette.TICKS
    plot.axis.axis_label_text_color = palette.TICKS
    tick_all(plot)
    plot.border_fill_alpha = 0
    plot.background_fill_alpha = 0
    plot.min_border = 4
    return plot


def over_time(view: str, description: str, style: theme.Style, **options: Any) -> figure:
    """A figure whose horizontal axis is the step."""
    steps = DataRange1d(range_padding=0, syncable=False, default_span=100)
    figure = plot(view, description, style, x_range=steps, **options)
    figure.xgrid.grid_line_color = None
    figure.xaxis.axis_label = "step"
    figure.xaxis.axis_label_standoff = 0
    count_steps(figure)
    figure.xaxis.ticker = BasicTicker(desired_num_ticks=style.ticks, num_minor_ticks=0)
    figure.min_border_right = style.half_number
    return figure


def draw_curves(
    figure: figure,
    sources: Sequence[ColumnDataSource],
    keys: Sequence[tuple[str, str, str]],
    style: theme.Style,
    x: str = "step",
    dash: Callable[[int], str] = palette.dash,
) -> None:
    """A line for each source and key over `x`: the column of the key's name, in its colour."""
    for number, (data, (text, _, colour)) in enumerate(zip(sources, keys, strict=True)):
        figure.line(
            x,
            text.partition(".")[2],
            source=data,
            color=colour,
            line_dash=dash(number),
            line_width=style.line_width,
        )


def frame_axes(figure: figure, view: str) -> None:
    """Let the axes show the range in the source `<view>.frame`, whatever the lines are."""
    corners = figure.scatter("x", "y", source=source(f"{view}.frame", ["x", "y"]), size=0, alpha=0)
    if isinstance(figure.x_range, DataRange1d):
        figure.x_range.renderers = [corners]
    if isinstance(figure.y_range, DataRange1d):
        figure.y_range.renderers = [corners]
        figure.y_range.range_padding = 0.03


def switch(owner: figure, name: str, label: str, code: str, **models: Any) -> None:
    """A button in the headline that runs code in the browser; `cb_data.pressed` is its state."""
    callback = CustomJS(name=f"{SWITCH}{name}", tags=[label], code=code, args=models)
    owner.js_on_change("tags", callback)  # a property that never changes


def switches(view: View) -> list[tuple[str, str]]:
    """Name and label of each button that `switch` has added."""
    callbacks = (
        c for x in view.figures for several in x.js_property_callbacks.values() for c in several
    )
    return [
        (str(c.name).removeprefix(SWITCH), str(c.tags[0]))
        for c in callbacks
        if str(c.name).startswith(SWITCH)
    ]


def auto_range() -> DataRange1d:
    """A range that follows the data in the browser without telling the server each time."""
    return DataRange1d(syncable=False, range_padding=0.06, only_visible=True)


def places() -> tuple[str, ...]:
    """The tabs that have views, the page itself ("") included."""
    return tuple(dict.fromkeys(view_of(name).tab for name in VIEWS))

"""The pictures of the initialization lab: histograms, sizes going forward and back, and a table.

What they show is made by pure functions of the engine's report.
"""

import html
import math
from collections.abc import Callable, Sequence

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, LogTicker, Range1d
from bokeh.plotting import figure

from app import columns, theme
from app.columns import Columns
from app.views.figures import further
from app.views.view import plot, source
from engine import LabLayer, Laboratory, LabReport, bounds_of

MOST_IN_A_ROW = 7  # histograms; of so many rows as are needed, all are equally long
BASE, TOP = 0.14, 0.8  # of a histogram, and ...
WORDS = 0.98  # ... of what is written over it, as shares of its place
MARGIN = 0.04  # at its sides
ROOM = 0.3  # behind the last layer, for the names of lines, as a share of all layers
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


def lab_columns(lab: Laboratory, report: LabReport) -> dict[str, Columns]:
    """All that the plots show of a report, by source."""
    layers = report.layers
    at = {layer.name: _places(row, len(layers)) for row, layer in enumerate(layers)}
    forward = {
        "measured": [layer.std for layer in layers],
        "theory": [layer.expected_std for layer in layers],
        "slide": [layer.slide_std for layer in layers],
    }
    backward = {
        "measured": [layer.backward for layer in layers],
        "theory": [layer.expected_backward for layer in layers],
        "slide": [math.nan for _ in layers],  # they print none
    }
    return {
        "lab": _histograms(layers, at),
        "lab.reds": _reds(lab, layers, at),
        "lab.ticks": _ticks(layers, at),
        "lab.words": _words(layers, at),
        "lab.forward": _sizes(forward),
        "lab.backward": _sizes(backward),
        "lab.forward.ends": _ends(forward, theme.FORWARD),
        "lab.backward.ends": _ends(backward, theme.BACKWARD),
    }


# ---- histograms ---------------------------------------------------------------------------------

type Place = Callable[[float, float], tuple[float, float]]


def _places(number: int, layers: int) -> Place:
    """Where a point of a histogram lies in the picture, both from 0 to 1 each way."""
    rows = 1 if layers <= MOST_IN_A_ROW - 2 else math.ceil(layers / MOST_IN_A_ROW)
    long = math.ceil(layers / rows)
    row, column = divmod(number, long)

    def place(across: float, up: float) -> tuple[float, float]:
        x = (column + MARGIN + (1 - 2 * MARGIN) * across) / long
        return round(x, 4), round(1 - (row + 1 - up) / rows, 4)

    return place


def _histograms(layers: Sequence[LabLayer], at: dict[str, Place]) -> Columns:
    """An outline each, like stairs, over the same edges in all layers."""
    xs, ys = [], []
    for layer in layers:
        bins, tallest = len(layer.counts), max(1, int(layer.counts.max()))
        heights = BASE + (TOP - BASE) * layer.counts / tallest
        across = np.repeat(np.arange(bins + 1) / bins, 2)
        up = np.concatenate([[BASE], np.repeat(heights, 2), [BASE]])
        points = [
            at[layer.name](*point) for point in zip(across.tolist(), up.tolist(), strict=True)
        ]
        xs.append([x for x, _ in points])
        ys.append([y for _, y in points])
    return {"x": xs, "y": ys, "colour": [theme.colour(row) for row in range(len(layers))]}


def _across(layer: LabLayer, value: float) -> float:
    """Where a value lies among the bins, which are equally wide in asinh."""
    return 0.5 + math.asinh(value) / (2 * math.asinh(float(layer.edges[-1])))


def _reds(lab: Laboratory, layers: Sequence[LabLayer], at: dict[str, Place]) -> Columns:
    """The share that is exactly 0, and at each end of a range the share that is saturated."""
    ends = bounds_of(lab.activation) or ()
    xs, bases, tops = [], [], []
    for layer in layers:
        for value, share in [(0.0, layer.zero), *((end, layer.saturated) for end in ends)]:
            x, base = at[layer.name](_across(layer, value), BASE)
            xs.append(x)
            bases.append(base)
            tops.append(at[layer.name](0, BASE + (TOP - BASE) * share)[1])
    return {"x": xs, "base": bases, "top": tops}


def _ticks(layers: Sequence[LabLayer], at: dict[str, Place]) -> Columns:
    """Under each histogram 0, and the largest power of ten on both sides."""
    decade = 10.0 ** math.floor(math.log10(0.98 * float(layers[0].edges[-1])))
    ticks = [
        (*at[layer.name](_across(layer, value), 0.0), f"{value:g}".replace("-", "−"))
        for layer in layers
        for value in (-decade, 0.0, decade)
    ]
    x, y, label = (list(column) for column in zip(*ticks, strict=True))
    return {"x": x, "y": y, "label": label}


def _words(layers: Sequence[LabLayer], at: dict[str, Place]) -> Columns:
    x, y = zip(*(at[layer.name](0.0, WORDS) for layer in layers), strict=True)
    words = [
        f"{number}   mean {theme.number(layer.mean)}   std {theme.number(layer.std)}"
        for number, layer in enumerate(layers, start=1)
    ]
    return {"x": list(x), "y": list(y), "text": words}


def draw_histograms() -> figure:
    """A histogram a layer, side by side in rows as on the slide; without data yet."""
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
        "x", "base", "x", "top", source=_source("lab.reds"), line_color=theme.ACCENT, line_width=3
    )
    words = {"text_font_size": theme.DESK.small, "text_color": theme.TICKS}
    drawn.text("x", "y", "label", source=_source("lab.ticks"), text_align="center", **words)
    drawn.text("x", "y", "text", source=_source("lab.words"), text_baseline="top", **words)
    return drawn


# ---- sizes --------------------------------------------------------------------------------------


def _sizes(lines: dict[str, list[float]]) -> Columns:
    """As a logarithmic axis can show them: what is 0 is not there."""
    shown = {
        name: [value if 0 < value < math.inf else math.nan for value in line]
        for name, line in lines.items()
    }
    return {"layer": [float(n + 1) for n in range(len(lines["measured"]))], **shown}


def size_frame(shown: Columns) -> tuple[float, float]:
    """The ends of the vertical axis: the powers of ten around all that it shows."""
    known = [np.array(shown[name], float) for name in ("measured", "theory", "slide")]
    low, high = columns.decades(*known)
    return low, high


def _ends(lines: dict[str, list[float]], colour: str) -> Columns:
    """The name of each line behind the last layer, where it can be shown."""
    low, high = size_frame(_sizes(lines))
    colours = {"measured": colour, "theory": colour, "slide": theme.SLIDE}
    last = [(name, line[-1], colours[name]) for name, line in lines.items()]
    return columns.ends(len(lines["measured"]), last, low, high, log=True)


def draw_sizes(name: str, description: str, colour: str) -> figure:
    """Deviation by layer: dots are measured, the line is theory, crosses are the slide's."""
    drawn = further(
        "lab",
        description,
        theme.DESK,
        x_range=Range1d(start=0.4, end=2),
        y_range=Range1d(start=0.1, end=10),
        y_axis_type="log",
    )
    data = _source(name)
    drawn.line("layer", "theory", source=data, color=colour, line_width=2, line_dash="dashed")
    drawn.scatter("layer", "measured", source=data, color=colour, size=8)
    drawn.scatter(
        "layer", "slide", source=data, marker="x", color=theme.SLIDE, size=13, line_width=2
    )
    drawn.text(
        "step",
        "y",
        "label",
        source=_source(f"{name}.ends"),
        text_color="colour",
        x_offset=11,
        text_baseline="middle",
        text_font_size=theme.DESK.small,
        text_font_style="bold",
    )
    drawn.xgrid.grid_line_color = None
    drawn.xaxis.ticker = FixedTicker(ticks=[])
    drawn.xaxis.axis_label = "layer"
    drawn.xaxis.axis_label_standoff = 0
    drawn.yaxis.ticker = LogTicker(desired_num_ticks=5, num_minor_ticks=0)
    return drawn


def frame_sizes(drawn: figure, shown: Columns) -> None:
    """Let the axes show these columns of `draw_sizes`, with room for the names of lines."""
    depth = len(shown["layer"])
    low, high = size_frame(shown)
    drawn.x_range.update(start=0.4, end=depth + max(1.0, ROOM * depth))
    drawn.y_range.update(start=low * 0.8, end=high * 1.25)
    drawn.xaxis.ticker.ticks = list(range(1, depth + 1))


def _source(name: str) -> ColumnDataSource:
    return source(name, SHOWN[name])


# ---- words --------------------------------------------------------------------------------------


def table(report: LabReport) -> str:
    """Layer by layer: mean and deviation, what theory expects and what the slide prints."""
    head = "".join(f"<th scope='col'>{name}</th>" for name in ("mean", "std", "theory", "slide"))
    rows = "".join(
        f"<tr><th scope='row'>{number}</th><td>{_figure(layer.mean)}</td>"
        f"<td>{_figure(layer.std)}</td><td>{_figure(layer.expected_std)}</td>"
        f"<td>{'–' if math.isnan(layer.slide_std) else f'{layer.slide_std:.6f}'}</td></tr>"
        for number, layer in enumerate(report.layers, start=1)
    )
    return (
        f"<div class='scroll' tabindex='0' role='region' aria-label='Figures'><table><thead><tr>"
        f"<th scope='col'>layer</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _figure(value: float) -> str:
    """As precise as the slides print."""
    if value == 0 or 1e-5 <= abs(value) < 1000:
        return f"{value:.6f}".replace("-", "−")
    return theme.number(value)


def in_words(lab: Laboratory, report: LabReport) -> str:
    """One sentence of what became of the signal and of the gradient."""
    first, last = report.layers[0], report.layers[-1]
    return (
        f"{html.escape(lab.activation.name)}, {html.escape(lab.initializer.name)}, {lab.depth}"
        f" layers of {lab.width}: deviation {theme.number(first.std)} in the first layer,"
        f" {theme.number(last.std)} in the last; of the gradient, 1 in the last and"
        f" {theme.number(first.backward)} in the first."
    )

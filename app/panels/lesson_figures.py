"""Plots of a lesson's exhibits, each drawn once from the engine's figures."""

import functools
from collections.abc import Iterable

import numpy as np
from bokeh.models import ColumnDataSource, Image, LinearColorMapper, Range1d
from bokeh.plotting import figure
from panel.layout import Column
from panel.pane import HTML, Bokeh
from panel.viewable import Viewable

from app import numbers, palette, theme
from app.plots.figures import further
from app.stylesheets import css
from app.templates import sentence
from engine import (
    Cloud,
    Descent,
    Draws,
    FunctionCurve,
    Graph,
    LabReport,
    Means,
    NormalizedBatch,
    counted,
)

MOST_POINTS = 400  # of a scatter plot
HEIGHTS = {1: 480, 2: 340}  # of a picture, in pixels, by how many there are
LEAST = 260  # ... if there are more
CHANNELS = 3  # of an image, at most
COLUMNS = {1: ["alone"], 2: ["pair"], 4: ["four"]}  # classes of app/static/exhibits.css


def pictures(exhibits: Iterable[object]) -> Viewable:
    """All exhibits of a lesson beside each other across the page, each with its name."""
    figures = [(exhibit, drawn(exhibit)) for exhibit in exhibits]
    height = HEIGHTS.get(len(figures), LEAST)
    for _, picture in figures:
        if picture is not None:
            picture.update(sizing_mode="stretch_width", height=height, min_height=height)
    return Column(
        *(
            Column(
                HTML(sentence(words(exhibit)), stylesheets=[css("panel")]),
                Bokeh(picture, height=height, sizing_mode="stretch_width"),
                sizing_mode="stretch_width",
            )
            for exhibit, picture in figures
            if picture is not None
        ),
        stylesheets=[css("exhibits")],
        css_classes=COLUMNS.get(len(figures), []),
        sizing_mode="stretch_width",
    )


@functools.singledispatch
def words(exhibit: object) -> str:
    """A text alternative for an exhibit, with its numbers."""
    return ""


@functools.singledispatch
def drawn(exhibit: object) -> figure | None:
    """The plot of an exhibit; None if it has none."""
    return None


@words.register
def _words_of_curve(curve: FunctionCurve) -> str:
    slopes = ", ".join(
        f"{numbers.tick(slope)} at {numbers.tick(point)}"
        for point, slope in zip(curve.points, curve.slopes, strict=True)
    )
    return f"{curve.name}, and dashed its slope: {slopes}"


@words.register
def _words_of_descent(descent: Descent) -> str:
    return (
        f"{descent.name}: {counted(len(descent.weights) - 1, 'steps')},"
        f" {numbers.number(descent.detour)} times the straight way;"
        f" {numbers.percent(descent.same_sign)} of them move both weights one way"
    )


@words.register
def _words_of_cloud(cloud: Cloud) -> str:
    axes = f"longest axis in the shortest, squared: {numbers.number(cloud.condition)}"
    return f"{cloud.name}: {axes}"


@words.register
def _words_of_draws(draws: Draws) -> str:
    return (
        f"{draws.name}: {len(draws.rates)} trials, {draws.different} different"
        f" learning rates, {numbers.percent(draws.top)} of them in the highest power of ten"
    )


@words.register
def _words_of_batch(batch: NormalizedBatch) -> str:
    return (
        f"{batch.name}: the marked example has a sum of"
        f" {numbers.number(float(batch.sums[0]))} and an output of"
        f" {numbers.number(batch.watched)}"
    )


@words.register
def _words_of_graph(graph: Graph) -> str:
    return f"{graph.name}: {graph.text}"


@words.register
def _words_of_means(means: Means) -> str:
    if means.numbers > CHANNELS:
        return f"{means.name}: subtracted pixel by pixel, {means.subtracted.size:,} numbers"
    return f"{means.name}: subtracted from all pixels alike, {counted(means.numbers, 'numbers')}"


@words.register
def _words_of_layers(report: LabReport) -> str:
    first, last = report.layers[0], report.layers[-1]
    return (
        f"{report.name}: deviation {numbers.number(first.std)} in the first layer, on top,"
        f" {numbers.number(last.std)} in the last"
    )


@drawn.register
def _curve(curve: FunctionCurve) -> figure:
    picture = further("exhibit", f"{curve.name}: the function and, dashed, its slope", theme.DESK)
    picture.line(curve.x, curve.value, color=palette.TRAIN, line_width=2)
    picture.line(curve.x, curve.slope, color=palette.VALIDATION, line_width=2, line_dash="dashed")
    at = np.interp(curve.points, curve.x, curve.value)
    picture.scatter(curve.points, at, color=palette.ACCENT, size=8)
    return picture


@drawn.register
def _descent(descent: Descent) -> figure:
    picture = further(
        "exhibit", f"{descent.name}: the way of two weights to their goal", theme.DESK
    )
    x, y = descent.weights.T
    picture.line(x, y, color=palette.TRAIN, line_width=1.5)
    picture.scatter([x[0]], [y[0]], color=palette.TRAIN, size=7)
    picture.scatter([descent.goal[0]], [descent.goal[1]], marker="x", color=palette.ACCENT, size=10)
    picture.xaxis.axis_label, picture.yaxis.axis_label = "first weight", "second weight"
    return picture


@drawn.register
def _cloud(cloud: Cloud) -> figure:
    picture = further("exhibit", f"{cloud.name}: two inputs as a scatter plot", theme.DESK)
    some = slice(None, None, 1 + len(cloud.points) // MOST_POINTS)
    colours = [palette.colour(int(label)) for label in cloud.labels[some]]
    x, y = cloud.points[some].T
    picture.scatter(x, y, color=colours, size=4, alpha=0.7)
    picture.match_aspect = True
    return picture


@drawn.register
def _draws(draws: Draws) -> figure:
    """The trials, and on the lower edge the learning rates that they try."""
    picture = further(
        "exhibit", f"{draws.name}: penalty over learning rate, powers of ten", theme.DESK
    )
    x, y = np.log10(draws.rates), np.log10(draws.penalties)
    picture.scatter(x, y, color=palette.TRAIN, size=8, alpha=0.7)
    picture.scatter(
        x,
        np.full(len(x), y.min() - 0.4),
        marker="dash",
        angle=np.pi / 2,
        color=palette.ACCENT,
        size=16,
    )
    picture.xaxis.axis_label, picture.yaxis.axis_label = "learning rate, 10^", "penalty, 10^"
    return picture


@drawn.register
def _normalized(batch: NormalizedBatch) -> figure:
    """Each example's output over its sum, the first one marked, and the line of no change."""
    picture = further("exhibit", f"{batch.name}: output over sum; dashed, no change", theme.DESK)
    ends = [float(batch.sums.min()), float(batch.sums.max())]
    picture.line(ends, ends, color=palette.QUIET, line_dash="dashed")
    picture.scatter(batch.sums, batch.outputs, color=palette.TRAIN, size=8)
    picture.scatter(batch.sums[:1], batch.outputs[:1], color=palette.ACCENT, size=12)
    picture.y_range = Range1d(start=-4, end=6)
    return picture


@drawn.register
def _graph(graph: Graph) -> figure:
    """Lines over one axis; what there is to compare with is dashed, and drawn below the others."""
    along_x, along_y = graph.powers
    picture = further(
        "exhibit",
        f"{graph.name}: {graph.axes[1]} over {graph.axes[0]}",
        theme.DESK,
        x_axis_type="log" if along_x else "linear",
        y_axis_type="log" if along_y else "linear",
    )
    for line in sorted(graph.lines, key=lambda line: not line.dashed):
        colour, dash = (palette.QUIET, "dashed") if line.dashed else (palette.TRAIN, "solid")
        picture.line(line.x, line.y, color=colour, line_width=2, line_dash=dash)
    if graph.ends:
        picture.y_range = Range1d(start=graph.ends[0], end=graph.ends[1])
    picture.xaxis.axis_label, picture.yaxis.axis_label = graph.axes
    return picture


@drawn.register
def _means(means: Means) -> figure:
    picture = further("exhibit", f"{means.name}: what is subtracted", theme.DESK)
    pixels = means.subtracted
    pixels = pixels.mean(axis=-1) if pixels.ndim == 3 else pixels
    rows, columns = pixels.shape
    mapper = LinearColorMapper(palette="Greys256", low=0.0, high=max(float(pixels.max()), 1.0))
    glyph = Image(image="image", x=0, y=0, dw=columns, dh=rows, color_mapper=mapper)
    picture.add_glyph(ColumnDataSource({"image": [pixels[::-1]]}), glyph)
    picture.match_aspect = True
    picture.axis.visible = False
    return picture


@drawn.register
def _layers(report: LabReport) -> figure:
    """A histogram per layer, one above the other, the first on top."""
    picture = further(
        "exhibit", f"{report.name}: a histogram of each layer's activations", theme.DESK
    )
    layers, bins = report.layers, len(report.layers[0].counts)
    for row, layer in enumerate(layers):
        base = len(layers) - 1 - row
        heights = 0.9 * layer.counts / max(1, int(layer.counts.max()))
        tops = base + np.append(heights, heights[-1])
        picture.varea_step(
            x=np.arange(bins + 1.0), y1=np.full(bins + 1, float(base)), y2=tops,
            step_mode="after", fill_color=palette.colour(row), fill_alpha=0.8,
        )  # fmt: skip
    picture.y_range = Range1d(start=0, end=len(layers))
    ends = [float(edge) for edge in layers[0].edges[[0, bins // 2, bins]]]
    picture.xaxis.ticker = [0, bins // 2, bins]
    picture.xaxis.major_label_overrides = {
        place: numbers.number(end) for place, end in zip((0, bins // 2, bins), ends, strict=True)
    }
    picture.yaxis.visible = False
    picture.grid.visible = False
    return picture

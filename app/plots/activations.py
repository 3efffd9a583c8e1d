"""Activation histograms: does the signal reach the last layer, or does it vanish or saturate?"""

import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, Image, LinearColorMapper, Range1d

from app import numbers, palette, theme
from app.explanations.explanation import explain
from app.plots import plot_data
from app.plots.plot_data import Columns, Part
from app.plots.view import VIEWS, layers_of, plot, source
from engine import ActivationHistory, LayerStats, Snapshot, bounds_of, memoize

ROW_HEIGHT = 100  # of one layer's histogram, in the units of its plot
BAR_HEIGHT = 84  # of its tallest bar
WORDS = 0.42  # width of the text before the histograms, in widths of these
GAP = 0.05  # ... of the space before the strips
STRIP = 0.62  # ... and of the strips behind them
IN_FULL = 4  # so few layers have space for several lines of text each
APART = 8.0  # pixels from the last number below the histograms to the words below the strips
THIRD_LINE = 27  # pixels below the first one
LETTER = 0.06  # width of one below the histograms, large or on a phone, in widths of these
LARGE = 10_000  # from which on a number below the histograms is written with a power of ten
NAMED = 14  # so few layers have space for one line each


def activations_columns(snapshot: Snapshot, since: int) -> Part:
    """A histogram for each layer, one above the other, the first layer on top."""
    history = snapshot.activation_history
    now = _histograms(snapshot.layers, bounds_of(snapshot.config.model.activation))
    along_the_run = {
        "activations.strip": _history(history),
        "activations.since": _since(len(snapshot.layers[0].counts), int(history.steps[-1])),
    }
    return Part(
        set={**now, **along_the_run},
        alternative=lambda: "; ".join(
            f"{a.name}: mean {numbers.number(a.mean)}, standard deviation"
            f" {numbers.number(a.std)}, {numbers.percent(a.zero)} exactly 0"
            for a in snapshot.layers
        ),
    )


@functools.lru_cache(512)  # of each visitor the last: frames are more frequent than measurements
def _histograms(
    layers: tuple[LayerStats, ...], bounds: tuple[float, float] | None
) -> Mapping[str, Columns]:
    """The histograms, and the numbers beside them."""
    bins = len(layers[0].counts)
    tops = {f"top{row}": [*tops, tops[-1]] for row, tops in enumerate(_tops(layers))}
    return {
        "activations": _bases(len(layers), bins) | tops,
        "activations.rows": _words(layers),
        "activations.ends": _ends(layers, bounds or ()),
        "activations.ticks": _ticks(bins, float(layers[0].edges[-1])),
    }


def _base(layers: Sequence[LayerStats], row: int) -> int:
    return ROW_HEIGHT * (len(layers) - 1 - row)


@functools.cache
def _bases(layers: int, bins: int) -> Columns:
    """The lower ends of the bars, and where each begins; equal for all networks of this depth."""
    bases: Columns = {
        f"base{row}": [ROW_HEIGHT * (layers - 1 - row)] * (bins + 1) for row in range(layers)
    }
    return {"x": [float(n) for n in range(bins + 1)]} | bases


def _tops(layers: Sequence[LayerStats]) -> list[list[int]]:
    """The upper ends of the bars of each layer, scaled to its tallest bar."""
    counts = np.array([layer.counts for layer in layers])
    tallest = np.maximum(counts.max(axis=1, keepdims=True), 1)
    bases = ROW_HEIGHT * np.arange(len(layers))[::-1, None]
    tops: list[list[int]] = (bases + np.rint(BAR_HEIGHT * counts / tallest).astype(int)).tolist()
    return tops


def _words(layers: Sequence[LayerStats]) -> Columns:
    """Name, mean and deviation of the layers; in deep networks of some layers only."""
    rows = range(0, len(layers), math.ceil(len(layers) / NAMED))
    return {
        "y": [float(_base(layers, row) + BAR_HEIGHT) for row in rows],
        "text": [_summary(layers[row], in_full=len(layers) <= IN_FULL) for row in rows],
        "zero": [
            f"{numbers.percent(layers[row].zero)} zero" if len(layers) <= IN_FULL else ""
            for row in rows
        ],
    }


def _summary(layer: LayerStats, *, in_full: bool) -> str:
    size = f"{numbers.short(layer.mean)} ± {numbers.short(layer.std)}"
    if not in_full:
        return f"{numbers.initial(layer.name)}  {size}"
    return f"{layer.name}\n{size}"


def _ends(layers: Sequence[LayerStats], bounds: Sequence[float]) -> Columns:
    """What deserves attention, in red: exact zeros, and values at the ends of the range."""
    bins = len(layers[0].counts)
    x, base, top = [], [], []
    for row, layer in enumerate(layers):
        bottom, limit = _base(layers, row), float(layer.edges[-1])
        shares = [(0.0, layer.zero)]
        if not math.isnan(layer.saturated):
            shares += [(end, layer.saturated) for end in bounds]
        for value, share in shares:
            x.append(round(_place(bins, limit, value), 2))
            base.append(float(bottom))
            top.append(float(bottom + round(BAR_HEIGHT * share)))
    return {"x": x, "base": base, "top": top}


def _place(bins: int, limit: float, value: float) -> float:
    """The place of a value among the bins, which are equally wide in asinh and end at a limit."""
    reach = math.asinh(limit)
    return bins * (math.asinh(value) + reach) / (2 * reach)


@functools.cache
def _ticks(bins: int, limit: float) -> Columns:
    ticks = axis_ticks(bins, limit)
    return {"x": [round(place, 2) for place, _ in ticks], "label": [label for _, label in ticks]}


def axis_ticks(bins: int, limit: float) -> list[tuple[float, str]]:
    """The places and labels of round values among bins equally wide in asinh, up to a limit."""
    decades = range(max(0, math.floor(math.log10(limit))) + 1)
    while math.asinh(10.0 ** decades[0]) < 0.24 * math.asinh(limit):  # would overlap the 0
        decades = decades[1:]
    choices = [{m * 10.0**d for d in decades for m in (1, 3)}]
    for every in range(1, len(decades) + 1):
        choices.append({10.0**d for d in decades if d % every == 0})
    rows = (_labelled(bins, limit, choice) for choice in choices)
    return next(row for row in rows if _apart(bins, row))


def _labelled(bins: int, limit: float, sizes: set[float]) -> list[tuple[float, str]]:
    """Zero, and these values of either sign that are within the limit, in their order."""
    shown = [size for size in sizes if size < 0.98 * limit]
    values = sorted({0.0, *shown, *(-size for size in shown)})
    return [(_place(bins, limit, value), _tick(value)) for value in values]


def _apart(bins: int, ticks: Sequence[tuple[float, str]]) -> bool:
    """Whether half a letter at least is between all labels."""
    return all(
        right - left > LETTER * bins * (len(first) + len(second) + 1) / 2
        for (left, first), (right, second) in itertools.pairwise(ticks)
    )


def _tick(value: float) -> str:
    """A label that leaves its neighbours space: 1e4 is half as wide as 10,000."""
    return numbers.short(value) if abs(value) >= LARGE else numbers.tick(value)


@memoize
def _history(history: ActivationHistory) -> Columns:
    """The histograms along the run, side by side: brighter for higher counts."""
    shares = history.shares[::-1]  # (L, bins, N), the last layer lowest
    layers, bins, steps = shares.shape
    gap = np.zeros((layers, max(1, round(bins * ROW_HEIGHT / BAR_HEIGHT) - bins), steps), np.uint8)
    pixels = np.concatenate([shares, gap], axis=1).reshape(-1, steps)
    return {"image": [plot_data.image(pixels)]}


@functools.lru_cache(64)
def _since(bins: int, last: int) -> Columns:
    """The ends of the strips: the first step, and the last one measured."""
    return {
        "x": [bins * (1 + GAP), bins * (1 + GAP + STRIP)],
        "label": ["step 0", numbers.count(last)],
        "align": ["left", "right"],
        "offset": [APART, 0.0],
    }


@VIEWS.register("activations")
class ActivationsView:
    """The activations of each layer, and their history along the run."""

    title = "Activations"
    tab = ""
    requested: frozenset[str] = frozenset()
    columns = staticmethod(activations_columns)
    drawn_for = staticmethod(layers_of)
    keys = (("", "exactly 0, or saturated", palette.ACCENT), ("", "along the run", palette.STRIP))

    def __init__(self, snapshot: Snapshot, style: theme.Style) -> None:
        layers, bins = snapshot.layers, len(snapshot.layers[0].counts)
        self._style = style
        self._small: dict[str, Any] = {
            "text_font_size": style.small if len(layers) <= IN_FULL else style.tiny,
            "text_color": palette.TICKS,
        }
        self._bottom, self._top = -0.14 * ROW_HEIGHT * len(layers) / 2, ROW_HEIGHT * len(layers)
        self._figure = plot(
            "activations",
            "Histogram of the activations of each layer, and its history",
            style,
            x_range=Range1d(start=-WORDS * bins, end=bins * (1 + GAP + STRIP) + 0.5),
            y_range=Range1d(start=self._bottom, end=self._top),
        )
        self._figure.axis.visible = False
        self._figure.grid.visible = False
        self._draw_ticks()
        self._draw_histograms(len(layers))
        self._draw_words(bins)
        self._draw_strips(bins)
        self.figures = [self._figure]

    def _draw_ticks(self) -> None:
        ticks = source("activations.ticks", ["x", "label"])
        self._figure.segment(
            "x", 0, "x", self._top, source=ticks, line_color=palette.QUIET, line_alpha=0.25
        )
        self._figure.text(
            "x",
            self._bottom,
            "label",
            source=ticks,
            text_align="center",
            level="annotation",
            **self._small,
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
                fill_color=palette.colour(row),
                fill_alpha=0.75,
            )

    def _draw_words(self, bins: int) -> None:
        ends = source("activations.ends", ["x", "base", "top"])
        self._figure.segment(
            "x", "base", "x", "top", source=ends, line_color=palette.ACCENT, line_width=4
        )
        rows = source("activations.rows", ["y", "text", "zero"])
        font: dict[str, Any] = {
            "x": -WORDS * bins,
            "y": "y",
            "source": rows,
            "text_baseline": "top",
        }
        self._figure.text(text="text", **font, **self._small)
        if self._style is theme.DESK:  # larger type has no space for a third line
            self._figure.text(text="zero", y_offset=THIRD_LINE, **font, **self._small)

    def _draw_strips(self, bins: int) -> None:
        data = ColumnDataSource({"image": [np.zeros((1, 1), np.uint8)]}, name="activations.strip")
        mapper = LinearColorMapper(palette=palette.STRIP_PALETTE, low=0, high=255)
        glyph = Image(
            image="image",
            x=bins * (1 + GAP),
            y=0,
            dw=bins * STRIP,
            dh=self._top,
            color_mapper=mapper,
        )
        self._figure.add_glyph(data, glyph)
        since = source("activations.since", ["x", "label", "align", "offset"])
        self._figure.text(
            "x",
            self._bottom,
            "label",
            source=since,
            text_align="align",
            x_offset="offset",
            level="annotation",
            **self._small,
        )


explain(
    "view activations",
    "Activations",
    "What the units of each layer put out, as a histogram: red are those at exactly 0, or at an end"
    " of their range. The strips on the right show how it came about along the run.",
    healthy="Spread out, and of a similar width in every layer.",
    moved_by="The initializer at first, then the activation, normalization and large steps.",
    lesson="too-small-collapse",
)

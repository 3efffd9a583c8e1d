"""The data of the initialization lab's plots: pure functions of the engine's report."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import cast

import numpy as np

from app import numbers, palette
from app.plots import plot_data
from app.plots.plot_data import Columns
from engine import LabLayer, Laboratory, LabReport, bounds_of

MOST_IN_A_ROW = 7  # histograms; if they need several rows, these are equally long
BASE, TOP = 0.17, 0.66  # the vertical extent of a histogram, as shares of its cell
TICKS, WORDS = 0.03, 0.97  # the heights of the text below and above it
MARGIN = 0.04  # at both sides


def lab_columns(lab: Laboratory, report: LabReport) -> dict[str, Columns]:
    """All data of the plots, by source."""
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
        "slide": [math.nan for _ in layers],  # the slides print none
    }
    return {
        "lab": _histograms(layers, at),
        "lab.reds": _reds(lab, layers, at),
        "lab.ticks": _ticks(layers, at),
        "lab.words": _words(layers, at),
        "lab.forward": _sizes(forward),
        "lab.backward": _sizes(backward),
        "lab.forward.ends": _ends(forward, palette.FORWARD),
        "lab.backward.ends": _ends(backward, palette.BACKWARD),
    }


# ---- histograms ---------------------------------------------------------------------------------

type Place = Callable[[float, float], tuple[float, float]]


def _places(number: int, layers: int) -> Place:
    """Maps a point of a histogram to the picture; coordinates are from 0 to 1."""
    rows = 1 if layers <= MOST_IN_A_ROW - 2 else math.ceil(layers / MOST_IN_A_ROW)
    long = math.ceil(layers / rows)
    row, column = divmod(number, long)

    def place(across: float, up: float) -> tuple[float, float]:
        x = (column + MARGIN + (1 - 2 * MARGIN) * across) / long
        return round(x, 4), round(1 - (row + 1 - up) / rows, 4)

    return place


def _histograms(layers: Sequence[LabLayer], at: dict[str, Place]) -> Columns:
    """The outline of each histogram; bin edges are the same for all layers."""
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
    return {"x": xs, "y": ys, "colour": [palette.colour(row) for row in range(len(layers))]}


def _across(layer: LabLayer, value: float) -> float:
    """The place of a value among the bins, which are equally wide in asinh."""
    return 0.5 + math.asinh(value) / (2 * math.asinh(float(layer.edges[-1])))


def _reds(lab: Laboratory, layers: Sequence[LabLayer], at: dict[str, Place]) -> Columns:
    """Bars for the share of exact zeros, and for the saturated share at each end of the range."""
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
    """Ticks below each histogram: 0, and the largest power of ten on both sides."""
    decade = 10.0 ** math.floor(math.log10(0.98 * float(layers[0].edges[-1])))
    ticks = [
        (*at[layer.name](_across(layer, value), TICKS), numbers.tick(value))
        for layer in layers
        for value in (-decade, 0.0, decade)
    ]
    x, y, label = (list(column) for column in zip(*ticks, strict=True))
    return {"x": x, "y": y, "label": label}


def _words(layers: Sequence[LabLayer], at: dict[str, Place]) -> Columns:
    x, y = zip(*(at[layer.name](0.0, WORDS) for layer in layers), strict=True)
    labels = [
        f"{number}   {numbers.number(layer.mean)}\n± {numbers.number(layer.std)}"  # for narrow ones
        for number, layer in enumerate(layers, start=1)
    ]
    return {"x": list(x), "y": list(y), "text": labels}


# ---- sizes --------------------------------------------------------------------------------------


def _sizes(lines: dict[str, list[float]]) -> Columns:
    """The values for a logarithmic axis: zeros are left out."""
    shown = {
        name: [value if 0 < value < math.inf else math.nan for value in line]
        for name, line in lines.items()
    }
    return {"layer": [float(n + 1) for n in range(len(lines["measured"]))], **shown}


def frame(shown: Columns) -> tuple[float, float]:
    """The range of the vertical axis: the powers of ten around all values."""
    lines = [cast(Sequence[float], shown[name]) for name in ("measured", "theory", "slide")]
    low, high = plot_data.decades(itertools.chain(*lines))
    return low, high


def _ends(lines: dict[str, list[float]], colour: str) -> Columns:
    """The name of each line, after the last layer."""
    low, high = frame(_sizes(lines))
    colours = {"measured": colour, "theory": colour, "slide": palette.SLIDE}
    last = [(name, line[-1], colours[name]) for name, line in lines.items()]
    return plot_data.ends(len(lines["measured"]), last, low, high, log=True)


# ---- words --------------------------------------------------------------------------------------


def table(report: LabReport) -> str:
    """A table by layer: mean and deviation, prediction of the theory, figure of the slide."""
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
    """A number with as many digits as the slides print."""
    if value == 0 or 1e-5 <= abs(value) < 1000:
        return f"{value:.6f}".replace("-", "−")
    return numbers.number(value)


def in_words(lab: Laboratory, report: LabReport) -> str:
    """One sentence about the size of the signal and of the gradient."""
    first, last = report.layers[0], report.layers[-1]
    return (
        f"{lab.activation.name}, {lab.initializer.name}, {lab.depth}"
        f" layers of {lab.width}: deviation {numbers.number(first.std)} in the first layer,"
        f" {numbers.number(last.std)} in the last; of the gradient, 1 in the last and"
        f" {numbers.number(first.backward)} in the first."
    )

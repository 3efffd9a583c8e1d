"""Network: the layers from the input to the scores, with their sizes and parameters."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bokeh.models import Range1d
from bokeh.plotting import figure

from app import palette, theme
from app.explanations.explanation import explain
from app.plots.plot_data import Columns, Part
from app.plots.view import VIEWS, layers_of, plot, source
from engine import Snapshot, SummaryRow

WIDTH = 0.22  # of a layer's box, where layers are 1 apart
MOST_IN_FULL = 9  # layers up to which all texts fit; with more, texts are short
TALLEST, SHORTEST = 1.0, 0.16


@dataclass(frozen=True)
class _Box:
    """A layer as a box."""

    name: str
    shape: tuple[int, ...]
    height: float


def network_columns(snapshot: Snapshot, since: int) -> Part:
    """A box for each layer's output, and a link between two of them for the weights."""
    summary = snapshot.on_demand.model_summary or ()
    boxes = _boxes(snapshot.data.shape, summary) if summary else []
    parameters = sum(row.parameters for row in summary)
    work = sum(row.work for row in summary)
    return Part(
        set={
            "network.boxes": _box_columns(boxes),
            "network.links": _link_columns(boxes, summary),
            "network.words": _word_columns(summary, parameters),
        },
        text={
            "network.parameters": f"{parameters:,}" if summary else "–",
            "network.work": f"{work:,}" if summary else "–",
            "network.data": _data(snapshot),
        },
        alternative=lambda: (
            f"{_data(snapshot)} "
            + " ".join(
                f"{x.name}: {_size(x.shape)}, {', '.join([x.weights, *x.then])},"
                f" {x.parameters:,} parameters."
                for x in summary
            )
        ),
    )


def _data(snapshot: Snapshot) -> str:
    data = snapshot.data
    what = f"{len(data.classes)} classes" if data.classes else "a value"
    return f"{_size(data.shape)} in, {what} out"


def _size(shape: Sequence[int]) -> str:
    return "×".join(str(n) for n in shape)


def _boxes(shape: tuple[int, ...], summary: Sequence[SummaryRow]) -> list[_Box]:
    """The boxes; heights grow with the logarithm of the number of units."""
    named = [("input", shape), *((row.name, row.shape) for row in summary)]
    sizes = [math.log(1 + math.prod(shape)) for _, shape in named]
    span = TALLEST - SHORTEST
    largest = max(sizes)
    return [
        _Box(name, shape, SHORTEST + span * size / largest)
        for (name, shape), size in zip(named, sizes, strict=True)
    ]


def _box_columns(boxes: Sequence[_Box]) -> Columns:
    colours = [palette.QUIET, *(palette.colour(n) for n in range(len(boxes)))]
    every = 1 + len(boxes) // 16
    return {
        "x": [float(n) for n in range(len(boxes))],
        "height": [round(box.height, 3) for box in boxes],
        "colour": colours[: len(boxes)],
        "name": [_short(box.name, len(boxes)) for box in boxes],
        "size": [_size(b.shape) if n % every == 0 else "" for n, b in enumerate(boxes)],
    }


def _short(name: str, boxes: int) -> str:
    if boxes <= MOST_IN_FULL:
        return name
    if name[-1].isdigit():
        name = name.rpartition(" ")[2]
        return name if boxes <= 24 or int(name) % 5 == 0 else ""
    return name if boxes <= 16 else ""


def _link_columns(boxes: Sequence[_Box], summary: Sequence[SummaryRow]) -> Columns:
    """The links between boxes; more parameters make a link darker."""
    most = max((row.parameters for row in summary), default=1)
    xs, ys = [], []
    for n, (left, right) in enumerate(itertools.pairwise(boxes)):
        a, b = n + WIDTH / 2, n + 1 - WIDTH / 2
        xs.append([a, a, b, b])
        ys.append([-left.height / 2, left.height / 2, right.height / 2, -right.height / 2])
    return {
        "xs": xs,
        "ys": [[round(y, 3) for y in corners] for corners in ys],
        "alpha": [round(0.06 + 0.34 * row.parameters / most, 2) for row in summary],
    }


def _word_columns(summary: Sequence[SummaryRow], parameters: int) -> Columns:
    in_full = len(summary) < MOST_IN_FULL
    return {
        "x": [n + 0.5 for n in range(len(summary))],
        "weights": [x.weights if in_full else "" for x in summary],
        "parameters": [_count(x.parameters, in_full) if len(summary) < 24 else "" for x in summary],
        "then": [", ".join(x.then) if in_full else "" for x in summary],
    }


def _count(number: int, in_full: bool) -> str:
    if in_full:
        return f"{number:,}"
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{letter}"
    return str(number)


@VIEWS.register("network")
class NetworkView:
    """The layers: a taller box has more numbers, a darker link more of the parameters."""

    title = "Network"
    tab = "Network"
    requested: frozenset[str] = frozenset({"model_summary"})
    columns = staticmethod(network_columns)
    drawn_for = staticmethod(layers_of)
    keys = (
        ("network.parameters", "parameters", palette.PLAIN),
        ("network.work", "multiplications per example", palette.PLAIN),
        ("network.data", "", palette.PLAIN),
    )

    def __init__(self, snapshot: Snapshot, style: theme.Style) -> None:
        layers = len(snapshot.tensors)
        figure = plot(
            "network",
            "The layers of the network with their sizes and numbers of parameters",
            style,
            x_range=Range1d(start=-0.5, end=layers + 0.5),
            y_range=Range1d(start=-1.05, end=0.56),
        )
        figure.axis.visible = False
        figure.grid.visible = False
        figure.patches(
            "xs",
            "ys",
            source=source("network.links", ["xs", "ys", "alpha"]),
            fill_color=palette.QUIET,
            fill_alpha="alpha",
            line_color=None,
        )
        self._draw_boxes(figure, style)
        self._draw_words(figure, style)
        self.figures = [figure]

    def _draw_boxes(self, figure: figure, style: theme.Style) -> None:
        boxes = source("network.boxes", ["x", "height", "colour", "name", "size"])
        figure.rect("x", 0, WIDTH, "height", source=boxes, color="colour", alpha=0.85)
        font: dict[str, Any] = {
            "source": boxes,
            "text_align": "center",
            "text_font_size": style.small,
        }
        figure.text("x", -0.71, "name", text_font_style="bold", text_color="colour", **font)
        figure.text("x", -0.94, "size", text_color=palette.QUIET, **font)

    def _draw_words(self, figure: figure, style: theme.Style) -> None:
        data = source("network.words", ["x", "weights", "parameters", "then"])
        for name, y in (("weights", 0.25), ("parameters", 0.0), ("then", -0.25)):
            figure.text(
                "x",
                y,
                name,
                source=data,
                text_align="center",
                text_baseline="middle",
                text_font_size=style.small,
                text_color=palette.QUIET,
            )


explain(
    ("view network", "tab Network"),
    "Network",
    "The layers from input to scores: a taller box has more numbers, a darker link more of the"
    " parameters.",
    moved_by="Hidden layers, convolutions, and the data set.",
    lesson="convolution",
)
explain(
    "number network.parameters",
    "Parameters",
    "How many numbers are learned: all weights and biases. More can learn more, and also more by"
    " heart.",
    moved_by="Units and layers; Maxout doubles them.",
    lesson="maxout-doubles-the-parameters",
)
explain(
    "number network.work",
    "Work",
    "How many multiplications one example takes on its way forward.",
    moved_by="Units, layers and filters.",
)
explain("number network.data", "In and out", "The size of one example, and what is predicted.")

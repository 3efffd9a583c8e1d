"""Signal: do activations and gradients keep their size from layer to layer?"""

import functools
import math
from typing import Any

from app import numbers, palette, theme
from app.explanations.explanation import explain
from app.plots import plot_data
from app.plots.figures import frame_decades, name_layers
from app.plots.plot_data import Columns, Part
from app.plots.view import VIEWS, layers_of, plot, source
from engine import LayerStats, SignalTheory, Snapshot


def signal_columns(snapshot: Snapshot, since: int) -> Part:
    """The standard deviation of each layer's output and gradient: measured, and by theory."""
    return _sizes(snapshot.layers, snapshot.on_demand.signal_theory)


@functools.lru_cache(512)  # of each visitor the last: frames are more frequent than measurements
def _sizes(layers: tuple[LayerStats, ...], expected: SignalTheory | None) -> Part:
    forward = [expected.inputs if expected else math.nan, *(layer.std for layer in layers)]
    backward = [math.nan, *(layer.backward for layer in layers)]
    theory = _theory(expected, layers[-1].backward)
    ends = plot_data.decades([*forward, *backward, *theory["forward"], *theory["backward"]])
    shown = {"forward": _change(forward), "backward": _change(backward[::-1])}
    return Part(
        set={
            "signal": _lines({"forward": forward, "backward": backward}),
            "signal.theory": _lines(theory),
            "signal.frame": {"x": [1.0, 1.0], "y": ends},
            "signal.labels": _labels(forward, backward),
        },
        text={
            "signal.forward": shown["forward"],
            "signal.backward": shown["backward"],
            "signal.theory": _words(expected),
        },
        alternative=lambda: (
            "Standard deviation of each layer's output, and of the gradient there: "
            + "; ".join(
                f"{a.name} {numbers.number(a.std)} and {numbers.number(a.backward)}" for a in layers
            )
        ),
    )


def _theory(expected: SignalTheory | None, at_scores: float) -> dict[str, list[float]]:
    """The theory's prediction; the gradient's line is scaled to its current size at the scores."""
    if expected is None or not expected.forward:
        return {"forward": [], "backward": []}
    return {
        "forward": [expected.inputs, *expected.forward],
        "backward": [math.nan, *(size * at_scores for size in expected.backward)],
    }


def _lines(lines: dict[str, list[float]]) -> Columns:
    places: Columns = {"layer": [float(x) for x in range(len(lines["forward"]))]}
    return places | {name: plot_data.positive(line) for name, line in lines.items()}


def _labels(forward: list[float], backward: list[float]) -> Columns:
    """The forward line has its label at its right end, the backward line at its left."""
    return {
        "x": [len(forward) - 1.0, 1.0],
        "y": plot_data.positive([forward[-1], backward[1]]),
        "words": ["forward", "backward"],
        "colour": [palette.FORWARD, palette.BACKWARD],
        "align": ["left", "right"],
        "offset": [9.0, -9.0],
    }


def _change(sizes: list[float]) -> str:
    """The first and the last known size."""
    known = [size for size in sizes if math.isfinite(size)]
    return f"{numbers.number(known[0])} → {numbers.number(known[-1])}" if known else "–"


def _words(expected: SignalTheory | None) -> str:
    if expected is None:
        return ""
    return expected.why_not or "of wide layers, for the weights as drawn"


@VIEWS.register("signal")
class SignalView:
    """The size of the signal in each layer on its way forward, and of the gradient backward."""

    title = "Signal"
    tab = "Signal"
    requested: frozenset[str] = frozenset({"signal_theory"})
    columns = staticmethod(signal_columns)
    drawn_for = staticmethod(layers_of)
    keys = (
        ("signal.forward", "forward", palette.FORWARD),
        ("signal.backward", "backward", palette.BACKWARD),
        ("signal.theory", "theory (dashed)", palette.QUIET),
    )

    def __init__(self, snapshot: Snapshot, style: theme.Style) -> None:
        figure = plot(
            "signal",
            "Standard deviation of the signal and of its gradient by layer",
            style,
            y_axis_type="log",
        )
        frame_decades(figure, "signal.frame")
        names = ["input", *(layer.name for layer in snapshot.layers)]
        name_layers(figure, names, 0, beyond=1.0)  # space for a word, on a phone too
        figure.yaxis.axis_label = "standard deviation"
        data = source("signal", ["layer", "forward", "backward"])
        theory = source("signal.theory", ["layer", "forward", "backward"])
        for name, colour, marker in (
            ("forward", palette.FORWARD, "circle"),
            ("backward", palette.BACKWARD, "square"),
        ):
            line: dict[str, Any] = {"color": colour, "line_width": style.line_width}
            figure.line("layer", name, source=theory, line_dash="dashed", alpha=0.7, **line)
            figure.line("layer", name, source=data, **line)
            size = 3 * style.line_width + 1
            figure.scatter("layer", name, source=data, marker=marker, color=colour, size=size)
        figure.text(
            "x",
            "y",
            "words",
            source=source("signal.labels", ["x", "y", "words", "colour", "align", "offset"]),
            x_offset="offset",
            text_align="align",
            text_baseline="middle",
            text_color="colour",
            text_font_size=style.small,
            level="annotation",  # over the edge, too, where a line may end
        )
        self.figures = [figure]


explain(
    ("view signal", "tab Signal"),
    "Signal",
    "How large the signal is in each layer on its way forward, and the gradient on its way back."
    " Dashed: what theory expects of wide layers with weights as they were drawn.",
    healthy="Neither line falls or rises by much from layer to layer.",
    moved_by="The initializer and the activation; batch norm evens it out.",
    lesson="he-and-relu",
)
explain(
    "number signal.forward",
    "Signal, first to last layer",
    "The standard deviation of what the first layer puts out, and of what the last does.",
    healthy="both of a similar size",
    moved_by="The initializer, the activation, normalization.",
    lesson="he-and-relu",
)
explain(
    "number signal.backward",
    "Gradient, first to last layer",
    "The size of the gradient that reaches the first layer, and of that at the last one.",
    healthy="not thousands of times smaller or larger at one end",
    moved_by="The slope of the activation, the size of the weights, the number of layers.",
    lesson="sigmoid-saturates",
)
explain(
    "number signal.theory",
    "Theory",
    "What very wide layers would have with weights as they were drawn (mean-field theory). Where"
    " training has changed the weights, the lines part.",
    lesson="xavier-and-tanh",
)

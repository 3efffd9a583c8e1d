"""Functions: where on the curve of the activation are the units' preactivations?"""

from collections.abc import Hashable
from typing import Any

import numpy as np
from bokeh.models import FixedTicker, LinearScale, Range1d
from bokeh.models.annotations import BoxAnnotation

from app import numbers, palette, theme
from app.explanations.explanation import explain
from app.plots import plot_data
from app.plots.figures import bars, draw_bars, entitle, further
from app.plots.plot_data import Columns, Part
from app.plots.view import VIEWS, layers_of, plot, source
from engine import FLAT, SPAN, LayerPreactivations, Response, Snapshot, response

POINTS = 2  # points of the engine's curve per point on the page
NEAR = 2.2  # the curve is always visible up to this preactivation
MOST_ROWS = 12  # layers that have a bar; of more layers only some


def functions_columns(snapshot: Snapshot, since: int) -> Part:
    """The activation, its slope, and the density of preactivations of each hidden layer."""
    sums = snapshot.on_demand.preactivations
    curve = sums.response if sums else response(snapshot.config.model.activation)
    layers = sums.layers if sums else ()
    name = snapshot.config.model.activation.name
    names = [layer.name for layer in snapshot.layers[:-1]]
    flat = {layer.name: layer.flat for layer in layers}
    beyond = {layer.name: _beyond(layer) for layer in layers}
    return Part(
        set={
            "functions": _curve(curve),
            "functions.flat": _flat(names, flat),
        }
        | ({"functions.sums": _densities(names, layers)} if names else {}),
        text={
            "functions.name": _title(name),
            "functions.flat": _most(flat),
            "functions.beyond": _most(beyond),
        },
        alternative=lambda: (
            f"{name}. "
            + "; ".join(
                f"{layer.name}: {numbers.percent(layer.flat)} of the sums where the slope is"
                f" below 0.05, {numbers.percent(beyond[layer.name])} beyond ±{SPAN:g}"
                for layer in layers
            )
        ),
    )


def _title(name: str) -> str:
    return f"{name}, of the first sum minus the second" if name == "Maxout" else name


def _curve(curve: Response) -> Columns:
    return {
        "x": plot_data.rounded(curve.x[::POINTS]),
        "value": plot_data.rounded(curve.value[::POINTS]),
        "slope": plot_data.rounded(curve.slope[::POINTS]),
    }


def _beyond(layer: LayerPreactivations) -> float:
    return (layer.below + layer.above) / max(1, _total(layer))


def _total(layer: LayerPreactivations) -> int:
    return int(layer.counts.sum()) + layer.below + layer.above


def _densities(names: list[str], layers: tuple[LayerPreactivations, ...]) -> Columns:
    """The share of preactivations in each bin, relative to the largest share, so areas compare."""
    bins = len(layers[0].counts) if layers else 0
    width = 2 * SPAN / max(1, bins)
    data: Columns = {"x": [round(width * (n + 0.5) - SPAN, 3) for n in range(bins)]}
    shares = {layer.name: layer.counts / max(1, _total(layer)) for layer in layers}
    tallest = max((float(share.max()) for share in shares.values()), default=0.0) or 1.0
    for number, name in enumerate(names):
        share = shares.get(name, np.zeros(bins))
        data[f"layer{number}"] = [int(v) for v in np.rint(100 * share / tallest)]
    return data


def _flat(names: list[str], flat: dict[str, float]) -> Columns:
    shown = _shown(names) if flat else []
    return bars(
        [flat.get(name, 0.0) for name in shown],
        [numbers.percent(flat[name]) if name in flat else "" for name in shown],
        [palette.colour(names.index(name)) for name in shown],
    )


def _shown(names: list[str]) -> list[str]:
    return names[:: 1 + (len(names) - 1) // MOST_ROWS] if names else []


def _most(shares: dict[str, float]) -> str:
    if not shares:
        return "–"
    name = max(shares, key=lambda layer: shares[layer])
    return f"{numbers.percent(shares[name])} in {name}"


def _drawn_for(snapshot: Snapshot) -> Hashable:
    return layers_of(snapshot), str(snapshot.config.model.activation)


@VIEWS.register("functions")
class FunctionsView:
    """The activation and the density of preactivations; on flat parts (shaded) gradients vanish."""

    title = "Functions"
    tab = "Functions"
    requested: frozenset[str] = frozenset({"preactivations"})
    columns = staticmethod(functions_columns)
    drawn_for = staticmethod(_drawn_for)
    keys = (
        ("functions.name", "value of", palette.FORWARD),
        ("", "slope", palette.BACKWARD),
        ("functions.flat", f"slope below {FLAT:g}: most", palette.ACCENT),
        ("functions.beyond", f"beyond ±{SPAN:g}: most", palette.PLAIN),
    )

    def __init__(self, snapshot: Snapshot, style: theme.Style) -> None:
        self._style = style
        names = [layer.name for layer in snapshot.layers[:-1]]
        curve = response(snapshot.config.model.activation)
        near = np.abs(curve.x) <= NEAR
        both = np.concatenate([curve.value[near], curve.slope[near]])
        low, high = min(0.0, float(both.min())), float(both.max())
        self._figure = plot(
            "functions",
            "The activation function, its slope, and the distribution of what goes into it",
            style,
            x_range=Range1d(start=-SPAN, end=SPAN),
            y_range=Range1d(start=low - 0.9 * (high - low), end=high + 0.1 * (high - low)),
        )
        entitle(self._figure, "by the sum that goes in; along the bottom: how often it does", style)
        self._figure.yaxis.ticker = FixedTicker(ticks=[-1, 0, 1, 2])
        self._shade_flat(curve)
        self._draw_sums(len(names))
        self._draw_start(curve)
        self._draw_curve()
        flat = further("functions", "Share of each layer's sums on the flat parts", style)
        entitle(flat, "share of each layer on the flat parts", style)
        draw_bars(flat, "functions.flat", style, _shown(names))
        self.figures = [self._figure, flat]

    def _shade_flat(self, curve: Response) -> None:
        flat = np.concatenate([[False], np.abs(curve.slope) < FLAT, [False]])
        changes = np.flatnonzero(flat[1:] != flat[:-1])
        for start, stop in changes.reshape(-1, 2):
            left, right = float(curve.x[start]), float(curve.x[stop - 1])
            box = BoxAnnotation(left=left, right=right, level="underlay")
            box.fill_color, box.fill_alpha, box.line_color = palette.ACCENT, 0.08, None
            self._figure.add_layout(box)

    def _draw_sums(self, layers: int) -> None:
        """Along the bottom, below the curve."""
        self._figure.extra_y_ranges = {"share": Range1d(start=0, end=210)}
        self._figure.extra_y_scales = {"share": LinearScale()}
        names = [f"layer{n}" for n in range(layers)]
        data = source("functions.sums", ["x", *names])
        for n, name in enumerate(names):
            glyph: dict[str, Any] = {"source": data, "y_range_name": "share"}
            self._figure.varea(
                "x", 0, name, fill_color=palette.colour(n), fill_alpha=0.35 / (1 + n), **glyph
            )
            self._figure.line(
                "x",
                name,
                color=palette.colour(n),
                line_dash=palette.dash(n),
                line_width=1.5,
                **glyph,
            )

    def _draw_start(self, curve: Response) -> None:
        """A learned slope as it began; any other curve lies over its start, which is not seen."""
        self._figure.line(
            curve.x, curve.value, color=palette.QUIET, line_dash="dotted",
            line_width=self._style.line_width,
        )  # fmt: skip

    def _draw_curve(self) -> None:
        data = source("functions", ["x", "value", "slope"])
        for name, colour, dash in (
            ("value", palette.FORWARD, "solid"),
            ("slope", palette.BACKWARD, "dashed"),
        ):
            self._figure.line(
                "x", name, source=data, color=colour, line_dash=dash,
                line_width=self._style.line_width,
            )  # fmt: skip


explain(
    ("view functions", "tab Functions"),
    "Functions",
    "The activation with its slope, and where the sums that it is given lie; a learned slope is the"
    " mean, dotted as it began. On the shaded parts the slope is next to 0, so gradients vanish"
    " there.",
    healthy="Sums where the slope is not next to 0.",
    moved_by="The activation, and the size of the weights.",
    lesson="sigmoid-saturates",
)
explain("number functions.name", "Activation", "The function whose value is drawn.")
explain(
    "number functions.flat",
    "On the flat part",
    f"The share of sums where the slope is below {FLAT:g}, in the layer that has most of them. They"
    " let next to no gradient through.",
    moved_by="Smaller weights, batch norm, or another activation.",
    lesson="sigmoid-saturates",
)
explain(
    "number functions.beyond",
    "Beyond the plot",
    f"The share of sums below {-SPAN:g} or above {SPAN:g}, in the layer that has most of them: they"
    " lie to the left or right of what is drawn.",
    moved_by="The size of the weights and of the inputs.",
)

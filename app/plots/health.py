"""Health: how many units are dead, silent, or saturated, in each hidden layer?"""

import math
from collections.abc import Sequence
from typing import Any

from bokeh.models import FixedTicker, Range1d
from bokeh.models.annotations import Span
from bokeh.plotting import figure

from app import numbers, palette, theme
from app.explanations.explanation import explain
from app.plots.axes import tick_shares
from app.plots.figures import entitle, further, name_layers
from app.plots.plot_data import Columns, Part
from app.plots.view import VIEWS, layers_of, plot, source
from engine import LayerStats, Snapshot

# The shares above which the diagnosis has a finding; some zeros are healthy.
BANDS = {"dead": 0.4, "zero": math.inf, "saturated": 0.5}
TITLES = {
    "dead": "dead: 0 on every example",
    "zero": "zero: exactly 0 just now",
    "saturated": "saturated: at either end",
}


def health_columns(snapshot: Snapshot, since: int) -> Part:
    """The share of each hidden layer's units that are dead, zero at the moment, or saturated."""
    hidden = snapshot.layers[:-1]
    shares = {part: [getattr(layer, part) for layer in hidden] for part in BANDS}
    return Part(
        set={f"health.{part}": _bars(values, BANDS[part]) for part, values in shares.items()}
        | {f"health.{part}.empty": _why_empty(part, snapshot) for part in BANDS},
        text={f"health.{part}": _worst(hidden, values) for part, values in shares.items()},
        alternative=lambda: (
            "; ".join(
                f"{layer.name}: dead {numbers.decimal_percent(layer.dead)}, exactly 0"
                f" {numbers.decimal_percent(layer.zero)}, saturated"
                f" {numbers.decimal_percent(layer.saturated)}"
                for layer in hidden
            )
            or "There are no hidden layers."
        ),
    )


def _bars(shares: Sequence[float], band: float) -> Columns:
    return {
        "layer": [float(n) for n in range(1, len(shares) + 1)],
        "share": [round(share, 3) if math.isfinite(share) else None for share in shares],
        "colour": [
            palette.ACCENT if share > band else palette.colour(n) for n, share in enumerate(shares)
        ],
        "words": [numbers.percent(share) if math.isfinite(share) else "" for share in shares],
    }


def _why_empty(part: str, snapshot: Snapshot) -> Columns:
    """Why there are no bars, near the middle of the figure."""
    hidden = snapshot.layers[:-1]
    text = ""
    if not hidden:
        text = "no hidden layers"
    elif all(math.isnan(getattr(layer, part)) for layer in hidden):
        text = {
            "dead": "not all examples seen yet",
            "saturated": "cannot saturate",
        }.get(part, "")
    return {"x": [(len(hidden) + 1) / 2], "y": [0.22], "words": [text]}


def _worst(layers: Sequence[LayerStats], shares: Sequence[float]) -> str:
    known = [(s, a.name) for s, a in zip(shares, layers, strict=True) if math.isfinite(s)]
    if not known:
        return "–"
    share, name = max(known, key=lambda one: one[0])
    return f"{numbers.percent(share)} in {name}"


@VIEWS.register("health")
class HealthView:
    """The share of dead, zero and saturated units in each layer; dashed: the healthy limit.

    A unit is dead if it is 0 on every training example, or on the first 2,048 of many. Saturated
    outputs lie near an end of the activation's range.
    """

    title = "Health"
    tab = "Health"
    requested: frozenset[str] = frozenset()
    columns = staticmethod(health_columns)
    drawn_for = staticmethod(layers_of)
    keys = (
        ("health.dead", "most dead", palette.PLAIN),
        ("health.zero", "most zeros", palette.PLAIN),
        ("health.saturated", "most saturated", palette.PLAIN),
        ("", "too many", palette.ACCENT),
    )

    def __init__(self, snapshot: Snapshot, style: theme.Style) -> None:
        self._style = style
        self._names = [layer.name for layer in snapshot.layers[:-1]]
        self.figures = [self._draw(part) for part in BANDS]

    def _draw(self, part: str) -> figure:
        make = plot if part == "dead" else further
        drawn = make(
            "health",
            f"Share of each layer that is {TITLES[part]}",
            self._style,
            y_range=Range1d(start=0, end=1.2),
        )
        entitle(drawn, TITLES[part], self._style)
        drawn.yaxis.ticker = FixedTicker(ticks=[0, 0.5, 1])
        tick_shares(drawn)
        name_layers(drawn, self._names or [" "], 1)
        if math.isfinite(BANDS[part]):
            drawn.add_layout(
                Span(
                    location=BANDS[part],
                    dimension="width",
                    line_color=palette.ACCENT,
                    line_dash="dashed",
                    line_alpha=0.7,
                )
            )
        data = source(f"health.{part}", ["layer", "share", "colour", "words"])
        drawn.vbar("layer", top="share", width=0.6, source=data, color="colour", alpha=0.8)
        font: dict[str, Any] = {"text_font_size": self._style.small, "text_align": "center"}
        drawn.text("layer", "share", "words", source=data, text_color="colour", y_offset=-2, **font)
        why = source(f"health.{part}.empty", ["x", "y", "words"])
        drawn.text("x", "y", "words", source=why, text_color=palette.QUIET, **font)
        return drawn


explain(
    ("view health", "tab Health"),
    "Health",
    "The share of each hidden layer's units that is dead, just now at 0, or saturated: no gradient"
    " passes those. The dashed line is where the diagnosis speaks up.",
    healthy=f"dead below {numbers.percent(BANDS['dead'])}, saturated below"
    f" {numbers.percent(BANDS['saturated'])}",
    moved_by="Too large a learning rate kills ReLUs; too large weights saturate tanh and sigmoid.",
    lesson="dead-relus",
)
explain(
    "number health.dead",
    "Dead units",
    "The share of units that are 0 on every example seen, in the worst layer. They get no gradient,"
    " so they do not come back.",
    healthy=f"below {numbers.percent(BANDS['dead'])}",
    moved_by="A high learning rate makes them; leaky ReLU has none.",
    lesson="dead-relus",
)
explain(
    "number health.zero",
    "Zeros just now",
    "The share of outputs that are exactly 0 at this moment, in the worst layer. About half is what"
    " ReLU does to sums of both signs, and harmless.",
    moved_by="The activation, and where its inputs lie.",
    lesson="relu-learns-faster",
)
explain(
    "number health.saturated",
    "Saturated units",
    "The share of outputs at an end of the activation's range, in the worst layer. The slope there"
    " is next to 0, so next to no gradient passes.",
    healthy=f"below {numbers.percent(BANDS['saturated'])}",
    moved_by="Smaller first weights, a lower learning rate, batch norm, or ReLU.",
    lesson="too-large-saturation",
)

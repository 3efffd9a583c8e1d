"""Autopsy: the last steps of a run that diverged, and what broke first."""

import numpy as np
from bokeh.models import BasicTicker
from bokeh.plotting import figure

from app import numbers, palette, theme
from app.explanations.explanation import explain
from app.plots import plot_data
from app.plots.figures import entitle, frame_decades
from app.plots.plot_data import Columns, Part
from app.plots.view import VIEWS, layers_of, over_time, source
from engine import Autopsy, Snapshot, Status

LINES = {
    "loss": palette.TRAIN,
    "weights": palette.FORWARD,
    "gradient": palette.BACKWARD,
    "update": palette.QUIET,
}
DASHES = {"loss": "solid", "weights": "dashed", "gradient": "dotdash", "update": "dotted"}


def autopsy_columns(snapshot: Snapshot, since: int) -> Part:
    """The norms of weights, gradient and update over the last steps, and each layer's ratio."""
    found = snapshot.autopsy
    curves = _totals(found)
    ratios = _ratios(found, [tensor.name for tensor in snapshot.tensors])
    steps: Columns = {"step": [int(step) for step in found.steps] if found else []}
    where = _where(snapshot)
    changes = {name: _change(curve) for name, curve in curves.items()}
    parts = [f"{name} {text};" for name, text in changes.items() if text]
    return Part(
        set={
            "autopsy": steps | {name: plot_data.positive(v) for name, v in curves.items()},
            "autopsy.frame": _frame(found, *curves.values()),
            "autopsy.end": {"step": [int(found.steps[-1])] if found else []},
            "autopsy.ratios": steps | {name: plot_data.positive(v) for name, v in ratios.items()},
            "autopsy.ratios.frame": _frame(found, *ratios.values()),
        },
        text={f"autopsy.{name}": text for name, text in changes.items()} | {"autopsy.where": where},
        alternative=lambda: " ".join([where, *parts]),
    )


def _totals(found: Autopsy | None) -> dict[str, np.ndarray]:
    if found is None:
        return {name: np.array([]) for name in LINES}
    norms = {"weights": found.weights, "gradient": found.gradient, "update": found.update}
    return {"loss": found.loss} | {
        name: np.sqrt(np.square(norm).sum(axis=1)) for name, norm in norms.items()
    }


def _ratios(found: Autopsy | None, names: list[str]) -> dict[str, np.ndarray]:
    """The size of each step's update of each layer's weights, relative to the weights."""
    if found is None:
        return {f"W{n}": np.array([]) for n in range(1, len(names) + 1)}
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = found.update / found.weights
    return {f"W{n}": ratio for n, ratio in enumerate(ratios.T, start=1)}


def _frame(found: Autopsy | None, *curves: np.ndarray) -> Columns:
    ends = [int(found.steps[0]), int(found.steps[-1])] if found else [0, 50]
    return {"x": ends, "y": plot_data.decades(np.concatenate(curves).tolist())}


def _where(snapshot: Snapshot) -> str:
    found = snapshot.autopsy
    if snapshot.step < snapshot.end:
        return (
            f"At step {numbers.count(snapshot.step)} nothing has diverged yet: nothing to examine."
        )
    if snapshot.status is not Status.DIVERGED:
        return "This run has not diverged: nothing to examine."
    if found is None:
        return "This network is too large to make its last steps again."
    fault = found.fault
    if fault.what:
        return f"Step {numbers.count(fault.step)}: {fault.what} of “{fault.layer}” not finite."
    return f"Step {numbers.count(fault.step)}: all finite; “{fault.layer}” changed most."


def _change(curve: np.ndarray) -> str:
    """The first and the last known value, short enough for four on a line."""
    known = curve[~np.isnan(curve)]
    return f"{numbers.short(known[0])} → {numbers.short(known[-1])}" if known.size else ""


@VIEWS.register("autopsy")
class AutopsyView:
    """After a divergence: its last 50 steps replayed, with all norms, and what broke first."""

    title = "Autopsy"
    tab = "Autopsy"
    requested: frozenset[str] = frozenset()
    columns = staticmethod(autopsy_columns)
    drawn_for = staticmethod(layers_of)
    keys = (
        ("autopsy.where", "", palette.PLAIN),
        *((f"autopsy.{name}", name, colour) for name, colour in LINES.items()),
    )

    def __init__(self, snapshot: Snapshot, style: theme.Style) -> None:
        self._style = style
        norms = over_time(
            "autopsy",
            "Loss and the norms of weights, gradient and update over the last steps",
            style,
            y_axis_type="log",
        )
        entitle(norms, "loss, and norms over all weights, in the last steps", style)
        frame_decades(norms, "autopsy.frame")
        self._draw_norms(norms)
        ratios = over_time(
            "autopsy", "Update of each layer's weights for their size", style, y_axis_type="log"
        )
        ratios.name = None
        entitle(ratios, "update / weights, a line a layer", style)
        frame_decades(ratios, "autopsy.ratios.frame")
        self._draw_ratios(ratios, len(snapshot.tensors))
        end = source("autopsy.end", ["step"])
        self.figures = [norms, ratios]
        for each in self.figures:
            each.xaxis.axis_label = None
            each.xaxis.ticker = BasicTicker(  # two figures share the width
                desired_num_ticks=style.ticks // 2, num_minor_ticks=0
            )
            each.vspan(x="step", source=end, line_color=palette.ACCENT, line_width=2)

    def _draw_norms(self, figure: figure) -> None:
        data = source("autopsy", ["step", *LINES])
        for name, colour in LINES.items():
            figure.line(
                "step", name, source=data, color=colour, line_dash=DASHES[name],
                line_width=self._style.line_width,
            )  # fmt: skip

    def _draw_ratios(self, figure: figure, layers: int) -> None:
        names = [f"W{n}" for n in range(1, layers + 1)]
        data = source("autopsy.ratios", ["step", *names])
        for n, name in enumerate(names):
            figure.line(
                "step", name, source=data, color=palette.colour(n), line_dash=palette.dash(n),
                line_width=self._style.line_width,
            )  # fmt: skip


explain(
    ("view autopsy", "tab Autopsy"),
    "Autopsy",
    "After a divergence: the last steps again, with the loss and all norms, and which number broke"
    " first.",
    healthy="Empty, as long as the loss is a number.",
    moved_by="A learning rate that is far too high, nearly always.",
    lesson="rate-too-high-nan",
)
explain("number autopsy.where", "What broke first", "The layer and the number that broke first.")
explain(
    tuple(f"number autopsy.{name}" for name in LINES),
    "In the last steps",
    "How this number went in the last steps: the loss, or the norm over all weights, their gradient"
    " or their update.",
    lesson="rate-too-high-nan",
)

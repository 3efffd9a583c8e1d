"""Loss curve: is it learning, how fast, and is it about to blow up?"""

import functools
import math
from array import array
from bisect import insort
from collections.abc import Mapping, Sequence

from bokeh.models import BasicTicker, LinearScale, Range1d
from bokeh.models.tickers import LogTicker
from bokeh.plotting import figure

from app import numbers, palette, theme
from app.explanations.explanation import explain
from app.plots import plot_data
from app.plots.axes import tick_figures, tick_powers
from app.plots.ghost_runs import ghosts, left_out, own_name
from app.plots.other_run import (
    KEY,
    difference,
    draw_other,
    other_ends,
    other_lines,
    other_rows,
    validation_dash,
)
from app.plots.plot_data import FLOOR, Columns, Part
from app.plots.run_axis import Line, over_run, run_source, write_levels
from app.plots.run_columns import End, axes, markers, names
from app.plots.view import VIEWS, in_lockstep, switch
from engine import HALF_LIFE, Curves, Snapshot, Status, memoize

USUAL = (5, 95)  # percentiles of the points that the axis covers
POINTS = ("loss_average", "loss", "validation_loss")
LAST = ("loss_average", "validation_loss", "penalty")  # figures that the words are of
COLUMNS = {"batches": "loss", "low": "loss_low", "high": "loss_high", "train": "loss_average"}
LINES = (
    Line("train", palette.TRAIN, "loss", ("train",)),
    Line("validation", palette.VALIDATION, "loss.validation", ("validation",)),
    Line("penalty", palette.QUIET, "loss.penalty", ("penalty",), fits=False),
    Line("batches", palette.TRAIN, "loss", ("low", "high")),
)
OTHER = {"train": "loss_average", "validation": "validation_loss"}  # lines that run B has, too
COLOURS = {line.label: line.colour for line in LINES}
TO_LINEAR = """
const [scale, ticker, formatter] = cb_data.pressed ? log : linear
figure.y_scale = scale
for (const axis of figure.left) { axis.setv({ticker, formatter}) }
for (const grid of figure.center) {
  if (grid.dimension == 1) { grid.ticker = ticker }
}
window.babysit.show_steps()
"""
TO_ALL = "window.babysit.show_usual(cb_data.pressed)"


def loss_columns(snapshot: Snapshot, since: int) -> Part:
    """The loss on the mini-batches and on the validation examples, and the penalty beside it."""
    curves = snapshot.curves
    last = {name: snapshot.so_far.last_known(name) for name in LAST}
    low, high = _usual(curves, snapshot.metrics.first_loss)
    lines = [
        End(own_name(snapshot) or "train", *last["loss_average"], palette.TRAIN, "train"),
        End("validation", *last["validation_loss"], palette.VALIDATION),
        *([End("penalty", *last["penalty"], palette.QUIET)] if last["penalty"][1] > 0 else []),
    ]
    lines += other_ends(snapshot, OTHER, COLOURS)
    evaluated = plot_data.evaluated_rows(curves, since, {"validation": "validation_loss"})
    return Part(
        stream={
            "loss": plot_data.floored_rows(plot_data.all_rows(curves, since, COLUMNS)),
            "loss.validation": plot_data.floored_rows(evaluated),
            "loss.penalty": _penalty(curves, since),
            "loss.broken": _broken(snapshot, since),
        }
        | other_rows("loss", snapshot, since, OTHER, log=True)
        | markers(snapshot, since, "loss"),
        set={
            "loss.ends": names(snapshot.step, lines, log=True),
            "loss.levels": _chance_line(*_chance_loss(snapshot)),
        }
        | axes("loss", snapshot, low, high)
        | ghosts(snapshot, "loss", {"loss_average": "solid", "validation_loss": "dashed"}),
        text={
            "loss.train": numbers.number(last["loss_average"][1]),
            "loss.validation": numbers.number(last["validation_loss"][1]),
            "loss.apart": left_out(snapshot, "loss"),
            **difference("loss", snapshot, OTHER),
        },
        alternative=lambda: _alternative(snapshot),
    )


def _alternative(snapshot: Snapshot) -> str:
    last = {name: snapshot.so_far.last_known(name) for name in LAST}
    shown = {name: numbers.number(value) for name, (_, value) in last.items()}
    evaluated_at, _ = last["validation_loss"]
    since_when = f", at step {numbers.count(evaluated_at)}" if evaluated_at < snapshot.step else ""
    return (
        f"At step {numbers.count(snapshot.step)} the loss is {shown['loss_average']} on the last"
        f" batches, averaged with a half-life of {HALF_LIFE} points of the curve, and"
        f" {shown['validation_loss']} on the validation examples{since_when}; the penalty adds"
        f" {shown['penalty']}."
    )


def _penalty(curves: Curves, since: int) -> Columns:
    """The penalty by step; where it is 0 no line is drawn."""
    rows = plot_data.measured_rows(curves, since, {"penalty": "penalty"})
    values = [x if isinstance(x, float) and x > 0 else None for x in rows["penalty"]]
    return plot_data.floored_rows(rows | {"penalty": values})


@memoize
def _usual(curves: Curves, first: float) -> tuple[float, float]:
    """The range of the axis: most of the points, and always the last values and the first loss."""
    known = curves.grown(_sorted_losses)
    if not known:
        return 0.1, 10.0
    low, high = percentiles(known, USUAL)
    last = [curves.last(name) for name in ("loss_average", "validation_loss")]
    last = [max(value, FLOOR) for value in last if math.isfinite(value)]
    usual = first if math.isfinite(first) and first < 100 * high else high
    return float(min(low, *last)) / 1.3, float(max(high, usual, *last)) * 1.1


def _sorted_losses(
    known: "array[float] | None", _: int, rows: Mapping[str, Sequence[float]]
) -> "array[float]":
    """All finite losses, in order."""
    new = [x for name in POINTS for x in rows[name] if math.isfinite(x)]
    if known is None:
        return array("d", sorted(new))
    values = known[:]
    for value in new:
        insort(values, value)
    return values


def percentiles(values: Sequence[float], shares: Sequence[float]) -> list[float]:
    """These percentiles of sorted values, interpolated between two of them.

    Values below the floor of the axis count as that.
    """
    places = [share / 100 * (len(values) - 1) for share in shares]
    found = []
    for place in places:
        below, above = (max(values[f(place)], FLOOR) for f in (math.floor, math.ceil))
        found.append(below + (place - math.floor(place)) * (above - below))
    return found


def _chance_loss(snapshot: Snapshot) -> tuple[float, str]:
    """The loss of a guess without data, NaN where it is not defined, and what its label says."""
    if plot_data.in_variances(snapshot):
        return 1.0, "always the mean, as the loss is in variances of the values: "
    softmax = snapshot.config.optimization.loss.name == "softmax cross-entropy"
    formula = f"ln {len(snapshot.data.classes)} = " if softmax else ""
    return snapshot.metrics.chance_loss, f"chance: {formula}"


@functools.lru_cache(64)  # the same for all who learn the same
def _chance_line(chance: float, prefix: str) -> Columns:
    """A horizontal line at the loss of a guess; none where that is NaN."""
    if math.isnan(chance):
        return {"y": [], "label": [], "colour": []}
    label = prefix + numbers.number(chance)
    return {"y": [round(chance, 4)], "label": [label], "colour": [palette.TICKS]}


def _broken(snapshot: Snapshot, since: int) -> Columns:
    """The steps at which the loss was infinite, NaN or absurdly large: where the run ended."""
    rows = snapshot.curves.since(since + 1)
    steps, losses = rows["step"], rows["loss"]
    broken = [
        int(step) for step, loss in zip(steps, losses, strict=True) if not math.isfinite(loss)
    ]
    if snapshot.status is Status.DIVERGED and steps and math.isfinite(losses[-1]):
        broken.append(int(steps[-1]))
    return {"step": broken}


@VIEWS.register("loss")
class LossView:
    """The loss on each step's mini-batch, and on the validation examples; lower is better."""

    title = "Loss"
    tab = ""
    requested: frozenset[str] = frozenset()
    columns = staticmethod(loss_columns)
    drawn_for = staticmethod(in_lockstep)
    keys: Sequence[tuple[str, str, str]] = (
        ("loss.train", "train (averaged)", palette.TRAIN),
        ("loss.validation", "validation", palette.VALIDATION),
        ("loss.apart", "", palette.PLAIN),
    )

    def __init__(self, snapshot: Snapshot, style: theme.Style) -> None:
        others = other_lines("loss", LINES[: len(OTHER)], snapshot)
        if others:
            self.keys = [*self.keys, ("loss.other", KEY, palette.PLAIN)]
        figure = over_run(
            "loss",
            "Training and validation loss by step",
            style,
            [*LINES, *others],
            log=True,
            usual=USUAL,
        )
        _draw_curves(figure, style, validation_dash(snapshot))
        draw_other(figure, "loss", others, style)
        _draw_chance_line(figure)
        _add_switches(figure)
        self.figures = [figure]


def _draw_curves(figure: figure, style: theme.Style, validation_dash: str) -> None:
    data = run_source("loss", COLUMNS)
    width = style.line_width
    figure.varea("x", "low", "high", source=data, fill_color=palette.TRAIN, fill_alpha=0.15)
    figure.line("x", "batches", source=data, color=palette.TRAIN, line_alpha=0.4, line_width=1)
    figure.line("x", "train", source=data, color=palette.TRAIN, line_width=width)
    figure.line(
        "x",
        "validation",
        source=run_source("loss.validation", ["validation"]),
        color=palette.VALIDATION,
        line_width=width,
        line_dash=validation_dash,
    )
    figure.line(
        "x",
        "penalty",
        source=run_source("loss.penalty", ["penalty"]),
        color=palette.QUIET,
        line_dash="dotted",
        line_width=width,
    )
    figure.extra_y_ranges = {"unit": Range1d(start=0, end=1)}
    figure.extra_y_scales = {"unit": LinearScale()}  # whatever the scale of the plot is
    figure.scatter(
        "x",
        0.97,
        source=run_source("loss.broken", []),
        y_range_name="unit",
        marker="inverted_triangle",
        color=palette.ACCENT,
        size=11,
    )


def _draw_chance_line(figure: figure) -> None:
    chance = write_levels(figure, "loss")
    figure.hspan(y="y", source=chance, line_color=palette.QUIET, line_dash="dashed", line_width=1)


def _add_switches(plot: figure) -> None:
    """Buttons for a log or linear axis and for most or all points; the browser handles them."""
    log = [plot.y_scale, LogTicker(), tick_powers()]
    linear = [LinearScale(), BasicTicker(), tick_figures()]
    switch(plot, "loss.log", "log", TO_LINEAR, figure=plot, log=log, linear=linear)
    switch(plot, "loss.usual", "5-95 %", TO_ALL)


explain(
    "view loss",
    "Loss",
    "How wrong the network is: on each step's mini-batch, averaged, and on the validation examples,"
    " which it never learns from. Training is making this small.",
    healthy="It starts near the dashed line of chance, falls, and flattens; validation"
    " goes with it.",
    moved_by="The learning rate, most of all: too low it hardly falls, too high it explodes.",
    lesson="a-good-rate",
)
explain(
    "number loss.train",
    "Training loss",
    "The loss on the mini-batches of the last steps, averaged, without the penalty. Each step is"
    " made to lower it on its own batch.",
    healthy="below that of chance, and falling until little is left",
    moved_by="The learning rate, the optimizer, the batch size.",
    lesson="first-loss",
)
explain(
    "number loss.validation",
    "Validation loss",
    "The loss on examples that the network never learns from. If it rises while the training loss"
    " falls, the network learns by heart.",
    healthy="close to the training loss, and not rising",
    moved_by="Dropout, L2, more examples, a smaller network.",
    lesson="the-gap-is-overfitting",
)
explain(
    "number loss.penalty",
    "Penalty",
    "What L1 and L2 add to the loss for large weights. Training makes the sum of both small.",
    healthy="small beside the loss, at least at the first step",
    moved_by="L2 strength, L1 strength, and the size of the weights.",
    lesson="regularization-raises-it",
)
explain(
    "number loss.batches",
    "Single batches",
    "The band that holds the losses of single mini-batches, from which the average is taken. It is"
    " wide because each batch has other examples.",
    moved_by="A larger batch size makes it narrower.",
)
explain(
    "mark level loss",
    "Chance",
    "The loss of a network that knows nothing and gives each class the same chance: ln C for C"
    " classes. Without a penalty a good start lies on this line.",
    now=lambda snapshot, name: numbers.number(snapshot.metrics.chance_loss),
    lesson="first-loss",
)
explain(
    "button switch loss.log",
    "Logarithmic axis",
    "Makes equal factors equally high, so that a small loss can still be seen to fall.",
)
explain(
    "button switch loss.usual",
    "5-95 %",
    "Makes the axis fit all but the highest and lowest losses, so that a single leap does not press"
    " everything else flat.",
)

"""Cost: the time of a step, and the share of time spent on measuring."""

import math

from app import numbers, palette, theme
from app.explanations.explanation import explain
from app.plots.figures import bars, draw_bars, entitle, further
from app.plots.plot_data import Columns, Part
from app.plots.view import VIEWS, layers_of, plot
from engine import Snapshot, SummaryRow

BACK_AND_FORTH = 3  # a step goes forward, then backward to the inputs and to the weights
MOST_ROWS = 10


def cost_columns(snapshot: Snapshot, since: int) -> Part:
    """The time of a step and of each instrument, and the multiplications of a step by layer."""
    summary = snapshot.on_demand.model_summary or ()
    per_epoch = max(1, snapshot.data.training // _batch(snapshot))
    seconds = (
        1 / snapshot.training_steps_per_second
        if snapshot.training_steps_per_second
        else float("nan")
    )
    work = BACK_AND_FORTH * _batch(snapshot) * sum(row.work for row in summary)
    shown = {
        "step": _duration(seconds),
        "pace": numbers.rate(snapshot.steps_per_second),
        "epoch": _duration(seconds * per_epoch),
        "work": _amount(work) if summary else "–",
        "watching": numbers.decimal_percent(snapshot.metrics.cost),
        "noise": _examples(snapshot.metrics.noise_scale),
    }
    return Part(
        set={"cost": _instruments(snapshot), "cost.work": _layers(snapshot, summary, work)},
        text={f"cost.{name}": text for name, text in shown.items()},
        alternative=lambda: (
            f"A step takes {shown['step']} of computing and {shown['work']}"
            f" multiplications, an epoch of {per_epoch:,} steps {shown['epoch']};"
            f" {shown['pace']} steps a second are made, and {shown['watching']} of the time goes"
            " into measuring."
            f" Gradient noise scale: {shown['noise']}."
        ),
    )


def _batch(snapshot: Snapshot) -> int:
    return min(snapshot.config.optimization.batch_size, snapshot.data.training)


def _instruments(snapshot: Snapshot) -> Columns:
    costs = snapshot.costs
    longest = max(costs.values(), default=0.0) or 1.0
    return bars(
        [seconds / longest for seconds in costs.values()],
        [_duration(seconds) for seconds in costs.values()],
        [palette.QUIET] * len(costs),
    )


def _layers(snapshot: Snapshot, summary: tuple[SummaryRow, ...], work: int) -> Columns:
    shares = [BACK_AND_FORTH * _batch(snapshot) * s.work / max(1, work) for s in summary]
    rows = _rows(len(snapshot.tensors))
    shown = [(n, shares[n]) for n in rows if n < len(shares)]
    longest = max((share for _, share in shown), default=1.0)
    return bars(
        [share / longest for _, share in shown],
        [numbers.percent(share) for _, share in shown],
        [palette.colour(n) for n, _ in shown],
    )


def _rows(layers: int) -> list[int]:
    """The layers that have a row: all, or as many as fit."""
    return list(range(layers))[:: 1 + (layers - 1) // MOST_ROWS]


def _duration(seconds: float) -> str:
    """Such as 62 µs, with two or three digits."""
    if not seconds > 0:
        return "–"
    for size, unit in ((1.0, "s"), (1e-3, "ms")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.0f} µs"


def _examples(number: float) -> str:
    return numbers.count(number) if math.isfinite(number) else "–"


def _amount(number: int) -> str:
    for size, word in ((1e9, "billion"), (1e6, "million")):
        if number >= size:
            return f"{number / size:.3g} {word}"
    return f"{number:,}"


@VIEWS.register("cost")
class CostView:
    """What a step costs in time and in multiplications, and the share of the instruments."""

    title = "Cost"
    tab = "Cost"
    requested: frozenset[str] = frozenset({"model_summary"})
    columns = staticmethod(cost_columns)
    drawn_for = staticmethod(layers_of)
    keys = (
        ("cost.step", "a step", palette.PLAIN),
        ("cost.epoch", "an epoch", palette.PLAIN),
        ("cost.pace", "steps/s", palette.PLAIN),
        ("cost.work", "multiplications a step", palette.PLAIN),
        ("cost.noise", "gradient noise scale", palette.PLAIN),
        ("cost.watching", "spent on instruments", palette.PLAIN),
    )

    def __init__(self, snapshot: Snapshot, style: theme.Style) -> None:
        instruments = plot("cost", "The time that each instrument last took", style)
        entitle(instruments, "each instrument, when it last measured", style)
        draw_bars(instruments, "cost", style, list(snapshot.costs))
        layers = further("cost", "The share of a step's multiplications in each layer", style)
        entitle(layers, "share of a step's multiplications", style)
        names = [snapshot.tensors[n].name for n in _rows(len(snapshot.tensors))]
        draw_bars(layers, "cost.work", style, names)
        self.figures = [instruments, layers]


explain(
    ("view cost", "tab Cost"),
    "Cost",
    "What a step costs in time and in multiplications, layer by layer, and what watching it costs.",
    moved_by="Batch size, units and layers.",
    lesson="exp-takes-many-operations",
)
explain("number cost.step", "A step", "The time of computing that one step takes, unwatched.")
explain("number cost.epoch", "An epoch", "The time of computing for all training examples, once.")
explain("number cost.pace", "Steps a second", "How many steps are made each second, at this pace.")
explain("number cost.work", "Work", "How many multiplications a step takes, forward and backward.")
explain(
    "number cost.noise",
    "Gradient noise scale",
    "The batch size at which the noise in a mini-batch's gradient is as large as the gradient: much"
    " larger ones hardly help (McCandlish 2018). None where noise hides the gradient, or batch norm"
    " couples the examples.",
    moved_by="Learning: the gradient becomes smaller, its noise hardly does, and the scale grows.",
)
explain(
    "number cost.watching",
    "Instruments",
    "The share of the time that goes into measuring what you see. The numbers of the run do not"
    " depend on it.",
)

"""Update/weight ratio: does each step change the weights by about a thousandth, as it should?"""

import functools
import math
from collections.abc import Hashable, Mapping, Sequence

from bokeh.models.annotations import Span
from bokeh.plotting import figure

from app import numbers, palette, theme
from app.explanations.explanation import explain
from app.plots import plot_data
from app.plots.ghost_runs import ghosts, left_out
from app.plots.other_run import draw_other, other_lines, other_rows
from app.plots.plot_data import Columns, Part, rounded
from app.plots.run_axis import Line, over_run, run_source, write_levels
from app.plots.run_columns import End, axes, markers, names
from app.plots.view import VIEWS, draw_curves, in_lockstep, layers_of, source
from engine import Condition, Curves, Snapshot, memoize

WANTED = 1e-3
HEALTHY = (10**-3.5, 10**-2.5)  # 1e-3, give or take half a power of ten
BAND_SAYS = {
    Condition.ILL: "about 0.001 is usual",
    Condition.HEALTHY: "about 0.001 is healthy",
    Condition.CONVERGED: "they are small because the run has converged",
}
BAND_WORDS = "this run has converged"
ALWAYS_SHOWN = (1e-5, 1e-1)
SHOWN = 4  # tensors whose figures are in the headline; of more, the first and the last
NAMED = 8  # lines whose names are written behind them, at most

# What the browser does while the learning rate is dragged: an update is as large as the rate, so
# the ratio lands where the last one would be at the new rate.
WHILE_DRAGGED = """
const ghost = window.babysit?.model("updates.ghost")
const {ratio = [], rate} = window.babysit?.model("updates.rate")?.data ?? {}
const {start, end} = window.babysit?.model("view:updates")?.x_range ?? {}
if (ghost != null && ratio.length > 0) {
  const shown = (data) => ghost.setv({data}, {sync: false})
  shown({
    x0: Array.from(ratio, () => end - 0.07 * (end - start)),
    x1: Array.from(ratio, () => end + 0.04 * (end - start)),
    y: Array.from(ratio, (last, n) => last * wanted / rate[n]),
  })
  clearTimeout(ghost.babysit_timer)
  ghost.babysit_timer = setTimeout(() => shown({x0: [], x1: [], y: []}), 2500)
}
"""


def updates_columns(snapshot: Snapshot, since: int) -> Part:
    """The size of each update against the size of the weights it changes."""
    curves = snapshot.curves
    columns, last, shown = _ratios(snapshot.so_far)
    low, high = _axis(curves)
    lines = [End(key, *end, palette.colour(n)) for n, (key, end) in enumerate(last.items())]
    lines = lines[:: math.ceil(len(lines) / NAMED)]
    return Part(
        stream={"updates": plot_data.floored_rows(plot_data.measured_rows(curves, since, columns))}
        | other_rows("updates", snapshot, since, columns, log=True)
        | markers(snapshot, since, "updates"),
        set={
            "updates.ends": names(snapshot.step, lines, log=True),
            "updates.band": _band(snapshot.condition),
            "updates.levels": _converged(snapshot.condition),
            "updates.rate": _rate(snapshot.so_far, snapshot.config.optimization.learning_rate),
        }
        | axes("updates", snapshot, low, high)
        | ghosts(snapshot, "updates", {"ratio *": "dashed"}),
        text={f"updates.W{n}": shown[f"W{n}"] for n in _named(range(1, len(columns) + 1))}
        | {
            "updates.apart": left_out(snapshot, "ratio"),
        },
        alternative=lambda: (
            f"At step {numbers.count(snapshot.step)} each step changes the weights by"
            f" {', '.join(f'{text} ({key})' for key, text in shown.items())} of their size;"
            f" {BAND_SAYS[snapshot.condition]}."
        ),
    )


@memoize
def _ratios(
    curves: Curves,
) -> tuple[dict[str, str], dict[str, tuple[int, float]], dict[str, str]]:
    """The columns of the ratios, where they end, and that in words: by the names of lines."""
    columns = (name for name in curves if name.startswith("ratio "))
    names = {f"W{n}": name for n, name in enumerate(columns, start=1)}
    last = {key: curves.last_known(name) for key, name in names.items()}
    return names, last, {key: numbers.number(value) for key, (_, value) in last.items()}


@memoize
def _axis(curves: Curves) -> tuple[float, float]:
    """From power of ten to power of ten around all ratios that there were."""
    low, high = plot_data.decades([max(end, plot_data.FLOOR) for end in curves.grown(_ends)])
    return low, high


def _ends(
    known: tuple[float, float] | None, _: int, rows: Mapping[str, Sequence[float]]
) -> tuple[float, float]:
    """The lowest ratio and the highest."""
    columns = [values for name, values in rows.items() if name.startswith("ratio ")]
    ratios = [x for values in columns for x in values if math.isfinite(x)]
    least, most = known or ALWAYS_SHOWN
    return min([least, *ratios]), max([most, *ratios])


@functools.cache
def _band(condition: Condition) -> Columns:
    """Where the ratios of a run that learns lie; one that has converged has left it for good."""
    faint = condition is Condition.CONVERGED
    return {
        "low": [HEALTHY[0]],
        "high": [HEALTHY[1]],
        "alpha": [0.04 if faint else 0.13],
    }


@functools.cache
def _converged(condition: Condition) -> Columns:
    """Words where the band is faint."""
    labels = [BAND_WORDS] if condition is Condition.CONVERGED else []
    return {"y": [WANTED] * len(labels), "label": labels, "colour": [palette.GOOD] * len(labels)}


def _named(tensors: Sequence[int]) -> Sequence[int]:
    """The tensors whose figures the headline has space for."""
    return tensors if len(tensors) <= SHOWN else (tensors[0], tensors[-1])


@memoize
def _rate(curves: Curves, rate: float) -> Columns:
    """The last ratio of each tensor, and the learning rate that made it."""
    _, last, _ = _ratios(curves)
    known = [ratio for _, ratio in last.values() if math.isfinite(ratio)]
    return {"ratio": rounded(known), "rate": [rate] * len(known)}


def _drawn_for(snapshot: Snapshot) -> Hashable:
    return layers_of(snapshot), in_lockstep(snapshot)


@VIEWS.register("updates")
class UpdatesView:
    """The size of each update against the weights it changes; wanted near 0.001 (the band)."""

    title = "Update / weight"
    tab = ""
    requested: frozenset[str] = frozenset()
    columns = staticmethod(updates_columns)
    drawn_for = staticmethod(_drawn_for)

    def __init__(self, snapshot: Snapshot, style: theme.Style) -> None:
        tensors = range(1, len(snapshot.tensors) + 1)
        lines = [(f"updates.W{n}", f"W{n}", palette.colour(n - 1)) for n in tensors]
        named = [line for n, line in zip(tensors, lines, strict=True) if n in _named(tensors)]
        self.keys = [*named, ("updates.apart", "", palette.PLAIN)]
        drawn = [Line(label, colour, "updates", (label,)) for _, label, colour in lines]
        others = other_lines("updates", drawn, snapshot)
        figure = over_run(
            "updates",
            "Ratio of update to weights by step, one line a weight tensor",
            style,
            [*drawn, *others],
            log=True,
        )
        band = source("updates.band", ["low", "high", "alpha"])
        figure.hstrip(
            "low",
            "high",
            source=band,
            fill_color=palette.GOOD,
            fill_alpha="alpha",
            line_color=None,
            level="underlay",
        )
        write_levels(figure, "updates")
        figure.add_layout(
            Span(location=WANTED, dimension="width", line_color=palette.GOOD, line_alpha=0.6)
        )
        _draw_landing(figure, style)
        data = run_source("updates", [label for _, label, _ in lines])
        draw_curves(
            figure, [data] * len(lines), lines, style, "x", _solid if others else palette.dash
        )
        draw_other(figure, "updates", others, style)
        self.figures = [figure]


def _solid(number: int) -> str:
    """In lockstep dashes are B's."""
    return "solid"


def _draw_landing(figure: figure, style: theme.Style) -> None:
    """Where the ratios will land, while the learning rate is dragged."""
    ghost = source("updates.ghost", ["x0", "x1", "y"])
    figure.segment(
        "x0",
        "y",
        "x1",
        "y",
        source=ghost,
        line_color=palette.ACCENT,
        line_width=1.5 * style.line_width,
    )
    # Not to be seen: it carries the rate that the ratios were made with.
    known = source("updates.rate", ["ratio", "rate"])
    figure.scatter("rate", "ratio", source=known, size=0, alpha=0)


def _last_ratio(snapshot: Snapshot, name: str) -> str:
    _, _, shown = _ratios(snapshot.so_far)
    return shown.get(name.partition(".")[2], "")


explain(
    "view updates",
    "Update / weight",
    "How much each step changes the weights, as a share of their size, for each layer. It says"
    " whether the learning rate fits, before the loss does.",
    healthy=f"in the green band, {numbers.tick(HEALTHY[0])} to {numbers.tick(HEALTHY[1])}; below it"
    " only once the loss has come down",
    moved_by="The learning rate: ten times the rate makes it ten times as large.",
    lesson="update-ratio",
)
explain(
    "number updates.W#",
    "Update / weight of a layer",
    "The size of the last update of this layer's weights, divided by the size of the weights. A"
    " thousandth means that the step changed them by a tenth of a per cent.",
    now=_last_ratio,
    healthy=f"about {WANTED:g}: {numbers.tick(HEALTHY[0])} to {numbers.tick(HEALTHY[1])}",
    moved_by="The learning rate, in proportion; the gradient that reaches this layer.",
    lesson="update-ratio",
)
explain(
    "mark level updates",
    "Converged",
    "The loss has come down and no longer falls, so that updates are small for want of gradient."
    " Then the band does not count.",
    lesson="update-ratio",
)

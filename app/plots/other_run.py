"""Run B in the plots over the run, while it is trained in lockstep: dashed, where A is solid."""

from collections.abc import Mapping, Sequence

import numpy as np
from bokeh.plotting import figure

from app import numbers, palette, theme
from app.explanations.explanation import explain
from app.plots.plot_data import Columns, floored, rounded
from app.plots.run_axis import Line, run_source
from app.plots.run_columns import End
from engine import Snapshot

KEY = "B − A"


def validation_dash(snapshot: Snapshot) -> str:
    """How the validation line of this run is drawn; in lockstep dashes are B's."""
    return "solid" if snapshot.other else palette.VALIDATION_DASH


def other_lines(view: str, lines: Sequence[Line], snapshot: Snapshot) -> list[Line]:
    """What the browser needs of B's lines, given A's."""
    return [_of_b(view, line) for line in lines] if snapshot.other else []


def _of_b(view: str, line: Line) -> Line:
    return Line(f"B {line.label}", line.colour, _source(view, line.label), ("y",))


def _source(view: str, label: str) -> str:
    return f"{view}.b.{label}"


def draw_other(figure: figure, view: str, lines: Sequence[Line], style: theme.Style) -> None:
    """Draw B's lines, in the colours of A's; `lines` are those of `other_lines`."""
    for line in lines:
        figure.line(
            "x",
            "y",
            source=run_source(line.source, ["y"]),
            color=line.colour,
            line_dash="dashed",
            line_width=style.line_width,
        )


def other_rows(
    view: str, snapshot: Snapshot, since: int, names: Mapping[str, str], *, log: bool
) -> dict[str, Columns]:
    """B's rows up to A's last one, without those that the page has; `names` are labels and curves.

    The page has A's rows up to `since`, and B's up to the same step.
    """
    if snapshot.other is None:
        return {}
    steps = snapshot.other.curves["step"]
    new = (steps <= snapshot.curves["step"][-1]) & (steps >= snapshot.other.since)
    if since >= 0:
        new &= steps > snapshot.curves["step"][since]
    return {
        _source(view, label): _finite(steps[new], snapshot.other.curves[name][new], log=log)
        for label, name in names.items()
    }


def _finite(steps: np.ndarray, values: np.ndarray, *, log: bool) -> Columns:
    known = np.isfinite(values)
    shown = floored(values[known]) if log else rounded(values[known])
    return {"step": [int(step) for step in steps[known].tolist()], "y": shown}


def other_ends(
    snapshot: Snapshot, names: Mapping[str, str], colours: Mapping[str, str]
) -> list[End]:
    """The ends of B's lines; `names` are labels and curves."""
    other = snapshot.other
    if other is None:
        return []
    return [
        End(f"B {label}", *other.last_known(snapshot.step, name), colours[label])
        for label, name in names.items()
    ]


def difference(
    view: str, snapshot: Snapshot, names: Mapping[str, str], *, shares: bool = False
) -> dict[str, str]:
    """How far B is above A, in words for the headline of a view."""
    if snapshot.other is None:
        return {}
    far = {label: snapshot.other.above(snapshot, name) for label, name in names.items()}
    text = ", ".join(f"{label} {signed(value, shares=shares)}" for label, value in far.items())
    return {f"{view}.other": text}


def signed(value: float, *, shares: bool = False) -> str:
    """A difference with its sign; of shares in points of a hundred."""
    size = f"{100 * abs(value):.1f} points" if shares else numbers.number(abs(value))
    return size if not value < 0 and not value > 0 else f"{'−' if value < 0 else '+'}{size}"


explain(
    ("number loss.other", "number accuracy.other"),
    "B beside A",
    "By how much run B differs from A in this number, now.",
    moved_by="What was changed in one of the two runs alone.",
)
explain(
    ("number loss.B train", "number loss.B validation", "number updates.B W#"),
    "A line of run B",
    "The same number of run B, which trains beside this one on the same mini-batches.",
    moved_by="What was changed in B alone.",
)
explain(
    ("number accuracy.B train", "number accuracy.B validation"),
    "A line of run B",
    "The accuracy of run B, which trains beside this one on the same mini-batches.",
    moved_by="What was changed in B alone.",
)

"""The loss curves of all trials of a search, each in a cell, all in one figure."""

import math
from collections import Counter
from collections.abc import Hashable
from typing import Any

from bokeh.models import ColumnDataSource, HoverTool, Range1d
from bokeh.models.renderers import DataRenderer

from app import numbers, palette, theme
from app.explanations.explanation import explain
from app.panels.search.search_controller import search_progress
from app.panels.search.space import ENDED, INSIDE, colour, send_trial, trial_label
from app.plots.plot_data import Column, Columns, Part
from app.plots.view import VIEWS, plot, source
from engine import (
    LECTURE_SEARCH,
    Ending,
    SearchFrame,
    SearchProgress,
    SearchStatus,
    Snapshot,
    TrialFrame,
    TrialStatus,
)

BANDS = 10  # sources that share the trials, so that a change of one does not resend all
POINTS = 20  # of a trial's curve
TOP = 1.3  # of a cell, in multiples of the first cost: higher values are cut off
CURVE = ("number", "x", "y", "colour", "left", "right", "bottom", "top")
SAID = ("middle", "centre", "label", "cross", "words")
COLUMNS = (*CURVE, *SAID)
SIGNS = {  # why a trial was stopped, as briefly as possible
    Ending.COST: "> 3×",
    Ending.NOT_FINITE: "∞",
    Ending.DROPPED: "out",
}


def losses_columns(snapshot: Snapshot, since: int) -> Part:
    """A cell per trial: cost over steps, coloured by accuracy; sorted when all have ended."""
    shown = search_progress(snapshot)
    frame = shown.frame
    width = _width(snapshot)
    order = _order(frame) if frame else []
    height = math.ceil(len(order) / width)
    size = max(1, math.ceil(len(order) / BANDS))
    bands = {
        f"losses.{band}": _band(frame, order, range(band * size, (band + 1) * size), width, height)
        for band in range(BANDS)
    }
    best = _cell(
        0 if not frame or not frame.ranking else order.index(frame.ranking[0]), width, height
    )
    known = [best] if frame and frame.ranking else []
    hint = "" if frame else "Start a search: each trial's loss will have a cell here."
    return Part(
        set=bands
        | {
            "losses.best": {
                side: [cell[n] for cell in known]
                for n, side in enumerate(("left", "right", "bottom", "top"))
            },
            "losses.hint": {"words": [hint]},
        },
        text=_text(shown),
        alternative=lambda: _alternative(shown),
    )


def _count(snapshot: Snapshot) -> int:
    frame = search_progress(snapshot).frame
    return len(frame.trials) if frame else LECTURE_SEARCH.trials


def _width(snapshot: Snapshot) -> int:
    """Cells in a row."""
    return math.ceil(math.sqrt(_count(snapshot)))


def _order(frame: SearchFrame) -> list[int]:
    """The trials by cell: in order of their start, and best first once all have ended."""
    if frame.status not in (SearchStatus.FINISHED, SearchStatus.CANCELLED):
        return list(range(len(frame.trials)))
    place = {number: n for n, number in enumerate(frame.ranking)}
    return sorted(
        range(len(frame.trials)),
        key=lambda n: (place.get(n, len(place)), -frame.trials[n].steps, n),
    )


def _cell(place: int, width: int, height: int) -> tuple[float, float, float, float]:
    """Left, right, bottom and top of a cell; the first one is at the top left."""
    row, column = divmod(place, width)
    return column + 0.04, column + 0.96, height - row - 0.96, height - row - 0.04


def _band(
    frame: SearchFrame | None, order: list[int], cells: range, width: int, height: int
) -> Columns:
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for place in cells:
        if frame is None or place >= len(order):
            break
        trial = frame.trials[order[place]]
        left, right, bottom, top = _cell(place, width, height)
        x, y = curve(trial, (left, right, bottom, top))
        sign = _sign(trial)
        row = {
            "number": trial.number, "x": x, "y": y, "colour": colour(trial),
            "left": left, "right": right, "bottom": bottom, "top": top,
            "middle": (left + right) / 2, "centre": round((bottom + top) / 2, 2),
            "label": sign or _score(trial), "cross": 1 if sign else 0,
            "words": trial_label(frame, trial) if trial.status in ENDED else f"{trial.number + 1}",
        }  # fmt: skip
        for name, value in row.items():
            columns[name].append(value)
    found: dict[str, Column] = {name: column for name, column in columns.items()}
    return found


def curve(
    trial: TrialFrame, cell: tuple[float, float, float, float]
) -> tuple[list[float], list[float]]:
    """A trial's cost over its steps, as a line within its cell: as a share of its first cost."""
    steps, costs = trial.curve
    if not costs:
        return [], []
    left, right, bottom, top = cell
    count = len(costs)
    some = sorted({round(n * (count - 1) / (POINTS - 1)) for n in range(POINTS)})
    whole = max(trial.asked, steps[-1], 1)
    x = [round(left + (right - left) * steps[n] / whole, 2) for n in some]
    y = [round(bottom + (top - bottom) * _height(costs[n], costs[0]), 2) for n in some]
    return x, y


def _height(cost: float, first: float) -> float:
    ratio = cost / first if first else math.nan
    return min(max(ratio / TOP, 0.0), 1.0) if math.isfinite(ratio) else 1.0


def _sign(trial: TrialFrame) -> str:
    """Why it was stopped, as briefly as possible; empty if it was not."""
    if trial.status not in (TrialStatus.STOPPED, TrialStatus.FAILED):
        return ""
    return {str(ending): sign for ending, sign in SIGNS.items()}.get(trial.reason, "!")


def _score(trial: TrialFrame) -> str:
    accuracy = trial.validation_accuracy
    return "" if math.isnan(accuracy) else f"{100 * accuracy:.0f}"


def _text(shown: SearchProgress) -> dict[str, str]:
    frame = shown.frame
    if frame is None:
        figures = {name: "–" for name in ("done", "left", "best", "stopped")}
        return {f"losses.{n}": w for n, w in figures.items()}
    best = "–" if shown.best is None else numbers.decimal_percent(shown.best)
    return {
        "losses.done": f"{_ended(frame)} of {len(frame.trials)}",
        "losses.left": numbers.seconds(frame.seconds_left),
        "losses.best": best,
        "losses.stopped": str(sum(_sign(trial) != "" for trial in frame.trials)),
    }


def _alternative(shown: SearchProgress) -> str:
    frame = shown.frame
    if frame is None:
        return "No search has started yet."
    reasons = Counter(trial.reason for trial in frame.trials if _sign(trial))
    stopped = "; ".join(f"{count}, {reason}" for reason, count in reasons.items())
    top = trial_label(frame, frame.trials[frame.ranking[0]]) if frame.ranking else "none yet"
    return (
        f"Stage {frame.search.stage}, {frame.status.value}: {_ended(frame)} of"
        f" {len(frame.trials)} trials have ended. Stopped early: {stopped or 'none'}."
        f" Best trial {top}."
    )


def _ended(frame: SearchFrame) -> int:
    return sum(trial.status in ENDED for trial in frame.trials)


def _drawn_for(snapshot: Snapshot) -> Hashable:
    return _count(snapshot)


@VIEWS.register("losses")
class LossesView:
    """The loss of every trial side by side; those that diverge are crossed out. Click one."""

    title = "Loss of every trial"
    tab = "Search"
    requested: frozenset[str] = frozenset()
    columns = staticmethod(losses_columns)
    drawn_for = staticmethod(_drawn_for)
    keys = (
        ("losses.done", "ended", palette.PLAIN),
        ("losses.left", "left", palette.PLAIN),
        ("losses.best", "best", palette.GOOD),
        ("losses.stopped", "stopped", palette.ACCENT),
    )

    def __init__(self, snapshot: Snapshot, style: theme.Style) -> None:
        self._style = style
        width = _width(snapshot)
        height = math.ceil(_count(snapshot) / width)
        self._figure = plot(
            "losses",
            "The loss curve of every trial of the search, each in a cell of its own",
            style,
            x_range=Range1d(start=0, end=width),
            y_range=Range1d(start=0, end=height),
        )
        self._figure.axis.visible = False
        self._figure.grid.visible = False
        sources = [source(f"losses.{band}", COLUMNS) for band in range(BANDS)]
        cells = [self._draw(data) for data in sources]
        self._figure.quad(
            "left", "right", "bottom", "top",
            source=source("losses.best", ["left", "right", "bottom", "top"]),
            fill_color=None, line_color=palette.GOOD, line_width=2 * style.line_width,
        )  # fmt: skip
        self._figure.text(
            width / 2, height / 2, "words", source=source("losses.hint", ["words"]),
            text_align="center", text_font_size=style.small, text_color=palette.QUIET,
        )  # fmt: skip
        self._figure.add_tools(HoverTool(renderers=cells, tooltips="@words"))
        send_trial(self._figure, INSIDE, sources)
        self.figures = [self._figure]

    def _draw(self, data: ColumnDataSource) -> DataRenderer:
        style = self._style
        cells = self._figure.quad(
            "left", "right", "bottom", "top", source=data,
            fill_color="colour", fill_alpha=0.12, line_color=None,
        )  # fmt: skip
        self._figure.multi_line(
            "x", "y", source=data, line_color="colour", line_width=style.line_width * 0.75
        )
        self._figure.segment(
            "left", "bottom", "right", "top", source=data,
            line_color=palette.ACCENT, line_width="cross",
        )  # fmt: skip
        self._figure.segment(
            "left", "top", "right", "bottom", source=data,
            line_color=palette.ACCENT, line_width="cross",
        )  # fmt: skip
        self._figure.text(
            "right", "top", "label", source=data, x_offset=-3, y_offset=2, text_align="right",
            text_baseline="top", text_font_size=style.tiny, text_color=palette.TICKS,
        )  # fmt: skip
        return cells


explain(
    "view losses",
    "Loss of every trial",
    "The loss of every trial of the search side by side; those that diverge are crossed out. A"
    " press on one makes it your run.",
    healthy="Curves that fall and flatten.",
    moved_by="The settings of each trial, learning rate first.",
    lesson="a-good-rate",
)
explain(
    ("number losses.done", "number losses.left", "number losses.stopped"),
    "Trials",
    "How many trials have ended, how many are left, and how many were stopped early because their"
    " loss rose.",
    lesson="stop-early",
)
explain("number losses.best", "Best", "The highest validation accuracy of all trials so far.")

"""Parallel coordinates: each trial is a line across all axes of the search to its accuracy."""

from collections.abc import Hashable, Sequence
from typing import Any

from bokeh.models import FixedTicker, Range1d

from app import numbers, palette, theme
from app.explanations.explanation import explain
from app.panels.search.space import colour, search_of, shape_of, space_of, ticks
from app.plots.plot_data import Part
from app.plots.view import VIEWS, plot, source
from engine import SearchFrame, Snapshot, label_of

FAINT = 0.15  # opacity of the worst lines, so that they do not hide others
MOST_WORDS = 4  # labels along an axis


def parallel_columns(snapshot: Snapshot, since: int) -> Part:
    """The finished trials; the best are drawn last, above all others."""
    frame = search_of(snapshot)
    shown = [frame.trials[number] for number in reversed(frame.ranking)] if frame else []
    width = len(space_of(snapshot))
    best = shown[-1:]
    lines = [
        [*(round(x, 3) for x in t.places), round(palette.score_place(t.validation_accuracy), 3)]
        for t in shown
    ]
    return Part(
        set={
            "parallel": {
                "x": [list(range(width + 1)) for _ in lines],
                "y": lines,
                "colour": [colour(trial) for trial in shown],
                "alpha": [round(FAINT + (1 - FAINT) * line[-1], 2) for line in lines],
            },
            "parallel.best": {
                "x": list(range(width + 1)) if best else [],
                "y": lines[-1] if best else [],
            },
        },
        alternative=lambda: _alternative(frame),
    )


def _alternative(frame: SearchFrame | None) -> str:
    if frame is None or not frame.ranking:
        return "No trial has finished yet."
    leaders = [frame.trials[number] for number in frame.ranking[:5]]
    spans = (
        f"{label_of(axis.path)} from {numbers.percent(min(t.places[n] for t in leaders))}"
        f" to {numbers.percent(max(t.places[n] for t in leaders))} of its range"
        for n, axis in enumerate(frame.search.space)
    )
    best = f"best {len(leaders)} trials lie" if len(leaders) > 1 else "best trial lies"
    return f"The {best} at {'; '.join(spans)}."


def _drawn_for(snapshot: Snapshot) -> Hashable:
    return shape_of(snapshot)


@VIEWS.register("parallel")
class ParallelView:
    """A line per finished trial: what have the good ones in common?"""

    title = "What the good ones have in common"
    tab = "Search"
    requested: frozenset[str] = frozenset()
    columns = staticmethod(parallel_columns)
    drawn_for = staticmethod(_drawn_for)
    keys = (("", "the best", palette.GOOD),)

    def __init__(self, snapshot: Snapshot, style: theme.Style) -> None:
        space = space_of(snapshot)
        figure = plot(
            "parallel",
            "Each trial as a line across the axes of the search, to its validation accuracy",
            style,
            x_range=Range1d(start=-0.35, end=len(space) + 0.3),
            y_range=Range1d(start=-0.06, end=1.06),
        )
        names = [label_of(axis.path) for axis in space] + ["accuracy"]
        figure.xaxis.ticker = FixedTicker(ticks=list(range(len(names))))
        figure.xaxis.major_label_overrides = dict(enumerate(names))
        figure.yaxis.visible = False
        figure.ygrid.visible = False
        figure.xgrid.grid_line_alpha = 0.8
        self._write_values(figure, snapshot, style)
        figure.multi_line(
            "x", "y", source=source("parallel", ["x", "y", "colour", "alpha"]),
            line_color="colour", line_width=style.line_width * 0.6, line_alpha="alpha",
        )  # fmt: skip
        figure.line(
            "x", "y", source=source("parallel.best", ["x", "y"]),
            line_color=palette.GOOD, line_width=style.line_width * 1.5,
        )  # fmt: skip
        self.figures = [figure]

    def _write_values(self, figure: Any, snapshot: Snapshot, style: theme.Style) -> None:
        """Write a few values along each axis."""
        marks = []
        for n, axis in enumerate(space_of(snapshot)):
            text = list(ticks(axis).items())
            marks += [(n, place, word) for place, word in text[:: 1 + len(text) // MOST_WORDS]]
        inner = figure.text(*_columns(marks), x_offset=-5, text_align="right")
        last = len(space_of(snapshot))
        scores = [(last, palette.score_place(s), numbers.percent(s)) for s in palette.SCORES_SHOWN]
        outer = figure.text(*_columns(scores), x_offset=5, text_align="left")
        for text in (inner, outer):
            text.glyph.update(
                text_baseline="middle", text_font_size=style.tiny, text_color=palette.TICKS
            )


def _columns(marks: Sequence[tuple[int, float, str]]) -> list[list[int | float | str]]:
    return [list(column) for column in zip(*marks, strict=True)]


explain(
    "view parallel",
    "What the good ones have in common",
    "A line for each finished trial, through its settings to its accuracy. Where the good lines run"
    " close together, that setting matters.",
)

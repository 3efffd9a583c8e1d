"""Random against grid at equal budget: which tries more values, and which finds more?"""

import functools
import math
from collections.abc import Hashable, Sequence

import numpy as np
from bokeh.models import Range1d
from bokeh.plotting import figure

from app import numbers, palette, theme
from app.explanations.explanation import explain
from app.panels.search.search_controller import search_progress
from app.panels.search.space import MARGIN, lay_along, places
from app.plots.figures import entitle, further
from app.plots.plot_data import Columns, Part, rounded
from app.plots.view import VIEWS, auto_range, frame_axes, plot, source
from engine import Choice, Search, SearchProgress, Snapshot, StrategyLine, counted, one_matters

STRATEGIES = {"random": palette.PINNED[0], "shifted grid": palette.PINNED[1]}
SETTLED = 2  # first trials, which the vertical axis of the best so far ignores
FLOOR = -0.22  # of the scatter plots; below 0 they show the values tried on the first axis


def comparison_columns(snapshot: Snapshot, since: int) -> Part:
    """The points of both for the last seed, their values on the first axis, the best so far."""
    shown = search_progress(snapshot)
    lines = {line.strategy: line for line in shown.comparison.lines} if shown.comparison else {}
    parts: dict[str, Columns] = {}
    text = {}
    for number, name in enumerate(STRATEGIES):
        line = lines.get(name)
        at, found = _last(line) if line else (_planned(_search(shown), name), None)
        parts[f"comparison.{number}"] = _points(at, found)
        parts[f"comparison.line{number}"] = _line(line)
        parts[f"comparison.end{number}"] = _end(line, name)
        text[f"comparison.values{number}"] = counted(len(np.unique(at[:, 0].round(6))), "values")
    parts["comparison.frame"] = _frame(list(lines.values()), _search(shown).trials)
    seeds = len(shown.comparison.seeds) if shown.comparison else 0
    text["comparison.seeds"] = str(seeds) if seeds else "–"
    return Part(
        set=parts,
        text=text,
        alternative=lambda: _alternative(list(lines.values()), text),
    )


def _search(shown: SearchProgress) -> Search:
    return shown.compared or one_matters()


@functools.lru_cache(maxsize=8)
def _drawn(text: str, strategy: str) -> np.ndarray:
    search = Search.from_json(text)
    trials = Search(
        base=search.base, space=search.space, trials=search.trials, strategy=Choice(strategy)
    ).draw()
    return np.array([trial.places for trial in trials])


def _planned(search: Search, strategy: str) -> np.ndarray:
    """The points that a strategy would try."""
    return _drawn(search.to_json(), strategy)


def _last(line: StrategyLine) -> tuple[np.ndarray, np.ndarray]:
    return line.places[-1], line.accuracies[-1]


def _points(at: np.ndarray, found: np.ndarray | None) -> Columns:
    up = at[:, 1] if at.shape[1] > 1 else np.full(len(at), 0.5)
    scores = np.full(len(at), np.nan) if found is None else found
    return {
        "x": rounded(at[:, 0]),
        "y": rounded(up),
        "colour": [palette.score_colour(score) for score in scores.tolist()],
    }


def _line(line: StrategyLine | None) -> Columns:
    if line is None:
        return {"trial": [], "middle": [], "low": [], "high": []}
    return {
        "trial": list(range(1, len(line.middle) + 1)),
        "middle": rounded(line.middle),
        "low": rounded(line.low),
        "high": rounded(line.high),
    }


def _end(line: StrategyLine | None, name: str) -> Columns:
    if line is None:
        return {"trial": [], "y": [], "label": []}
    label = f"{name} {numbers.decimal_percent(float(line.middle[-1]))}"
    return {"trial": [len(line.middle)], "y": rounded(line.middle[-1:]), "label": [label]}


def _frame(lines: Sequence[StrategyLine], trials: int) -> Columns:
    """The axes of the best so far: from the first few trials up to the next tenth."""
    seen = [a for line in lines for a in (line.low[SETTLED:], line.high)]
    known = np.concatenate(seen) if seen else np.array([0.0, 1.0])
    low = math.floor(10 * float(known.min())) / 10
    return {"x": [1, trials * 1.02], "y": [low, math.ceil(10 * float(known.max())) / 10]}


def _alternative(lines: Sequence[StrategyLine], text: dict[str, str]) -> str:
    tried = (
        f"Of the first axis, random tries {text['comparison.values0']},"
        f" the grid {text['comparison.values1']}."
    )
    found = " ".join(
        f"{line.strategy}: best so far, median over the seeds,"
        f" {numbers.decimal_percent(float(line.middle[-1]))}."
        for line in lines
    )
    return f"{tried} {found or 'They have not been compared yet.'}"


def _drawn_for(snapshot: Snapshot) -> Hashable:
    return str(_search(search_progress(snapshot)).space), _search(search_progress(snapshot)).trials


@VIEWS.register("comparison")
class ComparisonView:
    """With equally many trials, random tries more values of the axis that matters."""

    title = "Random against grid"
    tab = "Search"
    requested: frozenset[str] = frozenset()
    columns = staticmethod(comparison_columns)
    drawn_for = staticmethod(_drawn_for)
    keys = (
        *(
            (f"comparison.values{n}", f"{name} tries", colour)
            for n, (name, colour) in enumerate(STRATEGIES.items())
        ),
        ("comparison.seeds", "seeds compared", palette.PLAIN),
    )

    def __init__(self, snapshot: Snapshot, style: theme.Style) -> None:
        self._style = style
        space = _search(search_progress(snapshot)).space
        first = plot("comparison", "Where random trials lie", style, **_ranges())
        second = further("comparison", "Where the trials of a grid lie", style, **_ranges())
        for number, (drawn, name) in enumerate(zip((first, second), STRATEGIES, strict=True)):
            entitle(drawn, f"{name}; below: what it tries of the first axis", style)
            lay_along(drawn.xaxis[0], space[0])
            if len(space) > 1:
                lay_along(drawn.yaxis[0], space[1])
            self._draw_places(drawn, number, STRATEGIES[name])
        self.figures = [first, second, self._best_so_far()]

    def _draw_places(self, drawn: figure, number: int, colour: str) -> None:
        data = source(f"comparison.{number}", ["x", "y", "colour"])
        drawn.segment(
            "x", FLOOR + 0.03, "x", -0.08, source=data, line_color=colour,
            line_width=self._style.line_width,
        )  # fmt: skip
        drawn.scatter(
            "x", "y", source=data, size=10, fill_color="colour", line_color=colour,
            line_width=self._style.line_width / 2,
        )  # fmt: skip

    def _best_so_far(self) -> figure:
        drawn = further(
            "comparison", "The best accuracy so far by the number of trials", self._style
        )
        entitle(drawn, "best so far: median, middle half", self._style)
        drawn.x_range, drawn.y_range = auto_range(), auto_range()
        frame_axes(drawn, "comparison")
        drawn.xaxis.axis_label, drawn.yaxis.axis_label = "trials", "validation accuracy"
        for number, colour in enumerate(STRATEGIES.values()):
            data = source(f"comparison.line{number}", ["trial", "middle", "low", "high"])
            drawn.varea("trial", "low", "high", source=data, fill_color=colour, fill_alpha=0.15)
            drawn.line(
                "trial", "middle", source=data, color=colour, line_dash=palette.dash(6 * number),
                line_width=self._style.line_width,
            )  # fmt: skip
            end = source(f"comparison.end{number}", ["trial", "y", "label"])
            drawn.text(
                "trial", "y", "label", source=end,
                text_color=colour, text_align="right", y_offset=-4 if number == 0 else 14,
                text_font_size=self._style.small, text_font_style="bold",
            )  # fmt: skip
        return drawn


def _ranges() -> dict[str, Range1d]:
    return {"x_range": places(), "y_range": Range1d(start=FLOOR, end=1 + MARGIN)}


explain(
    "view comparison",
    "Random against grid",
    "Random and grid search with equally many trials: random tries more values of the axis that"
    " matters, so it finds more where only one does.",
    moved_by="How many trials there are, and how many of the axes matter.",
    lesson="random-beats-grid",
)
explain(
    "number comparison.values#",
    "Values tried",
    "How many different values of the first axis this strategy tries, with as many trials.",
)
explain("number comparison.seeds", "Seeds", "From how many random seeds both were compared.")

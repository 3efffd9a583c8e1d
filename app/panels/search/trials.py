"""A scatter plot of a search's trials, coloured by accuracy; select a region to search there."""

from collections.abc import Hashable

from bokeh.models import BoxSelectTool, HoverTool

from app import numbers, palette, theme
from app.explanations.explanation import explain
from app.panels.search.space import (
    ENDED,
    NEAREST,
    best_places,
    colour,
    lay_along,
    places,
    search_of,
    send_region,
    send_trial,
    shape_of,
    space_of,
    trial_label,
)
from app.plots.plot_data import Part
from app.plots.view import VIEWS, plot, source
from engine import SearchFrame, Snapshot, TrialFrame, TrialStatus

MARKERS = {TrialStatus.FINISHED: "circle", TrialStatus.RUNNING: "circle_dot"}
SIZES = {TrialStatus.FINISHED: 9, TrialStatus.RUNNING: 7}
OTHER = "x", 8


def trials_columns(snapshot: Snapshot, since: int) -> Part:
    """A point per started trial, at its places on the first two axes."""
    frame = search_of(snapshot)
    begun = [t for t in frame.trials if t.status is not TrialStatus.WAITING] if frame else []
    return Part(
        set={
            "trials": {
                "number": [trial.number for trial in begun],
                "x": [round(across(trial), 4) for trial in begun],
                "y": [round(up(trial), 4) for trial in begun],
                "colour": [_colour(trial) for trial in begun],
                "marker": [MARKERS.get(trial.status, OTHER[0]) for trial in begun],
                "size": [SIZES.get(trial.status, OTHER[1]) for trial in begun],
                "words": [
                    trial_label(frame, t) if frame and t.status in ENDED else "" for t in begun
                ],
            },
            "trials.best": {"x": best_places(frame, across), "y": best_places(frame, up)},
        },
        alternative=lambda: _alternative(frame),
    )


def across(trial: TrialFrame) -> float:
    """The trial's place on the first axis."""
    return trial.places[0]


def up(trial: TrialFrame) -> float:
    """The trial's place on the second axis; if there is none, that of its accuracy."""
    if len(trial.places) > 1:
        return trial.places[1]
    return palette.score_place(trial.validation_accuracy)


def _colour(trial: TrialFrame) -> str:
    return colour(trial) if trial.status in MARKERS else palette.ACCENT


def _alternative(frame: SearchFrame | None) -> str:
    if frame is None:
        return "No search has started yet."
    best = [trial_label(frame, frame.trials[number]) for number in frame.ranking[:5]]
    edges = " ".join(edge.text for edge in frame.edges)
    return f"The best trials: {'; '.join(best) or 'none yet'}. {edges}"


def _drawn_for(snapshot: Snapshot) -> Hashable:
    return shape_of(snapshot)


@VIEWS.register("trials")
class TrialsView:
    """Each trial at its settings, coloured by its accuracy. Drag over a region; click a trial."""

    title = "Where the good ones lie"
    tab = "Search"
    requested: frozenset[str] = frozenset()
    columns = staticmethod(trials_columns)
    drawn_for = staticmethod(_drawn_for)
    keys = tuple(
        ("", numbers.percent(score), palette.score_colour(score))
        for score in palette.SCORES_SHOWN[:3]
    )

    def __init__(self, snapshot: Snapshot, style: theme.Style) -> None:
        space = space_of(snapshot)
        self._figure = figure = plot(
            "trials",
            "Each trial at its values of the first two axes, coloured by validation accuracy",
            style,
            x_range=places(),
            y_range=places(),
        )
        lay_along(figure.xaxis[0], space[0])
        if len(space) > 1:
            lay_along(figure.yaxis[0], space[1])
        else:
            figure.yaxis.axis_label = "validation accuracy"
            labels = {
                palette.score_place(s): numbers.decimal_percent(s) for s in palette.SCORES_SHOWN
            }
            figure.yaxis.ticker = list(labels)
            figure.yaxis.major_label_overrides = {place: said for place, said in labels.items()}
        data = source("trials", ["number", "x", "y", "colour", "marker", "size", "words"])
        points = figure.scatter(
            "x", "y", source=data, marker="marker", size="size",
            fill_color="colour", line_color="colour",
            nonselection_fill_alpha=0.35, nonselection_line_alpha=0.35,
        )  # fmt: skip
        figure.scatter(
            "x", "y", source=source("trials.best", ["x", "y"]), size=18,
            fill_color=None, line_color=palette.GOOD, line_width=style.line_width,
        )  # fmt: skip
        brush = BoxSelectTool(persistent=True, renderers=[points])
        figure.add_tools(brush, HoverTool(renderers=[points], tooltips="@words"))
        figure.toolbar.active_drag = brush
        send_region(figure)
        send_trial(figure, NEAREST, [data])
        self.figures = [figure]


explain(
    "view trials",
    "Where the good ones lie",
    "A point for each trial at its settings, coloured by its accuracy. Drag over a region to search"
    " on there; good points at an edge mean that the range is wrong.",
    lesson="best-at-the-edge",
)

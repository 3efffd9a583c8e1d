"""The babysitting checklist: the lecture's sanity checks, run on a copy of the network."""

import functools
import itertools
from collections.abc import Callable, Iterator

from bokeh.models import ColumnDataSource
from bokeh.models.annotations import Span
from panel import ui
from panel.layout import Column
from panel.pane import HTML, Bokeh
from panel.viewable import Viewable

from app import numbers, palette, theme
from app.explanations.explanation import explain
from app.page.buttons import Presses, button
from app.panels.panel import PANELS
from app.plots.figures import further
from app.stylesheets import css
from app.templates import render, sentence
from engine import (
    CHECKS,
    CheckProgress,
    CheckResult,
    Experiment,
    ExperimentHandle,
    Snapshot,
    run_check,
    run_checks,
    take_checkup,
)

type Results = tuple[CheckProgress | CheckResult, ...]
type Checkers = Callable[[Experiment], Iterator[Results]]

SHOWN_IN = {  # the lessons about the checks, where there are any
    "first loss": "first-loss",
    "regularization raises it": "regularization-raises-it",
    "overfit 20 examples": "overfit-20-examples",
    "learning rate": "a-good-rate",
    "gradients": "gradient-check",
}
HEIGHT = 150  # of the curve of a check, in pixels


@PANELS.register("Checks")
class Checks:
    """Sanity checks before you trust a long run."""

    main: Viewable | None = None

    def __init__(self, handle: ExperimentHandle, snapshot: Snapshot, presses: Presses) -> None:
        self._handle = handle
        self._shown: object = None
        self._results: dict[str, CheckResult] = {}
        self._sentences: dict[str, HTML] = {}
        self._curves: dict[str, Column] = {}
        self.sidebar = Column(sizing_mode="stretch_width")
        for name in CHECKS:
            presses.on(f"check {name}", functools.partial(self._begin_one, name))

    def pieces(self) -> Iterator[None]:
        """The button for all checks; then each check."""
        everything = ui.Button(
            label="Run all checks", icon="checklist", variant="contained", size="small"
        )
        everything.on_click(lambda event: self._begin(_all))
        intro = _html(
            "<p>Each runs for seconds on a copy of your network with its current settings. Your run"
            " goes on, untouched.</p>"
        )
        self.sidebar.extend([intro, everything])
        yield
        for some in itertools.batched(CHECKS, 2):
            views: list[Viewable] = []
            for name in some:
                label = name.capitalize()
                self._sentences[name] = _html(sentence(CHECKS[name].summary, "quiet"))
                self._curves[name] = Column(sizing_mode="stretch_width")
                begin = _html(button(f"check {name}", label, style="outlined", word=label))
                views += [begin, self._sentences[name], self._curves[name]]
            self.sidebar.extend(views)
            yield

    def _begin_one(self, name: str) -> None:
        self._begin(lambda experiment: _one(experiment, name))

    def _begin(self, checks: Checkers) -> None:
        self._handle.submit(lambda slot: slot.jobs.begin("checks", checks(slot.experiment)))

    def show(self, snapshot: Snapshot) -> None:
        """Show the progress and the results of the checks."""
        results = snapshot.background.checks
        if results is None or results is self._shown:
            return
        self._shown = results
        for one in results:
            if isinstance(one, CheckResult):
                self._show_result(one)
            else:
                self._sentences[one.name].object = f"<p>Checking … {numbers.percent(one.done)}</p>"

    def _show_result(self, result: CheckResult) -> None:
        if self._results.get(result.name) is result:
            return
        self._results[result.name] = result
        mark, kind = {True: ("✓", "holds"), False: ("✗", "fails"), None: ("–", "quiet")}[
            result.passed
        ]
        self._sentences[result.name].object = render(
            "check_result", kind=kind, mark=mark, result=result
        )
        known = result.x is not None and result.y is not None
        self._curves[result.name][:] = [_curve(result)] if known else []


def _html(text: str) -> HTML:
    sheets = [css("buttons"), css("panel")]
    return HTML(text, stylesheets=sheets, sizing_mode="stretch_width")


def _all(experiment: Experiment) -> Iterator[Results]:
    return run_checks(take_checkup(experiment))


def _one(experiment: Experiment, name: str) -> Iterator[Results]:
    return ((results,) for results in run_check(name, take_checkup(experiment)))


def _curve(result: CheckResult) -> Viewable:
    across, up = result.axes
    log = across == "learning rate"
    picture = further(
        "check",
        f"{result.name}: {up} by {across}",
        theme.DESK,
        x_axis_type="log" if log else "linear",
        y_axis_type="log",
    )
    picture.xaxis.axis_label, picture.yaxis.axis_label = across, up
    picture.line(
        "x",
        "y",
        source=ColumnDataSource({"x": result.x, "y": result.y}),
        color=palette.TRAIN,
        line_width=2,
    )
    if log:
        picture.add_layout(
            Span(location=result.number, dimension="height", line_color=palette.ACCENT)
        )
    picture.update(sizing_mode="stretch_width", height=HEIGHT, min_height=HEIGHT)
    return Bokeh(picture, height=HEIGHT, sizing_mode="stretch_width")


explain(
    ("tab Checks", "panel Checks"),
    "Checks",
    "The lecture's sanity checks, run on a copy of your network with its settings. Your own run"
    " goes"
    " on untouched.",
    lesson="overfit-20-examples",
)
explain(
    "field Checks Run all checks",
    "Run all checks",
    "Runs all checks, one after the other, on a copy of your network.",
)
for _check in CHECKS.values():
    explain(
        f"button check {_check.name}",
        _check.name.capitalize(),
        _check.summary,
        healthy="a tick: the check holds",
        lesson=SHOWN_IN.get(_check.name, ""),
    )

"""The command center: dozens of short runs at once, from coarse to fine."""

import html
from collections.abc import Callable, Sequence
from typing import Any

from bokeh.models.widgets import Div
from panel import ui
from panel.layout import Column, Row
from panel.pane import HTML, Bokeh
from panel.viewable import Viewable

from app import theme
from app.buttons import Presses
from app.rooms.axes import Axes
from app.rooms.room import ROOMS
from app.rooms.trial_table import TrialTable
from app.searching import Desk, Hunted, hunted
from app.views.space import TELLER, told_of
from engine import (
    STRATEGIES,
    Choice,
    RunConfig,
    Search,
    SearchFrame,
    Seat,
    Snapshot,
    lecture_search,
    one_matters,
)

TRIALS, EPOCHS = 30, 5  # to begin with
MOST_TRIALS = 400
SIZES = (2, 3, 5, 10)  # of an ensemble
SEEDS = (3, 5, 10, 20)  # of a comparison
ONE, MINE = "where one axis matters", "of the search above"
LECTURE = """
<p>100 trials of 5 epochs, one hidden layer of 50, on {images}: learning rate and L2 anywhere
in the lecture's ranges. Your run goes on beside it; paused, it leaves the search more time.</p>
"""


@ROOMS.register("Search")
class SearchRoom:
    """Try many settings for a short time, then look closer where the best ones are."""

    main: Viewable | None = None
    leave: Callable[[], None] = staticmethod(lambda: None)  # until whoever opens the room sets it

    def __init__(self, seat: Seat, snapshot: Snapshot, presses: Presses) -> None:
        self._seat = seat
        self._shown = hunted(snapshot)
        self._region: dict[str, tuple[float, float]] = {}
        self._desk = Desk(seat)
        self._table = TrialTable()
        self._teller = Div(name=TELLER, visible=False)
        self._teller.on_change("tags", lambda attribute, old, new: self._hear(new))
        self._make_form(snapshot.config)
        self._make_controls()
        self._make_results()
        self.sidebar: list[Viewable] = [
            *(_words(LECTURE.format(images=_images())), self._lecture),
            *(_heading("Around your network"), *self._form),
            *(self._start, self._refusal, self._progress, self._told, self._steering),
            *(self._loaded, self._watch, self._finer, self._around, self._inside),
            *(_heading("Together"), self._together, self._gain),
            *(_heading("Random against grid"), self._compare, self._compared),
            *(Bokeh(self._teller, width=0, margin=0), self._table.view),
        ]
        self._follow(self._shown)

    # ---- what it is made of ---------------------------------------------------------------------

    def _make_form(self, config: RunConfig) -> None:
        self._strategy = _select("Strategy", [name for name in STRATEGIES if "shifted" not in name])
        self._trials = _count("Trials", TRIALS, MOST_TRIALS)
        self._epochs = _count("Epochs", EPOCHS, 100)
        self._axes = Axes(config)
        self._form = [self._strategy, Row(self._trials, self._epochs), self._axes.view]

    def _make_controls(self) -> None:
        self._lecture = _button(
            "The lecture's coarse search", "travel_explore", lambda: self._begin(lecture_search())
        )
        self._start = _button("Start a search", "search", lambda: self._begin_form())
        self._refusal, self._told, self._loaded = _words(), _words(), _words()
        self._progress = ui.LinearProgress(
            value=0, variant="determinate", margin=theme.KNOB_MARGIN, sizing_mode="stretch_width"
        )
        self._pause = _quiet("Pause search", "pause", self._desk.pause)
        self._resume = _quiet("Resume search", "play_arrow", self._desk.resume)
        self._cancel = _quiet("Cancel search", "stop", self._desk.cancel)
        self._all = _quiet("Table of trials", "table_view", self._table.open)
        self._watch = _quiet("Watch it learn", "visibility", lambda: self.leave())
        self._watch.visible = False
        self._steering = Column(
            Row(self._pause, self._resume, self._cancel), self._all, sizing_mode="stretch_width"
        )

    def _make_results(self) -> None:
        self._finer = _words()
        self._around = _quiet("Finer stage around the best", "zoom_in", self._desk.refine)
        self._inside = _quiet(
            "Finer stage in the region", "highlight_alt", lambda: self._desk.refine(self._region)
        )
        self._size = _select("Average the best", list(SIZES), 5, width=120)
        self._average = _quiet("Ensemble", "groups", lambda: self._desk.average(self._size.value))
        self._together: Viewable = Row(self._size, self._average)
        self._gain, self._compared = _words(), _words()
        self._which = _select("Compare", [ONE, MINE], ONE)
        self._seeds = _select("Seeds", list(SEEDS), 5, width=90)
        self._against = _quiet("Compare them", "compare_arrows", self._begin_comparison)
        self._compare: Viewable = Column(
            self._which, Row(self._seeds, self._against), sizing_mode="stretch_width"
        )

    # ---- what a visitor does --------------------------------------------------------------------

    def _search(self) -> Search:
        """The search that the form describes, around the visitor's network of now."""
        return Search(
            base=self._seat.latest.config,
            space=self._axes.space(),
            strategy=Choice(self._strategy.value),
            trials=self._trials.value or 1,
            epochs=float(self._epochs.value or 1),
        )

    def _begin_form(self) -> None:
        try:
            self._begin(self._search())
        except ValueError as error:
            self._refuse(str(error))

    def _begin(self, search: Search) -> None:
        self._refusal.object = ""
        self._desk.begin(search)

    def _begin_comparison(self) -> None:
        try:
            search = one_matters() if self._which.value == ONE else self._search()
        except ValueError as error:
            return self._refuse(str(error))
        self._desk.compare(search, self._seeds.value)

    def _refuse(self, words: str) -> None:
        self._refusal.object = f"<p class='fails' role='alert'>{html.escape(words)}</p>"

    def _hear(self, told: Sequence[object]) -> None:
        """What was pointed at in the page, which may send anything."""
        match told:
            case ["trial", int(number), *_]:
                self._load(number)
            case ["sort", int(column), *_] if column >= 0:
                self._table.sort(column)
            case ["region", *ends] if len(ends) >= 4:
                self._brush([float(x) for x in ends[:4] if isinstance(x, int | float)])

    def _load(self, number: int) -> None:
        frame = self._shown.hunt
        if frame is None or not 0 <= number < len(frame.trials):
            return
        trial = frame.trials[number]
        self._desk.load(trial.config)
        self._table.close()
        self._loaded.object = (
            f"<p class='holds' role='status'><b>Trial {html.escape(told_of(frame, trial))}</b> is"
            f" your run now, from its first step.</p>"
        )
        self._watch.visible = True

    def _brush(self, ends: Sequence[float]) -> None:
        frame = self._shown.hunt
        if frame is None or len(ends) != 4:
            return
        pairs = (ends[0], ends[1]), (ends[2], ends[3])
        paths = [axis.path for axis in frame.search.space[:2]]
        self._region = dict(zip(paths, pairs, strict=False))
        self._follow(self._shown)

    # ---- what it tells --------------------------------------------------------------------------

    def show(self, snapshot: Snapshot) -> None:
        """Follow the search."""
        if (shown := hunted(snapshot)) is not self._shown:
            self._follow(shown)

    def _follow(self, shown: Hunted) -> None:
        """Say how the search stands, and allow what can be done now."""
        if (old := self._shown.hunt) and (new := shown.hunt) and old.search != new.search:
            self._region, self._loaded.object, self._watch.visible = {}, "", False
        if shown.refusal and shown.refusal != self._shown.refusal:
            self._refuse(shown.refusal)
        self._shown, frame = shown, shown.hunt
        self._table.show(frame)
        share = frame.share if frame else 0.0
        if shown.comparison and not shown.comparison.finished:
            share = shown.comparison.share
        self._progress.param.update(value=round(100 * share), visible=shown.busy)
        found = frame is not None and bool(frame.ranking)
        self._lecture.disabled = self._start.disabled = shown.busy
        self._pause.visible = shown.busy and not shown.paused
        self._resume.visible = shown.paused
        self._cancel.visible = shown.busy
        self._all.visible = frame is not None
        self._against.disabled = shown.busy
        self._average.disabled = self._around.disabled = shown.busy or not found
        self._inside.disabled = shown.busy or not found or not self._region
        self._told.object = _standing(shown)
        self._finer.object = _edges(frame, self._region)
        self._gain.object = _gain(shown)
        self._compared.object = _difference(shown)


def _images() -> str:
    """The data set of the lecture's search, as its menu calls it."""
    return lecture_search().base.data.dataset.name


def _standing(shown: Hunted) -> str:
    frame = shown.hunt
    if frame is None:
        return ""
    stage = f"Stage {frame.search.stage}: {frame.status.value}"
    best = "" if shown.best is None else f", best <b>{theme.percent(shown.best)}</b>"
    before = ", ".join(theme.percent(score) for score in shown.before)
    earlier = f" (before: {before})" if before else ""
    time = f"{theme.seconds(frame.seconds)} of work"
    left = f", {theme.seconds(frame.seconds_left)} left" if shown.busy else ""
    of = f"{frame.search.trials} trials of {frame.search.epochs:g} epochs"
    return f"<p role='status'>{stage}{best}{earlier}</p><p class='quiet'>{of}; {time}{left}</p>"


def _edges(frame: SearchFrame | None, region: dict[str, tuple[float, float]]) -> str:
    """The warnings, and the region that was brushed."""
    if frame is None:
        return ""
    words = "".join(
        f"<p class='fails' role='alert'>{html.escape(edge.text)}</p>" for edge in frame.edges
    )
    if not region:
        return words + "<p class='quiet'>Drag over the points to choose a region.</p>"
    axes = {axis.path: axis for axis in frame.search.space}
    ends = " × ".join(
        " to ".join(theme.short(axes[path].at(place)) for place in sorted(pair))  # type: ignore
        for path, pair in region.items()
    )
    return words + f"<p>Region: {ends}</p>"


def _gain(shown: Hunted) -> str:
    together = shown.ensemble
    if together is None or not together.alone:
        return "<p class='quiet'>The average of several networks' predictions.</p>"
    size = len(together.alone)
    words = (
        f"The best alone {theme.percent(max(together.alone))}, {size} together"
        f" <b>{theme.percent(together.together[-1])}</b>:"
        f" {100 * together.gain:+.1f} points"
    )
    return f"<p role='status'>{words}{'' if together.finished else ' …'}</p>"


def _difference(shown: Hunted) -> str:
    frame = shown.comparison
    if frame is None or not frame.lines:
        return "<p class='quiet'>As many trials each, from several seeds.</p>"
    found = ", ".join(
        f"{line.strategy} <b>{theme.percent(float(line.middle[-1]))}</b>" for line in frame.lines
    )
    return f"<p role='status'>Best found, median of {len(frame.seeds)} seeds: {found}</p>"


def _words(words: str = "") -> HTML:
    return HTML(words, stylesheets=[theme.LESSON_CSS], sizing_mode="stretch_width")


def _heading(words: str) -> HTML:
    return _words(f"<h3>{words}</h3>")


def _button(label: str, icon: str, action: Callable[[], None]) -> ui.Button:
    button = ui.Button(
        label=label, icon=icon, variant="contained", size="small", margin=theme.KNOB_MARGIN,
        sizing_mode="stretch_width",
    )  # fmt: skip
    button.on_click(lambda event: action())
    return button


def _quiet(label: str, icon: str, action: Callable[[], None]) -> ui.Button:
    button = ui.Button(
        label=label, icon=icon, variant="outlined", size="small", margin=theme.KNOB_MARGIN
    )
    button.on_click(lambda event: action())
    return button


def _select(
    label: str, options: list[Any], value: object = None, width: int | None = None
) -> ui.Select:
    stretch = {} if width else {"sizing_mode": "stretch_width"}
    return ui.Select(
        label=label, options=options, value=options[0] if value is None else value, size="small",
        margin=theme.KNOB_MARGIN, width=width, **stretch,
    )  # fmt: skip


def _count(label: str, value: int, most: int) -> ui.IntInput:
    return ui.IntInput(
        label=label, value=value, start=1, end=most, size="small", width=120,
        margin=theme.KNOB_MARGIN,
    )  # fmt: skip

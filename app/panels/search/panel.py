"""The Search panel: dozens of short runs at once, from coarse to fine."""

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from panel import ui
from panel.layout import Column, Row
from panel.pane import HTML
from panel.viewable import Viewable

from app import theme
from app.explanations.explanation import explain
from app.page.buttons import Presses, button
from app.panels.panel import PANELS
from app.panels.search import progress_html
from app.panels.search.axes_form import Axes
from app.panels.search.search_controller import SearchController, search_progress
from app.panels.search.space import REGION, SORT, TRIAL, trial_label
from app.panels.search.table import TrialTable
from app.stylesheets import css
from app.templates import refusal, sentence
from engine import (
    STRATEGIES,
    Choice,
    ExperimentHandle,
    Search,
    SearchProgress,
    Snapshot,
    lecture_search,
    one_matters,
)

TRIALS, EPOCHS = 30, 5  # by default
MOST_TRIALS = 400
SIZES = (2, 3, 5, 10)  # of an ensemble
SEEDS = (3, 5, 10, 20)  # of a comparison
ONE, MINE = "where one axis matters", "of the search above"
LECTURED = "The lecture's coarse search"
LECTURE = """
<p>100 trials of 5 epochs, one hidden layer of 50, on {images}: learning rate and L2 anywhere
in the lecture's ranges. Your run goes on meanwhile; if it is paused, the search has more time.</p>
"""


@PANELS.register("Search")
class SearchPanel:
    """Try many settings for a short time, then look closer where the best ones are."""

    main: Viewable | None = None
    leave: Callable[[], None] = staticmethod(lambda: None)  # set by whatever opens the panel

    def __init__(self, handle: ExperimentHandle, snapshot: Snapshot, presses: Presses) -> None:
        self._handle = handle
        self._shown = search_progress(snapshot)
        self._region: dict[str, tuple[float, float]] = {}
        self._controller = SearchController(handle)
        self._table = TrialTable()
        self._axes = Axes(snapshot.config, presses)
        self.sidebar = Column(sizing_mode="stretch_width")
        for name, action in self._actions.items():
            presses.on(f"search {name}", action)
        for name in (TRIAL, SORT, REGION):
            presses.on_value(name, functools.partial(self._on_press, name))

    # ---- the widgets ----------------------------------------------------------------------------

    def pieces(self) -> Iterator[None]:
        """The form, the buttons of a search, and its results."""
        yield from self._build_form()
        yield from self._build_steering()
        yield from self._build_results()
        self.sidebar.append(self._table.place)
        self._follow(self._shown)

    def _build_form(self) -> Iterator[None]:
        self._lecture = _html()
        introduction = _html(LECTURE.format(images=_images()))
        self._strategy = _select("Strategy", [name for name in STRATEGIES if "shifted" not in name])
        self.sidebar.extend(
            [introduction, self._lecture, _heading("Around your network"), self._strategy]
        )
        yield
        self._trials = _count("Trials", TRIALS, MOST_TRIALS)
        self._epochs = _count("Epochs", EPOCHS, 100)
        self.sidebar.append(Row(self._trials, self._epochs))
        yield
        self.sidebar.append(self._axes.view)
        yield
        yield from self._axes.pieces()

    def _build_steering(self) -> Iterator[None]:
        self._start, self._refusal, self._stage, self._loaded = (_html() for _ in range(4))
        self._progress = ui.LinearProgress(
            value=0, variant="determinate", margin=theme.KNOB_MARGIN, sizing_mode="stretch_width"
        )
        self._steering, self._watch = _row(), _row()
        self.sidebar.extend([self._start, self._refusal, self._progress, self._stage])
        yield
        self._finer, self._stages = _html(), _row()
        self.sidebar.extend([self._steering, self._loaded, self._watch, self._finer, self._stages])
        yield

    def _build_results(self) -> Iterator[None]:
        self._size = _select("Average the best", list(SIZES), 5, width=120)
        self._average, self._gain = _row(), _html()
        self.sidebar.extend([_heading("Together"), Row(self._size, self._average), self._gain])
        yield
        self._which = _select("Compare", [ONE, MINE], ONE)
        self._seeds = _select("Seeds", list(SEEDS), 5, width=90)
        self._against, self._compared = _row(), _html()
        self.sidebar.extend([_heading("Random against grid"), self._which])
        yield
        self.sidebar.extend([Row(self._seeds, self._against), self._compared])
        yield

    @property
    def _actions(self) -> dict[str, Callable[[], None]]:
        """What the buttons do, by the names that the page sends."""
        return {
            "lecture": lambda: self._begin(lecture_search()),
            "start": self._begin_form,
            "pause": self._controller.pause,
            "resume": self._controller.resume,
            "cancel": self._controller.cancel,
            "table": self._table.open,
            "watch": lambda: self.leave(),
            "around": self._controller.refine,
            "inside": lambda: self._controller.refine(self._region),
            "average": lambda: self._controller.average(self._size.value),
            "compare": self._begin_comparison,
        }

    # ---- actions --------------------------------------------------------------------------------

    def described(self) -> Search:
        """The search that the form describes, around the visitor's current network."""
        return Search(
            base=self._handle.latest.config,
            space=self._axes.space(),
            strategy=Choice(self._strategy.value),
            trials=self._trials.value or 1,
            epochs=float(self._epochs.value or 1),
        )

    def _begin_form(self) -> None:
        """Start the search in the form."""
        try:
            self._begin(self.described())
        except ValueError as error:
            self._refuse(str(error))

    def _begin(self, search: Search) -> None:
        if self._shown.busy:  # pressed before the page showed it
            return
        self._refusal.object = ""
        self._controller.begin(search)

    def _begin_comparison(self) -> None:
        try:
            search = one_matters() if self._which.value == ONE else self.described()
        except ValueError as error:
            return self._refuse(str(error))
        self._controller.compare(search, self._seeds.value)

    def _refuse(self, text: str) -> None:
        self._refusal.object = refusal(text)

    def _on_press(self, name: str, text: str) -> None:
        """Handle a press or a brush in the plots; the page may send anything."""
        match _numbers(text):
            case [number] if name == TRIAL:
                self._load(int(number))
            case [column] if name == SORT and column >= 0:
                self._table.sort(int(column))
            case [_, _, _, _] as ends if name == REGION:
                self._brush(ends)

    def _load(self, number: int) -> None:
        frame = self._shown.frame
        if frame is None or not 0 <= number < len(frame.trials):
            return
        trial = frame.trials[number]
        self._controller.load(trial.config)
        self._table.close()
        text = f"Trial {trial_label(frame, trial)} is your run now, from its first step."
        self._loaded.object = sentence(text, "holds", "status")
        self._watch.object = _button("watch", "Watch it learn", "visibility")

    def _brush(self, ends: Sequence[float]) -> None:
        frame = self._shown.frame
        if frame is None or len(ends) != 4:
            return
        pairs = (ends[0], ends[1]), (ends[2], ends[3])
        paths = [axis.path for axis in frame.search.space[:2]]
        self._region = dict(zip(paths, pairs, strict=False))
        self._follow(self._shown)

    # ---- results --------------------------------------------------------------------------------

    def show(self, snapshot: Snapshot) -> None:
        """Follow the search."""
        if (shown := search_progress(snapshot)) is not self._shown:
            self._follow(shown)

    def _follow(self, shown: SearchProgress) -> None:
        """Show the state of the search, and enable the buttons that apply."""
        if (old := self._shown.frame) and (new := shown.frame) and old.search != new.search:
            self._region, self._loaded.object, self._watch.object = {}, "", ""
        if shown.refusal and shown.refusal != self._shown.refusal:
            self._refuse(shown.refusal)
        self._shown, frame = shown, shown.frame
        self._table.show(frame)
        share = frame.share if frame else 0.0
        if shown.comparison and not shown.comparison.finished:
            share = shown.comparison.share
        self._progress.param.update(value=round(100 * share), visible=shown.busy)
        self._offer(shown)
        self._stage.object = progress_html.stage(shown)
        self._finer.object = progress_html.edges(frame, self._region)
        self._gain.object = progress_html.gain(shown)
        self._compared.object = progress_html.difference(shown)

    def _offer(self, shown: SearchProgress) -> None:
        """Draw the buttons; those that do not apply are disabled."""
        busy, frame = shown.busy, shown.frame
        found = frame is not None and bool(frame.ranking)
        self._lecture.object = _button("lecture", LECTURED, "travel_explore", "contained", busy)
        self._start.object = _button("start", "Start a search", "search", "contained", busy)
        self._steering.object = "".join(
            _button(name, label, icon)
            for name, label, icon, useful in (
                ("pause", "Pause search", "pause", busy and not shown.paused),
                ("resume", "Resume search", "play_arrow", shown.paused),
                ("cancel", "Cancel search", "stop", busy),
                ("table", "Table of trials", "table_view", frame is not None),
            )
            if useful
        )
        self._stages.object = "".join(
            _button(name, f"Finer stage {where}", icon, off=busy or not found or not known)
            for name, where, icon, known in (
                ("around", "around the best", "zoom_in", True),
                ("inside", "in the region", "highlight_alt", bool(self._region)),
            )
        )
        self._average.object = _button("average", "Ensemble", "groups", off=busy or not found)
        self._against.object = _button("compare", "Compare them", "compare_arrows", off=busy)


def _images() -> str:
    """The menu's name of the data set in the lecture's search."""
    return lecture_search().base.data.dataset.name


def _numbers(text: str) -> list[float]:
    """The numbers that the page sent; none if it sent anything else."""
    try:
        numbers = [float(word) for word in text.split()]
    except ValueError:
        return []
    return numbers if all(map(math.isfinite, numbers)) else []


def _html(text: str = "") -> HTML:
    sheets = [css("buttons"), css("panel")]
    return HTML(text, stylesheets=sheets, sizing_mode="stretch_width")


def _heading(text: str) -> HTML:
    return _html(f"<h3>{text}</h3>")


def _row() -> HTML:
    """A container for buttons side by side."""
    sheets = [css("buttons"), css("button_row")]
    return HTML("", stylesheets=sheets, sizing_mode="stretch_width")


def _button(name: str, label: str, icon: str, style: str = "outlined", off: bool = False) -> str:
    return button(f"search {name}", label, icon, style=style, word=label, off=off)


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


explain(
    ("tab Search", "panel Search"),
    "Search",
    "Many short runs with settings drawn at random, to see where the good ones lie; then a finer"
    " stage around them. Coarse to fine, as in the lecture.",
    healthy="The best ones lie inside the ranges, not at their edge.",
    lesson="coarse-to-fine",
)
explain(
    "button search lecture",
    LECTURED,
    "A hundred trials of five epochs, with learning rate and L2 anywhere in the lecture's ranges.",
    lesson="a-good-rate",
)
explain("button search start", "Start a search", "Runs the trials that this form describes.")
explain("button search pause", "Pause search", "Stops the trials where they are.")
explain("button search resume", "Resume search", "Goes on with the trials.")
explain("button search cancel", "Cancel search", "Ends the search; what was found stays.")
explain("button search table", "Table of trials", "All trials with their settings, to be sorted.")
explain(
    "button search watch",
    "Watch it learn",
    "Goes to the plots of your run, which is the chosen trial now.",
)
explain(
    "button search around",
    "Finer stage around the best",
    "Searches on in narrower ranges around the best trials, and trains each of them longer.",
    lesson="coarse-to-fine",
)
explain(
    "button search inside",
    "Finer stage in the region",
    "Searches on in the region that you have dragged over the points.",
    lesson="coarse-to-fine",
)
explain(
    "button search average",
    "Ensemble",
    "Averages the predictions of the best networks, and compares with the best one alone.",
    lesson="an-ensemble-beats-its-members",
)
explain(
    "button search compare",
    "Compare them",
    "Runs random and grid search with equally many trials, from several seeds.",
    lesson="random-beats-grid",
)
explain(
    "field Search Strategy",
    "Strategy",
    "How settings are drawn: at random, or on a grid. Random tries as many values of each axis as"
    " there are trials.",
    lesson="random-beats-grid",
)
explain("field Search Trials", "Trials", "How many runs are tried.")
explain("field Search Epochs", "Epochs", "How long each trial trains. Few are enough to tell.")
explain(
    "field Search Average the best",
    "Average the best",
    "Of how many of the best networks the predictions are averaged.",
    lesson="an-ensemble-beats-its-members",
)
explain("field Search Compare", "Compare", "In which search random and grid are compared.")
explain("field Search Seeds", "Seeds", "How often both are repeated: one search alone is luck.")

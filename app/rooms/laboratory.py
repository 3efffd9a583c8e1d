"""The initialization lab: the lecture's ten layers of 500 units, with every knob to be turned."""

import contextlib
import html
from collections.abc import Callable, Iterator

import numpy as np
import panel as pn
from bokeh.document import Document
from bokeh.plotting import figure
from panel import ui
from panel.layout import Column, Row
from panel.pane import HTML, Bokeh
from panel.viewable import Viewable

from app import theme
from app.knobs import Stops
from app.rooms.lab_figures import (
    draw_histograms,
    draw_sizes,
    frame_sizes,
    in_words,
    lab_columns,
    table,
)
from app.rooms.latest import Latest
from app.rooms.room import ROOMS
from engine import (
    SETTINGS,
    Begin,
    Choice,
    Knob,
    Laboratory,
    LabReport,
    Registry,
    Seat,
    Snapshot,
)

MOST_WEIGHTS = 5_000_000  # twice the lecture's: more would not follow a slider
DEEPEST = 20
WIDTHS = (10, 20, 30, 50, 70, 100, 150, 200, 300, 400, 500, 600, 700, 800, 900, 1000)
PRESETS = {
    "tanh, 0.01": ("tanh", "small normal"),
    "tanh, 1.0": ("tanh", "unit normal"),
    "tanh, Xavier": ("tanh", "Xavier"),
    "ReLU, Xavier": ("ReLU", "Xavier"),
    "ReLU, He": ("ReLU", "He"),
}

type Told = tuple[Laboratory, LabReport | str]  # a report, or why there is none


def look_into(lab: Laboratory) -> Told:
    """The report of a lab, or one sentence on why it is refused."""
    weights = lab.depth * lab.width**2
    if weights > MOST_WEIGHTS:
        return lab, (
            f"{lab.depth} layers of {lab.width} units have {weights / 1e6:.1f} million weights;"
            f" the lab draws up to {MOST_WEIGHTS / 1e6:.0f} million: take fewer layers or units."
        )
    try:
        with np.errstate(all="ignore"):  # what overflows is seen in the figures
            return lab, lab.show()
    except ValueError as error:
        return lab, str(error)


@ROOMS.register("Lab")
class Lab:
    """How the signal fares in a fresh network, while one turns its knobs."""

    def __init__(self, seat: Seat, snapshot: Snapshot) -> None:
        self._seat = seat
        self.leave: Callable[[], None] = lambda: None
        self._held = False  # while several knobs are turned as one
        self._seed = 0
        self._shown = Laboratory()
        self._build_knobs(self._shown)
        self._histograms = draw_histograms()
        self._forward = draw_sizes("lab.forward", "Deviation by layer", theme.FORWARD)
        self._backward = draw_sizes("lab.backward", "Gradient by layer", theme.BACKWARD)
        self._sources = _sources(self._histograms, self._forward, self._backward)
        self._said = HTML("", stylesheets=[theme.LESSON_CSS], sizing_mode="stretch_width")
        self._sentence = HTML("", stylesheets=[theme.LAB_SENTENCE_CSS])
        self._table = HTML("", stylesheets=[theme.LAB_TABLE_CSS], sizing_mode="stretch_both")
        self.sidebar: list[Viewable] = self._arrange_sidebar()
        self.main: Viewable | None = self._arrange_main()
        deliver = current_document().locked_callback(self._tell, policy="latest")
        self._latest: Latest[Laboratory, Told] = Latest(look_into, deliver)
        self._latest.wish(self._shown)

    def _build_knobs(self, lab: Laboratory) -> None:
        self._activation = Pick("model.activation", lab.activation, self._turned)
        self._initializer = Pick("model.initializer", lab.initializer, self._turned)
        self._depth = _slider("Layers", range(1, DEEPEST + 1), lab.depth, self._turned)
        self._width = _slider("Units in each", WIDTHS, lab.width, self._turned)

    def _arrange_sidebar(self) -> list[Viewable]:
        presets = Row(
            *(self._preset(label) for label in PRESETS),
            stylesheets=[theme.LAB_PRESETS_CSS],
            sizing_mode="stretch_width",
        )
        seed = ui.Button(label="New seed", icon="casino", variant="outlined", size="small")
        seed.on_click(lambda event: self._redraw())
        train = ui.Button(
            label="Train from here", icon="play_arrow", variant="contained", size="small"
        )
        train.on_click(lambda event: self._train())
        intro = _words(
            "<p>Random inputs through a fresh network, before any training. Drag a slider and"
            " watch. The lecture's five:</p>"
        )
        picks = [self._activation.view, self._initializer.view]
        buttons = Row(seed, train, stylesheets=[theme.LAB_PRESETS_CSS])
        return [intro, presets, *picks, self._depth, self._width, self._said, buttons]

    def _arrange_main(self) -> Viewable:
        forward, backward = "Going forward: std of the activations", "Coming back: std of gradients"
        return Column(
            Column(
                _card("Activations of each layer", self._sentence, _pane(self._histograms)),
                _card(forward, None, _pane(self._forward)),
                _card(backward, None, _pane(self._backward)),
                _card("Beside the slide", None, self._table),
                stylesheets=[theme.LAB_CSS],
                sizing_mode="stretch_both",
            ),
            stylesheets=[theme.MAIN_CSS],
            sizing_mode="stretch_both",
        )

    def _preset(self, label: str) -> Viewable:
        activation, initializer = (Choice(name) for name in PRESETS[label])
        button = ui.Button(label=label, variant="outlined", size="small", margin=0)
        button.on_click(
            lambda event: self._put(Laboratory(activation=activation, initializer=initializer))
        )
        return button

    def _put(self, lab: Laboratory) -> None:
        """Turn all knobs to this, and look once."""
        with self._as_one():
            self._activation.put(lab.activation)
            self._initializer.put(lab.initializer)
            self._depth.value, self._width.value = lab.depth, lab.width

    @contextlib.contextmanager
    def _as_one(self) -> Iterator[None]:
        self._held = True
        try:
            yield
        finally:
            self._held = False
        self._turned()

    def _redraw(self) -> None:
        self._seed += 1
        self._turned()

    @property
    def wanted(self) -> Laboratory:
        """What the knobs say."""
        return Laboratory(
            activation=self._activation.choice,
            initializer=self._initializer.choice,
            depth=self._depth.value,
            width=self._width.value,
            seed=self._seed,
        )

    def _turned(self) -> None:
        if not self._held:
            self._latest.wish(self.wanted)

    def _tell(self, told: Told) -> None:
        """Show what the worker has found."""
        lab, report = told
        if isinstance(report, str):
            self._said.object = f"<p class='fails' role='alert'>{html.escape(report)}</p>"
            return
        self._shown = lab
        self._said.object = ""
        shown = lab_columns(lab, report)
        for drawn, name in ((self._forward, "lab.forward"), (self._backward, "lab.backward")):
            frame_sizes(drawn, shown[name])
        for name, data in shown.items():
            self._sources[name].data = data
        self._sentence.object = f"<p>{in_words(lab, report)}</p>"
        self._table.object = table(report)

    def _train(self) -> None:
        """Begin a run of these layers on the visitor's data, and go where it is seen."""
        try:
            config = self.wanted.train_from_here(self._seat.latest.config)
        except ValueError as error:
            self._said.object = f"<p class='fails' role='alert'>{html.escape(str(error))}</p>"
            return
        self._seat.send(Begin(config))
        self.leave()

    def show(self, snapshot: Snapshot) -> None:
        """Nothing here follows the experiment."""


class Pick:
    """A menu, and the knobs of what is chosen; all act at once, also while they are dragged."""

    def __init__(self, path: str, choice: Choice, turned: Callable[[], None]) -> None:
        setting = SETTINGS[path]
        if not isinstance(setting.values, Registry):
            raise TypeError(f"{path} has no menu")
        self._menu, self._turned = setting.values, turned
        self._knobs: dict[Knob, Stops] = {}
        self._select = ui.Select(
            label=setting.label,
            options=list(self._menu),
            value=choice.name,
            size="small",
            margin=theme.KNOB_MARGIN,
            sizing_mode="stretch_width",
        )
        self._select.param.watch(lambda event: self._chosen(), "value")
        self.view = Column(self._select, sizing_mode="stretch_width")
        self._offer()

    @property
    def choice(self) -> Choice:
        """What is chosen, with the knobs that differ from their defaults."""
        turned = {knob.name: stops.view.value for knob, stops in self._knobs.items()}
        defaults = {knob.name: knob.default for knob in self._knobs}
        return Choice(
            self._select.value, {k: v for k, v in turned.items() if v != defaults[k]}
        )

    def put(self, choice: Choice) -> None:
        """Choose this."""
        self._select.value = choice.name
        for knob, stops in self._knobs.items():
            stops.view.value = choice.knobs.get(knob.name, knob.default)

    def _chosen(self) -> None:
        self._offer()
        self._turned()

    def _offer(self) -> None:
        name = self._select.value
        self._knobs = {knob: self._stops(name, knob) for knob in self._menu[name].knobs}
        self.view[:] = [self._select, *(stops.view for stops in self._knobs.values())]

    def _stops(self, name: str, knob: Knob) -> Stops:
        label = f"{name} {knob.name.replace('_', ' ')}"
        stops = Stops(label, "", knob.range, knob.default, lambda value: None)
        stops.view.param.watch(lambda event: self._turned(), "value")
        return stops

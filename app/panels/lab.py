"""The initialization lab: the lecture's ten layers of 500 units, with adjustable settings."""

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource
from bokeh.plotting import figure
from panel import ui
from panel.layout import Column
from panel.pane import HTML, Bokeh
from panel.viewable import Viewable

from app import palette, theme
from app.explanations.explanation import explain
from app.page.buttons import Presses, button
from app.panel_document import document_of_now
from app.panels.choice_widget import ChoiceWidget
from app.panels.lab_data import in_words, lab_columns, table
from app.panels.lab_figures import Sizes, draw_histograms
from app.panels.latest_only_worker import LatestOnly
from app.panels.panel import PANELS
from app.stylesheets import css
from app.templates import refusal
from app.weak_callback import weakly
from engine import (
    SETTINGS,
    Begin,
    Choice,
    ExperimentHandle,
    Laboratory,
    LabReport,
    Registry,
    Snapshot,
)

MOST_WEIGHTS = 5_000_000  # twice the lecture's: more would be too slow to follow a slider
EXAMPLES = 100  # inputs: more would take longer and change figures less than another seed
DEEPEST = 20
WIDTHS = (10, 20, 30, 50, 70, 100, 150, 200, 300, 400, 500, 600, 700, 800, 900, 1000)
PRESETS = {
    "tanh, 0.01": ("tanh", "small normal"),
    "tanh, 1.0": ("tanh", "unit normal"),
    "tanh, Xavier": ("tanh", "Xavier"),
    "ReLU, Xavier": ("ReLU", "Xavier"),
    "ReLU, He": ("ReLU", "He"),
}
TITLE = "Activations of each layer"
FORWARD, BACKWARD = "Going forward: std of the activations", "Coming back: std of gradients"
TRAIN = "Train from here"
BUTTONS = (
    button("lab seed", "New seed", "casino", style="outlined", word="New seed"),
    button("lab train", TRAIN, "play_arrow", style="contained", word=TRAIN),
)
RED = (
    f'<span class="key"><i style="border-color:{palette.ACCENT}"></i>exactly 0, or saturated</span>'
)
WORDS = '<span class="key">above each: layer, mean ± std</span>'

type Results = tuple[Laboratory, LabReport | str]  # a report, or the reason why there is none


def report_on(lab: Laboratory) -> Results:
    """The report of a lab, or one sentence that says why it is refused."""
    weights = lab.depth * lab.width**2
    if weights > MOST_WEIGHTS:
        return lab, (
            f"{lab.depth} layers of {lab.width} units have {weights / 1e6:.1f} million weights;"
            f" the lab draws up to {MOST_WEIGHTS / 1e6:.0f} million: take fewer layers or units."
        )
    try:
        with np.errstate(all="ignore"):  # the figures show overflow
            return lab, lab.show()
    except ValueError as error:
        return lab, str(error)


@PANELS.register("Lab")
class Lab:
    """How a signal passes a fresh network, for any activation and initializer."""

    def __init__(self, handle: ExperimentHandle, snapshot: Snapshot, presses: Presses) -> None:
        self._handle = handle
        self.leave: Callable[[], None] = lambda: None
        self._suspended = True  # until all knobs are built, and while several change together
        self._seed = 0
        self.sidebar = Column(sizing_mode="stretch_width")
        self._cards = Column(stylesheets=[css("lab")], sizing_mode="stretch_both")
        self.main: Viewable | None = Column(
            self._cards, stylesheets=[css("main")], sizing_mode="stretch_both"
        )
        deliver = document_of_now().locked_callback(self._show_result, policy="latest")
        self._latest: LatestOnly[Laboratory, Results] = LatestOnly(report_on, deliver)
        for label in PRESETS:
            presses.on(f"lab {label}", functools.partial(self._put, label))
        presses.on("lab seed", self._redraw)
        presses.on("lab train", self._train)

    def pieces(self) -> Iterator[None]:
        """The knobs, then the plots, then the first report."""
        yield from self._build_knobs(Laboratory())
        self._said, self._head = _html(""), _head(TITLE)
        yield from self._draw()
        self._suspended = False
        self._turned()

    def _build_knobs(self, lab: Laboratory) -> Iterator[None]:
        self.sidebar.append(
            _html(
                f"<p>{EXAMPLES} random inputs go through a fresh network, before any training. Drag"
                " a slider and watch. The lecture's five:</p>"
            )
        )
        presets = (button(f"lab {x}", x, style="outlined", word=x) for x in PRESETS)
        self.sidebar.append(_buttons(*presets))
        self._activation = ChoiceWidget("model.activation", lab.activation, weakly(self._turned))
        self.sidebar.append(self._activation.view)
        yield
        self._initializer = ChoiceWidget("model.initializer", lab.initializer, weakly(self._turned))
        self.sidebar.append(self._initializer.view)
        yield
        self._depth = _slider("Layers", range(1, DEEPEST + 1), lab.depth, self._turned)
        self._width = _slider("Units in each", WIDTHS, lab.width, self._turned)
        self.sidebar.extend([self._depth, self._width])
        yield

    def _draw(self) -> Iterator[None]:
        self.sidebar.extend([self._said, _buttons(*BUTTONS)])
        histograms = draw_histograms()
        self._cards.append(_card(self._head, _pane(histograms), styles=theme.LAB_WIDE))
        yield
        self._forward = Sizes("lab.forward", "Deviation by layer", palette.FORWARD)
        self._cards.append(_card(FORWARD, _pane(self._forward.figure)))
        yield
        self._backward = Sizes("lab.backward", "Gradient by layer", palette.BACKWARD)
        self._cards.append(_card(BACKWARD, _pane(self._backward.figure)))
        yield
        self._sources = _sources(histograms, self._forward.figure, self._backward.figure)
        self._table = HTML("", stylesheets=[css("lab_table")], sizing_mode="stretch_both")
        self._cards.append(_card("Beside the slide", self._table, styles=theme.LAB_TABLE))

    def _put(self, preset: str) -> None:
        """Set all knobs to a preset, and compute once."""
        if self._suspended:
            return
        activation, initializer = (Choice(name) for name in PRESETS[preset])
        lab = Laboratory(activation=activation, initializer=initializer)
        with self._as_one():
            self._activation.put(lab.activation)
            self._initializer.put(lab.initializer)
            self._depth.value, self._width.value = lab.depth, lab.width

    @contextlib.contextmanager
    def _as_one(self) -> Iterator[None]:
        self._suspended = True
        try:
            yield
        finally:
            self._suspended = False
        self._turned()

    def _redraw(self) -> None:
        """Draw new weights from the same initializer."""
        self._seed += 1
        self._turned()

    @property
    def wanted(self) -> Laboratory:
        """The lab that the knobs describe."""
        return Laboratory(
            activation=self._activation.choice,
            initializer=self._initializer.choice,
            depth=self._depth.value,
            width=self._width.value,
            examples=EXAMPLES,
            seed=self._seed,
        )

    def _turned(self) -> None:
        if not self._suspended:
            self._latest.request(self.wanted)

    def _show_result(self, results: Results) -> None:
        """Show the worker's result."""
        lab, report = results
        if isinstance(report, str):
            self._said.object = refusal(report)
            return
        self._said.object = ""
        shown = lab_columns(lab, report)
        self._forward.frame(shown["lab.forward"])
        self._backward.frame(shown["lab.backward"])
        for name, data in shown.items():
            self._sources[name].data = data
        text = f'<span class="told">{in_words(lab, report)}</span>'
        self._head.object = _headline(TITLE, text + RED + WORDS)
        self._table.object = table(report)

    def _train(self) -> None:
        """Start a run of these layers on the visitor's data, and show its plots."""
        if self._suspended:
            return
        try:
            config = self.wanted.train_from_here(self._handle.latest.config)
        except ValueError as error:
            self._said.object = refusal(error)
            return
        self._handle.send(Begin(config))
        self.leave()

    def show(self, snapshot: Snapshot) -> None:
        """Nothing here follows the experiment."""


def _sources(*figures: figure) -> dict[str, ColumnDataSource]:
    """The sources of the plots, by name."""
    models = [model for drawn in figures for model in drawn.select(ColumnDataSource)]
    return {str(m.name): m for m in models if isinstance(m, ColumnDataSource)}


def _slider(
    label: str, stops: Iterable[int], value: int, turned: Callable[[], None]
) -> ui.DiscreteSlider:
    slider = ui.DiscreteSlider(
        label=label,
        options=list(stops),
        value=value,
        size="small",
        margin=theme.KNOB_MARGIN,
        sx=theme.SLIDER_SX,
        sizing_mode="stretch_width",
    )
    slider.param.watch(lambda event: turned(), "value")
    return slider


def _buttons(*buttons: str) -> HTML:
    sheets = [css("buttons"), css("button_row")]
    return HTML("".join(buttons), stylesheets=sheets, sizing_mode="stretch_width")


def _pane(drawn: figure) -> Viewable:
    return Bokeh(drawn, sizing_mode="stretch_both")


def _headline(title: str, more: str = "") -> str:
    return f'<div class="headline"><h2>{title}</h2>{more}</div>'


def _card(headline: str | HTML, body: Viewable, **options: Any) -> Viewable:
    head = _head(headline) if isinstance(headline, str) else headline
    return Column(head, body, stylesheets=[css("card")], sizing_mode="stretch_both", **options)


def _head(title: str) -> HTML:
    return HTML(_headline(title), stylesheets=[css("headline")], sizing_mode="stretch_width")


def _html(text: str) -> HTML:
    return HTML(text, stylesheets=[css("panel")], sizing_mode="stretch_width")


explain(
    ("tab Lab", "panel Lab"),
    "Lab",
    "How a signal passes a fresh network of up to twenty layers, for any activation and"
    " initializer."
    " Nothing is trained: it is the lecture's experiment of ten layers of 500 units.",
    healthy="The same standard deviation in every layer, forward and back.",
    moved_by="The initializer and the activation.",
    lesson="he-and-relu",
)
explain(
    "button lab *",
    "One of the lecture's five",
    "Sets activation and initializer as on a slide of the lecture, with ten layers of 500 units.",
    lesson="too-small-collapse",
)
explain(
    "button lab seed",
    "New seed",
    "Draws other weights by the same initializer. What changes then is chance.",
)
explain(
    "button lab train",
    TRAIN,
    "Begins a run with these layers on your data, and shows its plots.",
)
explain(
    "field Lab Layers",
    "Layers",
    "How many layers the signal passes. A factor for each layer is multiplied by itself so often.",
    lesson="too-small-collapse",
)
explain(
    "field Lab Units in each",
    "Units in each",
    "How many units each layer has. The more there are, the closer the figures come to the theory.",
)
explain(
    "field Lab Figures",
    "Beside the slide",
    "Mean and standard deviation of each layer, as computed here.",
    lesson="xavier-and-tanh",
)


SUMMARIES = {
    "model.activation": "The nonlinearity of each unit.",
    "model.initializer": "How weights are drawn.",
}


def _explain_menus() -> None:
    """The two menus of the lab, and the knobs of their entries."""
    for path in SUMMARIES:
        setting = SETTINGS[path]
        explain(
            f"field Lab {setting.label}",
            setting.label,
            SUMMARIES[path],
            healthy=setting.usual,
            lesson=setting.lesson,
        )
        entries = setting.values.values() if isinstance(setting.values, Registry) else ()
        for entry in entries:
            for knob in entry.knobs:
                label = f"{entry.name} {knob.name.replace('_', ' ')}"
                explain(f"field Lab {label}", label, knob.meaning, lesson=setting.lesson)


_explain_menus()

"""The widgets that turn an experiment's knobs, generated from what the engine says of itself.

A widget only sends a command; what it shows follows from the experiment's config.
"""

import math
from collections.abc import Callable, Iterator

from panel import ui
from panel.layout import Column
from panel.pane import HTML
from panel.viewable import Viewable

from app import theme
from engine import (
    SETTINGS,
    Choice,
    Command,
    Effect,
    Knob,
    Range,
    Registry,
    RunConfig,
    SetKnob,
    Stack,
)

type Send = Callable[[Command], None]

MANTISSAS = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)  # of the stops of a log scale, ten a decade
LINEAR_STOPS = 50
GROUPS = {"data": "Data", "model": "Network", "optimization": "Training"}
FACES = {Effect.LIVE: "live", Effect.REDRAW: "re-draws", Effect.NEW_RUN: "new run"}


class Controls:
    """All controls of one experiment."""

    def __init__(self, send: Send, config: RunConfig) -> None:
        self._groups = {group: Column(sizing_mode="stretch_width") for group in GROUPS}
        self._settings = []
        for path in SETTINGS:
            control = _control(path, send, config)
            self._settings.append(control)
            self._groups[path.partition(".")[0]].append(control.view)

    @property
    def views(self) -> Iterator[Viewable]:
        """A heading and the controls under it, group by group."""
        for group, title in GROUPS.items():
            yield HTML(title, stylesheets=[theme.HEADING_CSS])
            yield self._groups[group]

    def show(self, config: RunConfig) -> None:
        """Make every control say what `config` says, without sending anything."""
        for control in self._settings:
            control.show(config)


def _control(path: str, send: Send, config: RunConfig) -> "_Menu | _Slider | _Words":
    setting = SETTINGS[path]
    label = f"{setting.label} · {FACES[setting.effect]}"
    tip = f"{setting.summary} A change {setting.effect.value}."
    if isinstance(setting.values, Registry):
        return _Menu(path, label, tip, setting.values, send, config)
    if isinstance(setting.values, Stack):
        return _Words(path, label, tip, setting.values, send, config)
    return _Slider(path, label, tip, setting.values, send, config)


class _Words:
    """A field for a row of layers, such as 64, 64; it acts on Enter, or when it is left."""

    def __init__(
        self, path: str, label: str, tip: str, values: Stack, send: Send, config: RunConfig
    ) -> None:
        self._path, self._values, self._send = path, values, send
        self._shown = values.write(config.value(path))
        self.view = ui.TextInput(
            label=label,
            value=self._shown,
            placeholder=f"such as {values.example}",
            description=tip,
            size="small",
            sizing_mode="stretch_width",
        )
        self.view.param.watch(self._written, "value")

    def _written(self, event: object) -> None:
        if self.view.value != self._shown:
            self._send(SetKnob(self._path, self.view.value))

    def show(self, config: RunConfig) -> None:
        self._shown = self._values.write(config.value(self._path))
        self.view.value = self._shown


class _Slider:
    """A slider for one number of the config."""

    def __init__(
        self, path: str, label: str, tip: str, values: Range, send: Send, config: RunConfig
    ) -> None:
        self._path = path
        value = config.value(path)
        self._stops = _Stops(label, tip, values, value, lambda new: send(SetKnob(path, new)))
        self.view = self._stops.view

    def show(self, config: RunConfig) -> None:
        self._stops.show(config.value(self._path))


class _Menu:
    """A menu for one choice of the config, and the knobs of the entry that is chosen."""

    def __init__(
        self,
        path: str,
        label: str,
        tip: str,
        registry: Registry[object],
        send: Send,
        config: RunConfig,
    ) -> None:
        self._path, self._tip, self._registry, self._send = path, tip, registry, send
        self._shown: Choice | None = None
        self._knobs: dict[str, _Stops] = {}
        self._select = ui.Select(
            label=label,
            options=list(registry),
            value=config.value(path).name,
            description=tip,
            size="small",
            sizing_mode="stretch_width",
        )
        self._select.param.watch(self._choose, "value")
        self.view = Column(self._select, sizing_mode="stretch_width")
        self.show(config)

    def _choose(self, event: object) -> None:
        if self._shown is None or self._select.value != self._shown.name:
            self._send(SetKnob(self._path, Choice(self._select.value)))

    def show(self, config: RunConfig) -> None:
        choice = config.value(self._path)
        knobs = self._registry[choice.name].knobs
        if self._shown is None or choice.name != self._shown.name:
            self._shown = choice
            summary = self._registry[choice.name].summary
            self._select.param.update(
                value=choice.name, description=f"{choice.name}: {summary} {self._tip}"
            )
            self._knobs = {knob.name: self._knob(knob, choice) for knob in knobs}
            self.view[:] = [self._select, *(knob.view for knob in self._knobs.values())]
        self._shown = choice
        for knob in knobs:
            self._knobs[knob.name].show(choice.knobs.get(knob.name, knob.default))

    def _knob(self, knob: Knob, choice: Choice) -> "_Stops":
        def turn(value: float) -> None:
            now = self._shown or choice  # with its other knobs as they are by then
            self._send(SetKnob(self._path, Choice(now.name, {**now.knobs, knob.name: value})))

        value = choice.knobs.get(knob.name, knob.default)
        label = f"{choice.name} {knob.name.replace('_', ' ')}"
        return _Stops(label, "", knob.range, value, turn)


class _Stops:
    """A slider over the round values of a range; it acts when it is let go."""

    def __init__(
        self, label: str, tip: str, values: Range, value: float, turn: Callable[[float], None]
    ) -> None:
        self._turn = turn
        self._shown = value
        whole = isinstance(value, int)
        self._options = {_plain(stop): stop for stop in sorted({*_stops(values, whole), value})}
        self.view = ui.DiscreteSlider(
            label=label,
            options=self._options,
            value=value,
            description=tip,
            size="small",
            sizing_mode="stretch_width",
        )
        self.view.param.watch(self._released, "value_throttled")

    def _released(self, event: object) -> None:
        if self.view.value != self._shown:
            self._turn(self.view.value)

    def show(self, value: float) -> None:
        if value == self._shown and value == self.view.value:
            return
        self._shown = value
        if value not in self._options.values():
            stops = sorted({*self._options.values(), value})
            self._options = {_plain(stop): stop for stop in stops}
            self.view.options = self._options
        self.view.value = value


def _stops(values: Range, whole: bool) -> list[float]:
    """The values that a slider over this range stops at."""
    if values.scale == "linear":
        width = values.high - values.low
        stops = [round(values.low + width * n / LINEAR_STOPS, 6) for n in range(LINEAR_STOPS + 1)]
    elif whole:
        stops = [2**n for n in range(math.floor(math.log2(values.high)) + 1)]
    else:
        decades = range(math.floor(math.log10(values.low)), math.ceil(math.log10(values.high)) + 1)
        stops = [float(f"{m}e{decade}") for decade in decades for m in MANTISSAS]
    inside = [stop for stop in stops if values.low <= stop <= values.high]
    return [0, *inside] if values.zero else inside


def _plain(value: float) -> str:
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:g}"
    return f"{value:.1e}".replace(".0e", "e").replace("e-0", "e-").replace("e+0", "e")

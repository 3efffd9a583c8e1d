"""The widgets for one setting each: a menu, a slider, or words for a row of layers."""

import math
from collections.abc import Callable
from typing import Protocol

from panel import ui
from panel.layout import Column, Row
from panel.pane import HTML
from panel.viewable import Viewable

from app import theme
from app.page.buttons import Presses, button
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
    Setting,
    Stack,
)

type Send = Callable[[Command], None]

MANTISSAS = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)  # of the stops of a log scale, ten a decade
LINEAR_STOPS = 50
FACES = {Effect.LIVE: "live", Effect.REDRAW: "re-draws", Effect.NEW_RUN: "new run"}


class Control(Protocol):
    """A widget that turns one setting."""

    @property
    def view(self) -> Viewable:
        """Where it is in the page."""

    def show(self, config: RunConfig) -> None:
        """Say what `config` says, without sending anything."""


def control(path: str, send: Send, config: RunConfig, presses: Presses) -> Control:
    """The control for the setting at `path`: its kind follows from what the setting can be."""
    values = SETTINGS[path].values
    if isinstance(values, Registry):
        return Menu(path, values, send, config)
    if isinstance(values, Stack):
        return Words(path, values, send, config, presses)
    return Slider(path, values, send, config)


def _face(setting: Setting) -> str:
    return f"{setting.label} · {FACES[setting.effect]}"


def _tip(setting: Setting) -> str:
    return f"{setting.summary} A change {setting.effect.value}."


class Words:
    """A field for a row of layers, such as 64, 64; it acts on Enter, or when it is left.

    Two buttons beside it add a layer like the last one, and take the last one away.
    """

    def __init__(
        self, path: str, values: Stack, send: Send, config: RunConfig, presses: Presses
    ) -> None:
        self._path, self._values, self._send = path, values, send
        self._shown = values.write(config.value(path))
        setting = SETTINGS[path]
        self._field = ui.TextInput(
            label=_face(setting),
            value=self._shown,
            placeholder=f"such as {values.example}",
            description=_tip(setting),
            size="small",
            margin=theme.KNOB_MARGIN,
            sizing_mode="stretch_width",
        )
        self._field.param.watch(self._written, "value")
        several = setting.label.lower()
        presses.on(f"fewer {path}", self._remove)
        presses.on(f"further {path}", self._add)
        buttons = (
            button(f"fewer {path}", f"Fewer {several}", "remove"),
            button(f"further {path}", f"More {several}", "add"),
        )
        self.view = Row(
            self._field,
            HTML("".join(buttons), stylesheets=[theme.BUTTONS_CSS], margin=0, align="center"),
            stylesheets=[theme.KNOBS_CSS],
            sizing_mode="stretch_width",
        )

    def _written(self, event: object) -> None:
        if self._field.value != self._shown:
            self._send(SetKnob(self._path, self._field.value))

    def _add(self) -> None:
        layers = self._values.read(self._shown)
        self._put((*layers, layers[-1] if layers else self._values.read(self._values.example)[0]))

    def _remove(self) -> None:
        self._put(self._values.read(self._shown)[:-1])

    def _put(self, layers: tuple[object, ...]) -> None:
        """At once, so that a second click counts from here; the engine may still refuse."""
        words = self._values.write(layers)
        if words != self._shown:
            self._shown = words
            self._field.value = words
            self._send(SetKnob(self._path, words))

    def show(self, config: RunConfig) -> None:
        self._shown = self._values.write(config.value(self._path))
        self._field.value = self._shown


class Slider:
    """A slider for one number of the config."""

    def __init__(self, path: str, values: Range, send: Send, config: RunConfig) -> None:
        self._path = path
        value, setting = config.value(path), SETTINGS[path]
        self.stops = Stops(
            _face(setting), _tip(setting), values, value, lambda new: send(SetKnob(path, new))
        )
        self.view = self.stops.view
        self.view.tags = [path]  # by which app/static/dragging.js finds it

    def show(self, config: RunConfig) -> None:
        self.stops.show(config.value(self._path))


class Menu:
    """A menu for one choice of the config, and the knobs of the entry that is chosen."""

    def __init__(
        self, path: str, registry: Registry[object], send: Send, config: RunConfig
    ) -> None:
        self._path, self._registry, self._send = path, registry, send
        self._tip = _tip(SETTINGS[path])
        self._shown: Choice | None = None
        self._knobs: dict[str, Stops] = {}
        self._options = {name: name for name in registry}
        self._select = ui.Select(
            label=_face(SETTINGS[path]),
            options=self._options,
            value=config.value(path).name,
            description=self._tip,
            size="small",
            margin=theme.KNOB_MARGIN,
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
            self._offer(choice.name)
            summary = self._registry[choice.name].summary
            self._select.param.update(
                value=choice.name, description=f"{choice.name}: {summary} {self._tip}"
            )
            self._knobs = {knob.name: self._knob(knob, choice) for knob in knobs}
            self.view[:] = [self._select, *(knob.view for knob in self._knobs.values())]
        self._shown = choice
        for knob in knobs:
            self._knobs[knob.name].show(choice.knobs.get(knob.name, knob.default))

    def _offer(self, name: str) -> None:
        """Have it among the options, though it is a visitor's own and on nobody else's menu."""
        if name not in self._options.values():
            self._options = {**self._options, f"{name.partition(' #')[0]} (yours)": name}
            self._select.options = self._options

    def _knob(self, knob: Knob, choice: Choice) -> "Stops":
        def turn(value: float) -> None:
            now = self._shown or choice  # with its other knobs as they are by then
            self._send(SetKnob(self._path, Choice(now.name, {**now.knobs, knob.name: value})))

        value = choice.knobs.get(knob.name, knob.default)
        label = f"{choice.name} {knob.name.replace('_', ' ')}"
        return Stops(label, "", knob.range, value, turn)


class Stops:
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
            margin=theme.KNOB_MARGIN,
            sx=theme.SLIDER_SX,
            sizing_mode="stretch_width",
        )
        self.view.param.watch(self._released, "value_throttled")

    def move(self, by: int) -> None:
        """Turn it by so many stops, as far as it goes."""
        stops = list(self._options.values())
        to = min(max(stops.index(self._shown) + by, 0), len(stops) - 1)
        if stops[to] != self._shown:
            self.show(stops[to])
            self._turn(stops[to])

    def _released(self, event: object) -> None:
        if self.view.value != self._shown:
            self._turn(self.view.value)

    def show(self, value: float) -> None:
        """Stand at this value, without turning anything."""
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
        powers = [2**n for n in range(math.floor(math.log2(values.high)) + 1)]
        stops = sorted({*powers, math.ceil(values.low), math.floor(values.high)})
    else:
        decades = range(math.floor(math.log10(values.low)), math.ceil(math.log10(values.high)) + 1)
        stops = [float(f"{m}e{decade}") for decade in decades for m in MANTISSAS]
    inside = [stop for stop in stops if values.low <= stop <= values.high]
    return [0, *inside] if values.zero else inside


def _plain(value: float) -> str:
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:g}"
    return f"{value:.1e}".replace(".0e", "e").replace("e-0", "e-").replace("e+0", "e")

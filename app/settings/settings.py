"""The settings of a run as one param object, for the page and for notebooks.

Setting a parameter sends a command: on the page by way of the timeline, which addresses it to run A
or B, to the visitor's experiment. The resulting config comes back by `show`, which sends nothing.
A hyperparameter that the chosen entry does not have, such as `optimizer_beta1` for plain SGD, keeps
its value and cannot be set.

    settings = Settings.of(experiment)
    settings.learning_rate = 0.1
"""

from collections.abc import Callable, Mapping
from typing import Any

import param

from app.settings.parameters import (
    ORDER,
    OUT_OF_USE,
    PLACES,
    Place,
    Value,
    bounds_of,
    parameter,
    range_of,
    value_of,
)
from app.settings.stops import moved
from engine import Choice, Command, Experiment, Range, RunConfig, SetKnob

type Send = Callable[[Command], None]


class Settings(param.Parameterized):
    """All settings of one run; an illegal value raises ValueError and changes nothing."""

    def __init__(self, send: Send, config: RunConfig) -> None:
        super().__init__()
        self._send = send
        self._showing = False  # while it takes over a config, and sends nothing
        self._follow(config)
        self.param.watch(self._send_changes, list(PLACES))

    @classmethod
    def of(cls, experiment: Experiment) -> "Settings":
        """Settings that steer an experiment in this program, and follow its config."""

        def send(command: Command) -> None:
            experiment.apply(command)
            settings.show(experiment.config)

        settings = cls(send, experiment.config)
        return settings

    def show(self, config: RunConfig) -> None:
        """Set every parameter to its value in `config`, without sending anything."""
        if config != self.config:
            self._follow(config)

    def set_text(self, name: str, text: str) -> None:
        """Set a parameter from text."""
        place = PLACES[name]
        if place.entries and not place.knob:
            place.entries.check(Choice(text))
        values = range_of(place, self.config)
        value = text if values is None else _read(text, values)
        if values and (refusal := values.refusal(value)):
            raise ValueError(f"{self.param[name].label} {refusal}")
        setattr(self, name, value)

    def nudge(self, name: str, by: int) -> None:
        """Move a number by so many stops of its slider, within its range."""
        if values := range_of(PLACES[name], self.config):
            setattr(self, name, moved(getattr(self, name), by, values))

    def _send_changes(self, *events: param.parameterized.Event) -> None:
        if self._showing:
            return
        before = self.config
        try:
            for event in events:
                command = self._command(PLACES[event.name], event.new)
                self.show(self.config.replace(command.path, command.value))
                self._send(command)
        except ValueError:
            self._put({event.name: event.old for event in events})
            self._follow(before)
            raise

    def _follow(self, config: RunConfig) -> None:
        self.config = config
        for name, place in PLACES.items():
            self._fit(name, place)
        values = {name: value_of(place, config) for name, place in PLACES.items()}
        self._put({name: value for name, value in values.items() if value is not None})

    def _put(self, values: Mapping[str, Value]) -> None:
        """Set parameters without sending anything."""
        self._showing = True
        try:
            self.param.update(**values)
        finally:
            self._showing = False

    def _command(self, place: Place, value: Any) -> SetKnob:
        """The command that gives a parameter this value and keeps all others."""
        if place.knob:
            now = self.config.value(place.path)
            return SetKnob(place.path, Choice(now.name, {**now.knobs, place.knob: value}))
        return SetKnob(place.path, Choice(value) if place.entries else value)

    def _fit(self, name: str, place: Place) -> None:
        """Adapt a parameter's legal values to the chosen entry."""
        if place.entries is None:
            return
        here: Any = self.param[name]
        if not place.knob:
            chosen = self.config.value(place.path).name
            if chosen not in here.objects:  # a data set of the visitor's own
                here.objects = [*here.objects, chosen]
            return
        values: Range | None = range_of(place, self.config)
        here.precedence = ORDER[name] if values else OUT_OF_USE
        if values:
            here.bounds = bounds_of(values)


def _read(text: str, values: Range) -> float | str:
    """The number in a text; other text unchanged."""
    try:
        number = float(text.replace(",", ""))
    except ValueError:
        return text
    return int(number) if values.whole and number.is_integer() else number


for _name in PLACES:
    Settings.param.add_parameter(_name, parameter(_name))

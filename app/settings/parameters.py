"""The parameters of `Settings`, generated from the engine's description of its settings.

There is one for each setting, named by the last part of its path, such as `learning_rate`, and one
for each hyperparameter of a menu's entries, such as `optimizer_beta1`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import param

from engine import SETTINGS, Entry, Knob, Range, Registry, RunConfig, Stack

type Value = float | str

OUT_OF_USE = -1  # the precedence of a parameter that Panel does not show


@dataclass(frozen=True)
class Place:
    """The place of a parameter's value in a config."""

    path: str
    knob: str = ""  # a hyperparameter of the chosen entry; empty: the setting itself

    @property
    def entries(self) -> Registry[Any] | None:
        """The menu of the setting, if it has one."""
        values = SETTINGS[self.path].values
        return values if isinstance(values, Registry) else None


def _places() -> Iterator[tuple[str, Place]]:
    for path in SETTINGS:
        name = path.partition(".")[2]
        yield name, Place(path)
        knobs = [knob.name for entry in _entries(Place(path)) for knob in entry.knobs]
        for knob in dict.fromkeys(knobs):
            yield f"{name}_{knob}", Place(path, knob)


def _entries(place: Place) -> list[Entry[Any]]:
    return list((place.entries or {}).values())


PLACES: Mapping[str, Place] = dict(_places())  # by parameter name
ORDER = {name: order for order, name in enumerate(PLACES)}  # in which Panel shows them


def value_of(place: Place, config: RunConfig) -> Value | None:
    """The value in a config, as the parameter has it: the name of an entry, layers as text.

    None if the chosen entry has no such hyperparameter.
    """
    value, values = config.value(place.path), SETTINGS[place.path].values
    if place.knob:
        knob = knob_of(place, config)
        if knob is None:
            return None
        number: float = value.knobs.get(knob.name, knob.default)
        return int(number) if knob.range.whole else number  # 300.0 from JSON is 300
    if isinstance(values, Stack):
        return values.write(value)
    name: Value = value.name if place.entries else value
    return name


def knob_of(place: Place, config: RunConfig) -> Knob | None:
    """The knob of a parameter, if the chosen entry has it."""
    if place.entries is None:
        return None
    knobs = place.entries[config.value(place.path).name].knobs
    return next((knob for knob in knobs if knob.name == place.knob), None)


def range_of(place: Place, config: RunConfig) -> Range | None:
    """The current legal range of a parameter; None if it is not a number now."""
    if place.knob:
        knob = knob_of(place, config)
        return knob.range if knob else None
    values = SETTINGS[place.path].values
    return values if isinstance(values, Range) else None


def bounds_of(values: Range) -> tuple[float, float]:
    """The smallest and the largest number of a range."""
    return (0 if values.zero else values.low), values.high


def parameter(name: str) -> param.Parameter[Any]:
    """The param parameter of a setting, or of a hyperparameter."""
    place = PLACES[name]
    setting = SETTINGS[place.path]
    options: dict[str, Any] = {
        "default": value_of(place, RunConfig()),
        "doc": f"{setting.summary} A change {setting.effect.value}.",
        "label": setting.label,
        "precedence": ORDER[name],
    }
    if place.knob:
        options["label"] = f"{setting.label}: {place.knob.replace('_', ' ')}"
        options["default"] = _knobs(place)[0].default
        return _number(_any_of(place), **options)
    if isinstance(setting.values, Range):
        return _number(setting.values, **options)
    if isinstance(setting.values, Registry):
        return param.Selector(objects=list(setting.values), **options)
    return param.String(**options)


def _number(values: Range, **options: Any) -> param.Parameter[Any]:
    low, high = bounds_of(values)
    if values.whole:
        return param.Integer(bounds=(int(low), int(high)), **options)
    return param.Number(bounds=(low, high), **options)


def _knobs(place: Place) -> list[Knob]:
    """The knobs of all entries that share a parameter."""
    return [knob for entry in _entries(place) for knob in entry.knobs if knob.name == place.knob]


def _any_of(place: Place) -> Range:
    """The union of the knob's ranges over all entries."""
    knobs = _knobs(place)
    return Range(
        min(bounds_of(knob.range)[0] for knob in knobs),
        max(knob.range.high for knob in knobs),
        whole=all(knob.range.whole for knob in knobs),
    )

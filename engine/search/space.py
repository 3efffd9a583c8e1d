"""The search space: axes over settings of a config, on each of which a place is from 0 to 1.

An axis is named by the path of its setting, such as "optimization.l2", or of a knob of the entry
chosen there, such as "optimization.optimizer.mu".
"""

import math
from collections.abc import Sequence
from typing import Literal

import msgspec

from engine.number_format import written
from engine.registry import Choice, Knob, Range, Registry
from engine.suggestions import instead_of, quoted
from engine.training.config import SETTINGS, RunConfig
from engine.training.layer_specs import Stack

type Value = float | Choice | str  # text: a row of layers, such as "64, 64"


class Continuous(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="span"):
    """All numbers between two; on a log scale each power of ten is equally likely.

    A whole number stands for all numbers that round to it, also at the ends: 1 to 4 is 0.5 to 4.5.
    """

    path: str
    low: float
    high: float
    scale: Literal["log", "linear"] = "log"
    whole: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(
                f"{self.path} must go from a number to a larger one,"
                f" got {written(self.low)} to {written(self.high)}"
            )
        if self.scale == "log" and self.low <= 0:
            raise ValueError(f"{self.path} on a log scale must be above 0, got {written(self.low)}")
        if self.whole and not (self.low.is_integer() and self.high.is_integer()):
            raise ValueError(
                f"{self.path} must go from a whole number to another,"
                f" got {written(self.low)} to {written(self.high)}"
            )

    @property
    def _ends(self) -> tuple[float, float]:
        """The values at 0 and at 1."""
        return (self.low - 0.5, self.high + 0.5) if self.whole else (self.low, self.high)

    def at(self, place: float) -> float:
        """The value at a place from 0 to 1; the range is extrapolated beyond."""
        low, high = self._ends
        value = low * (high / low) ** place if self.scale == "log" else low + (high - low) * place
        if self.whole:
            value = float(math.floor(value + 0.5))
        if 0 <= place <= 1:
            value = min(max(value, self.low), self.high)  # corrects rounding errors
        return value

    def place(self, value: Value) -> float:
        """The place of a value; whole numbers lie within its ends, others from 0 to 1."""
        number, (low, high) = _plain_number(value), self._ends
        if self.scale == "log":
            return math.log(number / low) / math.log(high / low)
        return (number - low) / (high - low)


class Categorical(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="pick"):
    """One of several values: entries of a menu, layers, or numbers."""

    path: str
    options: tuple[Value, ...]

    def __post_init__(self) -> None:
        if not self.options:
            raise ValueError(f"{self.path} needs at least one option")
        for i, option in enumerate(self.options):
            if option in self.options[:i]:
                raise ValueError(f"{self.path} has the option {in_words(option)} twice")

    def at(self, place: float) -> Value:
        """The option at a place from 0 to 1."""
        return self.options[min(max(int(place * len(self.options)), 0), len(self.options) - 1)]

    def place(self, value: Value) -> float:
        """The middle of the interval that belongs to an option."""
        return (self.options.index(value) + 0.5) / len(self.options)


type Axis = Continuous | Categorical

# The slides' axes, both log-uniform.
RATE = Continuous("optimization.learning_rate", 1e-6, 1e-3)
DECAY = Continuous("optimization.l2", 1e-5, 1e5)


def axis_of(path: str, base: RunConfig) -> Axis:
    """The whole range of a setting or knob, or all entries of a menu; ValueError: it has none."""
    span = allowed(path, base)
    if span is not None:
        return Continuous(path, span.low, span.high, span.scale, span.whole)
    values = SETTINGS[path].values
    if isinstance(values, Registry):
        return Categorical(path, tuple(Choice(name) for name in values))
    raise ValueError(f"{path} has no range of its own: list its options")


def allowed(path: str, base: RunConfig) -> Range | None:
    """The legal numbers of a setting or knob; None if it is not a number."""
    setting, knob = _parts(path)
    values = SETTINGS[setting].values
    if knob:
        return _knob(values, base.value(setting), knob).range
    return values if isinstance(values, Range) else None


def label_of(path: str) -> str:
    """The label of the setting or knob."""
    setting, knob = _parts(path)
    return f"{SETTINGS[setting].label}: {knob}" if knob else SETTINGS[setting].label


def in_words(value: Value) -> str:
    """A value of an axis as text."""
    if isinstance(value, Choice):
        knobs = ", ".join(f"{name} {written(number)}" for name, number in value.knobs.items())
        return f"{value.name} ({knobs})" if knobs else value.name
    return value if isinstance(value, str) else f"{written(value, 3)}"


def changed(config: RunConfig, path: str, value: Value) -> RunConfig:
    """The config with the setting or knob set to `value`."""
    setting, knob = _parts(path)
    if not knob:
        return config.replace(setting, value)
    chosen = config.value(setting)
    _knob(SETTINGS[setting].values, chosen, knob)
    return config.replace(
        setting, Choice(chosen.name, {**chosen.knobs, knob: _plain_number(value)})
    )


def at_places(config: RunConfig, space: Sequence[Axis], point: Sequence[Value]) -> RunConfig:
    """The config at a point of the space, one value per axis."""
    for one, value in zip(space, point, strict=True):
        config = changed(config, one.path, value)
    return config


def _parts(path: str) -> tuple[str, str]:
    setting = ".".join(path.split(".")[:2])
    if setting not in SETTINGS:
        raise ValueError(f"unknown setting {quoted(path)}; {instead_of(path, SETTINGS)}")
    return setting, path[len(setting) + 1 :]


def _knob(values: Registry[object] | Range | Stack, chosen: object, name: str) -> Knob:
    if isinstance(values, Registry) and isinstance(chosen, Choice):
        knobs = {knob.name: knob for knob in values[chosen.name].knobs}
        if name in knobs:
            return knobs[name]
        known = ", ".join(knobs) or "none"
        raise ValueError(f"{values.kind} {chosen.name!r} has no knob {name!r}; it has: {known}")
    raise ValueError(f"only an entry of a menu has knobs, got {name!r} of a number")


def _plain_number(value: Value) -> float:
    if isinstance(value, int | float):
        return float(value)
    raise ValueError(f"expected a number, got {in_words(value)}")

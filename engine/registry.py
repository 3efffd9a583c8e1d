"""Menus that describe themselves: names, summaries and hyperparameters are read from the code.

A menu's entry is an ordinary function or frozen dataclass. Its first docstring line is its summary;
every keyword-only parameter annotated with a `Range` is one of its knobs, and a sentence behind the
range says what it does:

    @ACTIVATIONS.register("leaky ReLU")
    @dataclass(frozen=True, kw_only=True)
    class LeakyReLU:
        \"\"\"max(slope x, x): a small slope on the left, so that no unit dies (Maas 2013).\"\"\"
        slope_below: Annotated[float, Range(0.0, 0.5), "How much passes below 0."] = 0.01
"""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, ValuesView
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast, get_args, get_origin, get_type_hints

import msgspec

from engine.number_format import written
from engine.suggestions import instead_of, quoted


@dataclass(frozen=True)
class Range:
    """The legal values of a knob."""

    low: float
    high: float
    scale: Literal["linear", "log"] = "linear"
    zero: bool = False  # exactly 0 is legal too, although a log scale has none
    whole: bool = False  # only whole numbers

    def refusal(self, value: object) -> str | None:
        """Why `value` is not in the range, or None when it is."""
        if isinstance(value, int | float) and not isinstance(value, bool) and self._holds(value):
            return None
        kind = "whole number" if self.whole else "number"
        allowed = f"a {kind} from {written(self.low)} to {written(self.high)}" + (
            " or 0" if self.zero else ""
        )
        return f"must be {allowed}, got {quoted(value)}"

    def _holds(self, value: float) -> bool:
        # A whole number of a link can be larger than any float, to which it is compared as it is.
        inside = self.low <= value <= self.high or (self.zero and value == 0)
        return inside and (not self.whole or value == int(value))


@dataclass(frozen=True)
class Knob:
    """One adjustable number of an entry: a hyperparameter."""

    name: str
    range: Range
    default: float
    meaning: str = ""  # a sentence for a learner


@dataclass(frozen=True)
class Entry[T]:
    """One entry of a menu."""

    name: str
    summary: str
    knobs: tuple[Knob, ...]
    make: Callable[..., Any]


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry of a menu by its name, with the knobs that differ from their defaults."""

    name: str
    knobs: dict[str, float] = {}

    def __hash__(self) -> int:
        return hash((self.name, frozenset(self.knobs.items())))


class Registry[T](Mapping[str, Entry[T]]):
    """A named menu of interchangeable parts, such as all optimizers."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, Entry[T]] = {}
        self._guests: dict[str, Entry[T]] = {}  # entries that the menu does not list

    def register[F](self, name: str) -> Callable[[F], F]:
        """Add the decorated function or class to the menu as `name`; refuses one that is taken."""
        if name in self._entries:
            raise ValueError(f"{self.kind} {name!r} is registered twice")

        def add(make: F) -> F:
            self._entries[name] = _entry(name, make)
            return make

        return add

    def remove(self, name: str) -> None:
        """Remove an entry, so that a notebook can register a changed one under its name."""
        del self._entries[name]

    def admit(self, name: str, make: Callable[..., Any]) -> None:
        """Add an unlisted entry, which can be chosen only by its name."""
        self._guests[name] = _entry(name, make)

    def dismiss(self, name: str) -> None:
        """Remove an unlisted entry."""
        del self._guests[name]

    def __getitem__(self, name: str) -> Entry[T]:
        entry = self._entries.get(name) or self._guests.get(name)
        if entry is None:
            known = instead_of(name, self._entries)
            raise ValueError(f"unknown {self.kind} {quoted(name)}; {known}")
        return entry

    def __contains__(self, name: object) -> bool:
        return name in self._entries or name in self._guests

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def values(self) -> ValuesView[Entry[T]]:
        """The entries; quicker than by their names."""
        return self._entries.values()

    def __len__(self) -> int:
        return len(self._entries)

    def check(self, choice: Choice) -> None:
        """Raise ValueError unless `choice` names an entry and legal values of its knobs."""
        knobs = {knob.name: knob for knob in self[choice.name].knobs}
        for name, value in choice.knobs.items():
            if name not in knobs:
                known = ", ".join(knobs) or "none"
                raise ValueError(
                    f"{self.kind} {choice.name!r} has no knob {quoted(name)}; it has: {known}"
                )
            if refusal := knobs[name].range.refusal(value):
                raise ValueError(f"{name} of {self.kind} {choice.name!r} {refusal}")

    def build(self, choice: Choice) -> T:
        """The chosen part with its knobs set: an instance of a class, or a partial function."""
        self.check(choice)
        entry = self[choice.name]
        whole = {knob.name for knob in entry.knobs if knob.range.whole}
        knobs = {name: int(x) if name in whole else x for name, x in choice.knobs.items()}
        if inspect.isclass(entry.make):
            return cast(T, entry.make(**knobs))
        return cast(T, functools.partial(entry.make, **knobs))


def _entry(name: str, make: object) -> Entry[Any]:
    summary = (inspect.getdoc(make) or "").partition("\n")[0]
    build = cast(Callable[..., Any], make)
    return Entry(name, summary, tuple(_knobs(build)), build)


def _knobs(make: Callable[..., Any]) -> Iterator[Knob]:
    hints = get_type_hints(make, include_extras=True)
    for parameter in inspect.signature(make).parameters.values():
        hint = hints.get(parameter.name)
        if parameter.kind is not parameter.KEYWORD_ONLY or get_origin(hint) is not Annotated:
            continue
        extras = get_args(hint)[1:]
        meaning = next((extra for extra in extras if isinstance(extra, str)), "")
        for extra in extras:
            if isinstance(extra, Range):
                yield Knob(parameter.name, extra, parameter.default, meaning)

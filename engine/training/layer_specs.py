"""Layers as text: `64, 64` for hidden layers, `8 of 5x5, 16 of 3x3 padding 1` for convolutions."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

MAX_FILTERS = 512
MAX_WINDOW = 64  # pixels

_UNITS = re.compile(r"\d{1,9}")
_CONVOLUTION = re.compile(
    r"(?P<filters>\d{1,9}) of (?P<size>\d{1,9})x(?P=size)"
    r"(?: stride (?P<stride>\d{1,9}))?(?: padding (?P<padding>\d{1,9}))?"
    r"(?: pool (?P<pool>\d{1,9}))?"
)


class Convolution(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A convolutional layer, its activation, and the max pooling after it."""

    filters: int = 8
    size: int = 5  # pixels, width and height of each filter
    stride: int = 1  # pixels from one window to the next
    padding: int = 0  # zeros around the image
    pool: int = 2  # max pooling over squares of so many pixels a side; 1: none

    def __post_init__(self) -> None:
        _within("filters of a convolution", self.filters, 1, MAX_FILTERS)
        _within("size of a convolution", self.size, 1, MAX_WINDOW)
        _within("stride of a convolution", self.stride, 1, MAX_WINDOW)
        _within("padding of a convolution", self.padding, 0, self.size - 1)
        _within("pool of a convolution", self.pool, 1, MAX_WINDOW)


def _within(what: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ValueError(f"{what} must be a whole number from {low} to {high}, got {value}")


@dataclass(frozen=True)
class Stack:
    """How a setting that is a sequence of layers is read and written as text."""

    example: str
    read: Callable[[str], tuple[Any, ...]]
    write: Callable[[Sequence[Any]], str]


def read_units(text: str) -> tuple[int, ...]:
    """The hidden layers of a text such as `64, 64`; none if it is empty."""
    return tuple(int(_matched(_UNITS, part, "64, 64")[0]) for part in _parts(text))


def write_units(units: Sequence[int]) -> str:
    """Hidden layers as text that `read_units` reads."""
    return ", ".join(map(str, units))


def read_convolutions(text: str) -> tuple[Convolution, ...]:
    """The layers of a text such as `8 of 5x5, 16 of 3x3 stride 1 padding 1 pool 2`."""
    matches = [_matched(_CONVOLUTION, part, "8 of 5x5, 16 of 3x3 pool 1") for part in _parts(text)]
    return tuple(
        Convolution(**{name: int(x) for name, x in match.groupdict().items() if x is not None})
        for match in matches
    )


def write_convolutions(convolutions: Sequence[Convolution]) -> str:
    """Convolutions as text that `read_convolutions` reads; defaults are left out."""
    return ", ".join(map(_write_convolution, convolutions))


def _write_convolution(convolution: Convolution) -> str:
    usual = Convolution()
    parts = [f"{convolution.filters} of {convolution.size}x{convolution.size}"]
    for name in ("stride", "padding", "pool"):
        if (value := getattr(convolution, name)) != getattr(usual, name):
            parts.append(f"{name} {value}")
    return " ".join(parts)


def _parts(text: str) -> list[str]:
    return [" ".join(part.split()) for part in text.split(",") if part.strip()]


def _matched(pattern: re.Pattern[str], part: str, example: str) -> re.Match[str]:
    match = pattern.fullmatch(part)
    if match is None:
        raise ValueError(f"layers are written like “{example}”, got “{part[:40]}”")
    return match


UNITS = Stack("64, 64", read_units, write_units)
CONVOLUTIONS = Stack("8 of 5x5, 16 of 3x3", read_convolutions, write_convolutions)

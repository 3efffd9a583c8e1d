"""An exhibit of lines over one axis, with a sentence that has its numbers."""

from dataclasses import dataclass

from engine.types import Array


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line of a graph; dashed if it is there to compare with."""

    label: str
    x: Array  # (K,)
    y: Array  # (K,)
    dashed: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Lines over one axis; what an exhibit measures stands in a class of its own."""

    name: str
    axes: tuple[str, str]  # what lies along x and along y
    lines: tuple[Line, ...]
    powers: tuple[bool, bool]  # whether x and y are spaced by powers of ten
    text: str  # the numbers in words
    ends: tuple[float, float] | None  # of the y axis, alike in several pictures; None: what fits

"""Which points of a space are tried, and for how long: random, grid, successive halving."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Protocol

import numpy as np

from engine.registry import Range, Registry
from engine.search.space import Axis, Categorical, Continuous
from engine.types import Array


@dataclass(frozen=True)
class Rung:
    """A round of a search: so many trials go on, to so large a share of their full length."""

    trials: int
    share: float


class Strategy(Protocol):
    """Decides before the search where to look, and after each round who goes on."""

    goes_on: ClassVar[bool]  # whether more trials begin with the same ones, each as long

    def draw(
        self, space: Sequence[Axis], trials: int, rng: np.random.Generator
    ) -> Array:  # (trials or fewer, axes) places from 0 to 1
        """Where to try."""

    def rungs(self, trials: int) -> tuple[Rung, ...]:
        """The rounds, first to last; the last one is of full length."""


STRATEGIES: Registry[Strategy] = Registry("strategy")


@STRATEGIES.register("random")
@dataclass(frozen=True, kw_only=True)
class Random:
    """Anywhere: each trial tries another value of every axis (Bergstra & Bengio 2012)."""

    goes_on: ClassVar = True

    def draw(self, space: Sequence[Axis], trials: int, rng: np.random.Generator) -> Array:
        """Places drawn evenly; more trials begin with the same ones."""
        return rng.random((trials, len(space)))

    def rungs(self, trials: int) -> tuple[Rung, ...]:
        """All in full."""
        return (Rung(trials, 1.0),)


@STRATEGIES.register("grid")
@dataclass(frozen=True, kw_only=True)
class Grid:
    """Every combination of a few values: of each axis it tries those few and no others."""

    goes_on: ClassVar = False

    def draw(self, space: Sequence[Axis], trials: int, rng: np.random.Generator) -> Array:
        """The middles of equal cells, in an order that is drawn; no more than `trials` of them."""
        lines = _lines(space, trials)
        mesh = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, len(space))
        return rng.permutation(mesh)[:trials]

    def rungs(self, trials: int) -> tuple[Rung, ...]:
        """All in full."""
        return (Rung(trials, 1.0),)


@STRATEGIES.register("shifted grid")
@dataclass(frozen=True, kw_only=True)
class ShiftedGrid:
    """A grid that begins anywhere: who sets a range does not know where in it the best lies."""

    goes_on: ClassVar = False

    def draw(self, space: Sequence[Axis], trials: int, rng: np.random.Generator) -> Array:
        """The places of `grid`, moved along each axis by a drawn part of a cell."""
        lines = _lines(space, trials)
        # Whole numbers and options stay where they are: moved, two could become the same.
        cells = [
            0 if isinstance(axis, Categorical) or axis.whole else 1 / len(line)
            for axis, line in zip(space, lines, strict=True)
        ]
        shift = (rng.random(len(space)) - 0.5) * cells
        moved: Array = Grid().draw(space, trials, rng) + shift
        return moved

    def rungs(self, trials: int) -> tuple[Rung, ...]:
        """All in full."""
        return (Rung(trials, 1.0),)


@STRATEGIES.register("successive halving")
@dataclass(frozen=True, kw_only=True)
class SuccessiveHalving:
    """Random, but short at first: the best go on for longer (Jamieson & Talwalkar 2016)."""

    goes_on: ClassVar = False

    keep: Annotated[float, Range(0.1, 0.7)] = 1 / 3
    rounds: Annotated[int, Range(2, 6, whole=True)] = 3

    def draw(self, space: Sequence[Axis], trials: int, rng: np.random.Generator) -> Array:
        """The same places as `random`."""
        return Random().draw(space, trials, rng)

    def rungs(self, trials: int) -> tuple[Rung, ...]:
        """In each round the share `keep` of the trials of before, for 1 / `keep` as long."""
        return tuple(
            Rung(max(1, round(trials * self.keep**i)), self.keep ** (self.rounds - 1 - i))
            for i in range(self.rounds)
        )


def _lines(space: Sequence[Axis], trials: int) -> list[Array]:
    """Places along each axis, as even as can be, whose combinations are at most `trials`."""
    lines = [_middles(len(one.options) if isinstance(one, Categorical) else 1) for one in space]
    growing = {i: one for i, one in enumerate(space) if not isinstance(one, Categorical)}
    while growing:
        least = min(growing, key=lambda i: len(lines[i]))
        finer = _finer(growing[least], len(lines[least]))
        if finer is None:
            del growing[least]  # it has no more values
        elif math.prod(map(len, lines)) // len(lines[least]) * len(finer) > trials:
            break
        else:
            lines[least] = finer
    return lines


def _finer(axis: Continuous, count: int) -> Array | None:
    """More than `count` middles of cells, each at another value; None if it has no more."""
    if not axis.whole:
        return _middles(count + 1)
    if count > axis.high - axis.low:
        return None
    places: dict[float, float] = {}
    cells = count
    while len(places) <= count:  # small enough cells tell any two values apart
        cells += 1
        places = {axis.at(place): place for place in _middles(cells).tolist()}
    return np.array(list(places.values()))


def _middles(cells: int) -> Array:
    return (np.arange(cells) + 0.5) / cells

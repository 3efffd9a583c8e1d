"""Search strategies: which points `(trials, axes)`, from 0 to 1, are tried, and for how long."""

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
    """A round of a search: the number of trials, and their share of the full length."""

    trials: int
    share: float


class Strategy(Protocol):
    """Chooses the points before the search, and after each round the trials that continue."""

    goes_on: ClassVar[bool]  # whether a search with more trials begins with the same ones

    def draw(
        self, space: Sequence[Axis], trials: int, rng: np.random.Generator
    ) -> Array:  # (trials or fewer, axes) places from 0 to 1
        """The points to try."""

    def rungs(self, trials: int) -> tuple[Rung, ...]:
        """The rounds, first to last; the last one has full length."""


STRATEGIES: Registry[Strategy] = Registry("strategy")


@STRATEGIES.register("random")
@dataclass(frozen=True, kw_only=True)
class Random:
    """Uniformly random: each trial tries another value of every axis (Bergstra & Bengio 2012)."""

    goes_on: ClassVar = True

    def draw(self, space: Sequence[Axis], trials: int, rng: np.random.Generator) -> Array:
        """Uniform points; with more trials, the first ones are the same."""
        return rng.random((trials, len(space)))

    def rungs(self, trials: int) -> tuple[Rung, ...]:
        """One round of full length."""
        return (Rung(trials, 1.0),)


@STRATEGIES.register("grid")
@dataclass(frozen=True, kw_only=True)
class Grid:
    """Every combination of a few values: it tries only those few of each axis."""

    goes_on: ClassVar = False

    def draw(self, space: Sequence[Axis], trials: int, rng: np.random.Generator) -> Array:
        """The centres of equal cells, in random order; at most `trials` of them."""
        lines = _lines(space, trials)
        mesh = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, len(space))
        return rng.permutation(mesh)[:trials]

    def rungs(self, trials: int) -> tuple[Rung, ...]:
        """One round of full length."""
        return (Rung(trials, 1.0),)


@STRATEGIES.register("shifted grid")
@dataclass(frozen=True, kw_only=True)
class ShiftedGrid:
    """A grid with a random offset, as no range is set with knowledge of the optimum."""

    goes_on: ClassVar = False

    def draw(self, space: Sequence[Axis], trials: int, rng: np.random.Generator) -> Array:
        """The points of `grid`, shifted along each axis by a random part of a cell."""
        lines = _lines(space, trials)
        # Whole numbers and options are not shifted: two could become the same.
        cells = [
            0 if isinstance(axis, Categorical) or axis.whole else 1 / len(line)
            for axis, line in zip(space, lines, strict=True)
        ]
        shift = (rng.random(len(space)) - 0.5) * cells
        moved: Array = Grid().draw(space, trials, rng) + shift
        return moved

    def rungs(self, trials: int) -> tuple[Rung, ...]:
        """One round of full length."""
        return (Rung(trials, 1.0),)


@STRATEGIES.register("successive halving")
@dataclass(frozen=True, kw_only=True)
class SuccessiveHalving:
    """Random, but short at first: the best continue for longer (Jamieson & Talwalkar 2016)."""

    goes_on: ClassVar = False

    keep: Annotated[float, Range(0.1, 0.7)] = 1 / 3
    rounds: Annotated[int, Range(2, 6, whole=True)] = 3

    def draw(self, space: Sequence[Axis], trials: int, rng: np.random.Generator) -> Array:
        """The same points as `random`."""
        return Random().draw(space, trials, rng)

    def rungs(self, trials: int) -> tuple[Rung, ...]:
        """Each round keeps the share `keep` of the trials, for 1 / `keep` times as long."""
        return tuple(
            Rung(max(1, round(trials * self.keep**i)), self.keep ** (self.rounds - 1 - i))
            for i in range(self.rounds)
        )


def _lines(space: Sequence[Axis], trials: int) -> list[Array]:
    """Places along each axis, as many per axis as possible, of at most `trials` combinations."""
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
    """More than `count` centres of cells, each with another value; None if it has no more."""
    if not axis.whole:
        return _middles(count + 1)
    if count > axis.high - axis.low:
        return None
    places: dict[float, float] = {}
    cells = count
    while len(places) <= count:  # small enough cells separate any two values
        cells += 1
        places = {axis.at(place): place for place in _middles(cells).tolist()}
    return np.array(list(places.values()))


def _middles(cells: int) -> Array:
    return (np.arange(cells) + 0.5) / cells

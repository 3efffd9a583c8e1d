"""Random against grid at equal budget (Bergstra & Bengio 2012): who finds how much, how soon."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from engine.registry import Choice
from engine.search.description import Search
from engine.search.frames import SearchStatus
from engine.search.search_run import SearchRun
from engine.search.trial import Ending, Result
from engine.search.workers import InThread, Workers
from engine.types import Array

STRATEGIES_COMPARED = ("random", "shifted grid")
BAND = (25.0, 75.0)  # per cent of the seeds that lie below its lower and upper bound


@dataclass(frozen=True, eq=False)
class StrategyLine:
    """What one strategy found: arrays are read-only, a row a seed, a column a trial."""

    strategy: str
    places: Array  # (seeds, trials, axes) 0 to 1, in the order in which they were begun
    accuracies: Array  # (seeds, trials) on the validation examples; NaN of one that was stopped
    so_far: Array  # (seeds, trials) the best of a seed's first one, two, three ... trials
    middle: Array  # (trials,) the median of that over the seeds
    low: Array  # (trials,)
    high: Array  # (trials,)


@dataclass(frozen=True)
class ComparisonFrame:
    """The strategies side by side, over the seeds that all of them have searched."""

    lines: tuple[StrategyLine, ...]
    seeds: tuple[int, ...]
    share: float  # of the comparison that is done, 0 to 1
    finished: bool


class Comparison:
    """The same search by several strategies, each from several seeds, one after the other.

    A seed sets the places, and with it the runs' own seed: split, first weights, order. The grid
    is a shifted one by default: one in the middle of its range would show over all seeds no more
    than how well that range happens to be centred on the best.
    """

    def __init__(
        self,
        search: Search,
        seeds: Sequence[int],
        strategies: Sequence[str] = STRATEGIES_COMPARED,
        *,
        workers: Callable[[], Workers] = InThread,
    ) -> None:
        plans = {name: _plan(search, name) for name in strategies}
        trials = min(len(plan.draw()) for plan in plans.values())  # a grid may not fit the budget
        self._seeds = tuple(seeds)
        self._strategies = tuple(strategies)
        self._workers = workers()
        self._plans = [
            _plan(search, name, seed, trials) for seed in self._seeds for name in strategies
        ]
        self._found: list[SearchRun] = []
        self._hunt: SearchRun | None = None

    def advance(self, seconds: float) -> bool:
        """Work on it for about so long; whether it is finished."""
        if len(self._found) == len(self._plans):
            return True
        if self._hunt is None:
            self._hunt = SearchRun(self._plans[len(self._found)], self._workers)
        self._hunt.advance(seconds)
        if self._hunt.status is SearchStatus.FINISHED:
            self._found.append(self._hunt)
            self._hunt = None
        return len(self._found) == len(self._plans)

    def close(self) -> None:
        """Give up what is not finished, and free the workers."""
        self._workers.close()

    def frame(self) -> ComparisonFrame:
        """How things stand."""
        width = len(self._strategies)
        seeds = len(self._found) // width
        lines = tuple(
            _line(name, self._found[i : seeds * width : width])
            for i, name in enumerate(self._strategies)
            if seeds
        )
        part = self._hunt.frame().share if self._hunt else 0.0
        return ComparisonFrame(
            lines,
            self._seeds[:seeds],
            (len(self._found) + part) / len(self._plans),
            len(self._found) == len(self._plans),
        )


def best_so_far(accuracies: Array) -> Array:  # (..., trials) -> (..., trials)
    """The best of the first one, two, three ... trials; NaN as long as none went to the end."""
    best: Array = np.fmax.accumulate(accuracies, axis=-1)
    return best


def _plan(search: Search, strategy: str, seed: int | None = None, trials: int = 0) -> Search:
    named = msgspec.structs.replace(search, strategy=Choice(strategy))
    if seed is None:
        return named
    base = search.base.with_seed(seed)
    return msgspec.structs.replace(named, base=base, seed=seed, trials=trials)


def _line(strategy: str, hunts: Sequence[SearchRun]) -> StrategyLine:
    places = np.array([[trial.places for trial in hunt.trials] for hunt in hunts])
    accuracies = np.array([[_accuracy(x) for _, x in sorted(h.results.items())] for h in hunts])
    so_far = best_so_far(accuracies)
    low, middle, high = np.nanpercentile(np.nan_to_num(so_far), [BAND[0], 50, BAND[1]], axis=0)
    arrays = (places, accuracies, so_far, middle, low, high)
    for array in arrays:
        array.setflags(write=False)
    return StrategyLine(strategy, *arrays)


def _accuracy(result: Result) -> float:
    return result.validation_accuracy if result.ending is Ending.FINISHED else np.nan

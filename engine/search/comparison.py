"""Compares random and grid search at equal budget (Bergstra & Bengio 2012)."""

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
BAND = (25.0, 75.0)  # percentiles over the seeds that bound the band


@dataclass(frozen=True, eq=False)
class StrategyLine:
    """The results of one strategy: read-only arrays with a row per seed and a column per trial."""

    strategy: str
    places: Array  # (seeds, trials, axes) 0 to 1, in the order in which they were started
    accuracies: Array  # (seeds, trials) on the validation set; NaN for a stopped trial
    so_far: Array  # (seeds, trials) the best of a seed's first 1, 2, 3 ... trials
    middle: Array  # (trials,) the median of `so_far` over the seeds
    low: Array  # (trials,)
    high: Array  # (trials,)


@dataclass(frozen=True)
class ComparisonFrame:
    """The strategies side by side, over the seeds that all of them have finished."""

    lines: tuple[StrategyLine, ...]
    seeds: tuple[int, ...]
    share: float  # of the comparison that is done, 0 to 1
    finished: bool


class Comparison:
    """The same search by several strategies, each with several seeds, one after the other.

    A seed determines the points and the runs' own seed: split, first weights, order of examples.
    The grid is a shifted one by default: a fixed grid would show over all seeds only how well the
    range happens to be centred on the optimum.
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
        trials = min(len(plan.draw()) for plan in plans.values())  # a grid may have fewer
        self._seeds = tuple(seeds)
        self._strategies = tuple(strategies)
        self._workers = workers()
        self._plans = [
            _plan(search, name, seed, trials) for seed in self._seeds for name in strategies
        ]
        self._found: list[SearchRun] = []
        self._hunt: SearchRun | None = None

    def advance(self, seconds: float) -> bool:
        """Work for about so many seconds; returns whether it is finished."""
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
        """Drop unfinished trials and free the workers."""
        self._workers.close()

    def frame(self) -> ComparisonFrame:
        """The current state."""
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
    """The best of the first 1, 2, 3 ... trials; NaN until one is finished."""
    best: Array = np.fmax.accumulate(accuracies, axis=-1)
    return best


def _plan(search: Search, strategy: str, seed: int | None = None, trials: int = 0) -> Search:
    named = msgspec.structs.replace(search, strategy=Choice(strategy))
    if seed is None:
        return named
    base = search.base.with_seed(seed)
    return msgspec.structs.replace(named, base=base, seed=seed, trials=trials)


def _line(strategy: str, search_runs: Sequence[SearchRun]) -> StrategyLine:
    places = np.array([[trial.places for trial in run.trials] for run in search_runs])
    accuracies = np.array(
        [[_accuracy(x) for _, x in sorted(run.results.items())] for run in search_runs]
    )
    so_far = best_so_far(accuracies)
    low, middle, high = np.nanpercentile(np.nan_to_num(so_far), [BAND[0], 50, BAND[1]], axis=0)
    arrays = (places, accuracies, so_far, middle, low, high)
    for array in arrays:
        array.setflags(write=False)
    return StrategyLine(strategy, *arrays)


def _accuracy(result: Result) -> float:
    return result.validation_accuracy if result.ending is Ending.FINISHED else np.nan

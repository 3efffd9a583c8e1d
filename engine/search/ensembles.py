"""An ensemble of the best trials: the accuracy of their averaged predictions."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from engine.search.description import Search
from engine.search.predictions import predictions, score
from engine.search.refinement import ranked
from engine.search.trial import Job, Result, TrialRun
from engine.types import Array


@dataclass(frozen=True)
class EnsembleFrame:
    """The results of the ensemble so far."""

    numbers: tuple[int, ...]  # the trials, best first
    alone: tuple[float, ...]  # validation accuracy of each trial that has been retrained
    together: tuple[float, ...]  # ... of the average of the first 1, 2, 3 ...
    finished: bool

    @property
    def gain(self) -> float:
        """How much better the whole ensemble is than its best trial; NaN before there is one."""
        return self.together[-1] - max(self.alone) if self.alone else math.nan


class Ensemble:
    """Averages the predictions of the best `size` trials on the validation set.

    The weights of trials are not kept: each trial is retrained, with the same result to the bit.
    A ValueError says that no trial has finished, or that the predictions cannot be averaged.
    """

    def __init__(
        self,
        search: Search,
        results: Iterable[Result],
        size: int = 5,
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        best = ranked(search, results)[:size]
        if not best:
            raise ValueError("no trial has finished: there is nothing to average")
        _refuse_other_answers(search)
        trials = search.draw()
        self._numbers = tuple(x.number for x in best)
        self._jobs = deque(
            Job(n, 0, trials[n].config, search.epochs, limit=search.limit) for n in self._numbers
        )
        self._clock = clock
        self._running: TrialRun | None = None
        self._sum: Array | None = None
        self._alone: list[float] = []
        self._together: list[float] = []

    def advance(self, seconds: float) -> bool:
        """Work for about so many seconds; returns whether it is finished."""
        start = self._clock()
        while self._running or self._jobs:
            if self._running is None:
                self._running = TrialRun(self._jobs.popleft(), self._clock)
            else:
                self._train(self._running, seconds - (self._clock() - start))
            if self._clock() - start >= seconds:
                break
        return not (self._running or self._jobs)

    def _train(self, running: TrialRun, seconds: float) -> None:
        running.advance(seconds)
        if running.ending is None:
            return
        predicted = predictions(running.training)
        self._alone.append(score(running.training, predicted))
        self._sum = predicted if self._sum is None else self._sum + predicted
        average = self._sum / len(self._alone)
        self._together.append(score(running.training, average))
        self._running = None

    def frame(self) -> EnsembleFrame:
        """The current state."""
        finished = len(self._alone) == len(self._numbers)
        return EnsembleFrame(self._numbers, tuple(self._alone), tuple(self._together), finished)


def _refuse_other_answers(search: Search) -> None:
    """Refuse trials with different targets or losses, whose predictions cannot be averaged."""
    apart = {"data.dataset", "data.held_out", "optimization.loss"}
    for axis in search.space:
        setting = ".".join(axis.path.split(".")[:2])
        if setting in apart:
            raise ValueError(f"trials that differ in {axis.path} cannot be averaged")

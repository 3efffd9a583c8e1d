"""A running search: `advance` works on it for a moment and returns new results.

There are no threads here: the caller of `advance` decides when to work. `frame` returns the state,
plain and frozen, so that another thread can draw it.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.data import DATASETS
from engine.nn.losses import LOSSES, measure_of
from engine.search.description import Search, Trial
from engine.search.frames import SearchFrame, SearchStatus, TrialStatus, frame_of, waiting
from engine.search.refinement import edges, ranked
from engine.search.trial import Ending, Job, Progress, Result
from engine.search.workers import InThread, Workers
from engine.training.config import RunConfig

PATIENCE = 0.2  # seconds of work in an iteration before it checks whether it was stopped


class SearchRun:
    """A search and its results so far."""

    def __init__(
        self,
        search: Search,
        workers: Workers | None = None,  # by default the calling thread
        done: Iterable[Result] = (),  # from an interrupted run of the same search
        *,
        folder: Path | None = None,  # of the user's own data sets
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.search = search
        self.trials: tuple[Trial, ...] = search.draw()
        self.status = SearchStatus.RUNNING
        self.results: dict[int, Result] = {}  # the last one of each trial, by number
        self._workers: Workers = workers or InThread()
        self._folder = folder
        self._clock = clock
        self._rungs = search.rungs
        self._done = {(x.number, x.rung): x for x in done if x.ending is not Ending.DROPPED}
        self._jobs: deque[Job] = deque()  # of this round, not yet started
        self._awaited: set[int] = set()  # trials of this round without a result
        self._rung = -1
        self._spent = self._work = 0.0  # in seconds, and in full trials
        self._frames = [waiting(trial) for trial in self.trials]
        self._measure = _measure_of(self.trials[0].config)
        self._shown: SearchFrame | None = None
        self._arrived = list[Result]()
        self._begin_round([trial.number for trial in self.trials])

    # ---- control ---------------------------------------------------------------------------

    def advance(self, seconds: float) -> list[Result]:
        """Work for about so many seconds, if the search is running; returns new results."""
        if self.status is SearchStatus.RUNNING and not self._arrived:
            start = self._clock()
            while self._jobs and self._workers.free_slots > 0:
                self._start(self._jobs.popleft())
            for result in self._workers.work(seconds):
                self._work += self._rungs[result.rung].share
                self._take(result)
            for progress in self._workers.progress:
                self._show(progress)
            self._spent += self._clock() - start
            self._shown = None
        results, self._arrived = self._arrived, []
        return results

    def __iter__(self) -> Iterator[Result]:
        """Each result as it comes, until the search is finished, paused or cancelled."""
        while self.status is SearchStatus.RUNNING or self._arrived:
            yield from self.advance(PATIENCE)

    @property
    def over(self) -> bool:
        """Whether nothing is left to do or to return."""
        return self.status in (SearchStatus.FINISHED, SearchStatus.CANCELLED) and not self._arrived

    def pause(self) -> None:
        """Start and train nothing until `resume`; jobs on an executor run to their end."""
        if self.status is SearchStatus.RUNNING:
            self._turn(SearchStatus.PAUSED)

    def resume(self) -> None:
        """Continue after a pause."""
        if self.status is SearchStatus.PAUSED:
            self._turn(SearchStatus.RUNNING)

    def cancel(self) -> None:
        """Drop unfinished trials; the results so far stay."""
        if self.status in (SearchStatus.RUNNING, SearchStatus.PAUSED):
            self._turn(SearchStatus.CANCELLED)
            self._workers.drop()

    def close(self) -> None:
        """Drop unfinished trials and free the workers."""
        self.cancel()
        self._workers.close()

    def _turn(self, status: SearchStatus) -> None:
        self.status = status
        self._shown = None

    # ---- rounds -------------------------------------------------------------------------------

    def _begin_round(self, numbers: list[int]) -> None:
        self._rung += 1
        self._awaited = set(numbers)
        for number in numbers:
            if (number, self._rung) not in self._done:
                self._jobs.append(self._job(number))
        for number in numbers:
            if (number, self._rung) in self._done:
                self._accept(self._done[number, self._rung])
        self._end_round()

    def _job(self, number: int) -> Job:
        search, share = self.search, self._rungs[self._rung].share
        config = self.trials[number].config
        return Job(number, self._rung, config, search.epochs, share, search.limit, self._folder)

    def _start(self, job: Job) -> None:
        before = self._frames[job.number]
        self._frames[job.number] = replace(before, status=TrialStatus.RUNNING)
        self._workers.submit(job)

    def _take(self, result: Result) -> None:
        self._arrived.append(result)
        self._accept(result)
        self._end_round()

    def _accept(self, result: Result) -> None:
        self.results[result.number] = result
        self._awaited.discard(result.number)
        last = self._rung == len(self._rungs) - 1
        self._frames[result.number] = frame_of(self.trials[result.number], result, last=last)

    def _end_round(self) -> None:
        """Once all results of a round are in, continue the best trials and drop the others."""
        if self._awaited:
            return
        if self._rung == len(self._rungs) - 1:
            return self._turn(SearchStatus.FINISHED)
        alive = [x for x in self.results.values() if self._is_alive(x)]
        alive.sort(key=lambda x: (-x.score, x.number))
        kept = self._rungs[self._rung + 1].trials
        for result in alive[kept:]:
            dropped = replace(result, ending=Ending.DROPPED)
            self._accept(dropped)
            self._arrived.append(dropped)
        self._begin_round(sorted(x.number for x in alive[:kept]))

    def _is_alive(self, result: Result) -> bool:
        return result.rung == self._rung and result.ending is Ending.FINISHED

    # ---- state --------------------------------------------------------------------------------

    @property
    def best(self) -> Result | None:
        """The best finished trial."""
        found = ranked(self.search, self.results.values())
        return found[0] if found else None

    def frame(self) -> SearchFrame:
        """The current state."""
        if self._shown is None:
            order = ranked(self.search, self.results.values())
            self._shown = SearchFrame(
                search=self.search,
                status=self.status,
                trials=tuple(self._frames),
                ranking=tuple(x.number for x in order),
                edges=edges(self.search, self.trials, order),
                measure=self._measure,
                share=self._share,
                seconds=self._spent,
                seconds_left=self._seconds_left,
            )
        return self._shown

    def _show(self, progress: Progress) -> None:
        before = self._frames[progress.number]
        if progress.steps < before.steps:
            return  # a later round that has not yet reached the end of the one before
        self._frames[progress.number] = replace(
            before,
            steps=progress.steps,
            asked=progress.asked,
            cost=progress.cost,
            validation_accuracy=progress.validation_accuracy,
            curve=progress.curve,
        )

    @property
    def _partly(self) -> float:
        """The work done on running trials, in full trials."""
        share = self._rungs[self._rung].share
        return sum(share * x.steps / x.asked for x in self._workers.progress)

    @property
    def _left(self) -> float:
        """The work left, in full trials, if none is stopped early."""
        later = sum(rung.trials * rung.share for rung in self._rungs[self._rung + 1 :])
        now = len(self._awaited) * self._rungs[self._rung].share
        return max(0.0, later + now - self._partly)

    @property
    def _share(self) -> float:
        """The share of the search that is done, 0 to 1; a stopped trial counts as done."""
        whole = sum(rung.trials * rung.share for rung in self._rungs)
        return 1.0 if self.status is SearchStatus.FINISHED else max(0.0, 1 - self._left / whole)

    @property
    def _seconds_left(self) -> float:
        """Estimated from the work so far; NaN before there is any."""
        done = self._work + self._partly
        if self.status in (SearchStatus.FINISHED, SearchStatus.CANCELLED):
            return 0.0
        return self._left * self._spent / done if done > 0 else math.nan


def _measure_of(config: RunConfig) -> str:
    """The name of the trials' score; empty if their data cannot be read."""
    if LOSSES.build(config.optimization.loss).predicts == "classes":
        return measure_of(["any"])
    try:
        return measure_of(DATASETS.build(config.data.dataset)(np.random.default_rng(0)).classes)
    except ValueError:
        return measure_of(["any"])

"""A learner's searches, one after another: the one at work, and the results to show."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from engine.search.comparison import Comparison, ComparisonFrame
from engine.search.description import Search
from engine.search.ensembles import Ensemble, EnsembleFrame
from engine.search.frames import SearchFrame, SearchStatus
from engine.search.refinement import narrow, refine
from engine.search.search_run import SearchRun

SLICE = 0.01  # seconds of work at a time
PUBLISHED_EVERY = 0.05  # seconds between two updates of the progress
FINER = 0.3  # trials of the finer stage, relative to this one; each is four times as long


@dataclass(frozen=True)
class SearchProgress:
    """The progress of a learner's search, with ensemble and comparison."""

    frame: SearchFrame | None = None
    before: tuple[float, ...] = ()  # the best validation accuracy of each earlier stage
    ensemble: EnsembleFrame | None = None
    comparison: ComparisonFrame | None = None
    compared: Search | None = None  # the search that is run with both strategies
    paused: bool = False
    busy: bool = False  # whether there is work left
    refusal: str = ""  # why the last request was refused

    @property
    def best(self) -> float | None:
        """The best validation accuracy of this stage; None before a trial has finished."""
        if self.frame is None or not self.frame.ranking:
            return None
        return self.frame.trials[self.frame.ranking[0]].validation_accuracy

    @property
    def besides_numbers(self) -> tuple[object, ...]:
        """What is shown at once when it changes: everything except numbers."""
        found: tuple[object, ...] = ()
        if frame := self.frame:
            found = frame.status, bool(frame.ranking), frame.edges, frame.search.stage
        return found, self.busy, self.paused, self.ensemble, self.refusal


class SearchSession:
    """Starts, pauses and ends searches: one piece of work at a time, on one thread.

    ValueError says why a request is refused; the work so far continues.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._search: SearchRun | None = None
        self._before: tuple[float, ...] = ()
        self._ensemble: Ensemble | None = None
        self._comparison: Comparison | None = None
        self._compared: Search | None = None
        self._paused = False
        self._published = -math.inf
        self.progress = SearchProgress()

    # ---- requests -------------------------------------------------------------------------------

    def begin(self, search: Search) -> None:
        """Start a search in place of the current one."""
        self._begin(search, ())

    def refine(self, region: dict[str, tuple[float, float]] | None = None) -> None:
        """Start the finer stage: in a region (0 to 1 on axes), or around the best trials."""
        run = self._search
        if run is None or run.best is None:
            raise ValueError("no trial has finished: there is nothing to search around")
        trials = max(5, round(FINER * run.search.trials))
        if region is None:
            search = refine(run.search, run.results.values(), trials=trials)
        else:
            search = narrow(run.search, region, trials=trials)
        self._begin(search, (*self._before, run.best.validation_accuracy))

    def average(self, size: int) -> None:
        """Average the predictions of the best `size` trials."""
        if self._search is None:
            raise ValueError("no trial has finished: there is nothing to average")
        self._ensemble = Ensemble(self._search.search, self._search.results.values(), size)
        self._paused = False

    def compare(self, search: Search, seeds: int) -> None:
        """Run a search at random and on grids, with so many seeds each."""
        self._comparison = Comparison(search, range(seeds))
        self._compared, self._paused = search, False

    def pause(self) -> None:
        """Stop working until `resume`."""
        self._paused = True
        if self._search:
            self._search.pause()

    def resume(self) -> None:
        """Continue after a pause."""
        self._paused = False
        if self._search:
            self._search.resume()

    def cancel(self) -> None:
        """Drop unfinished work; results stay."""
        self._paused = False
        if self._search:
            self._search.cancel()
        if self._ensemble and not self._ensemble.frame().finished:
            self._ensemble = None
        if self._comparison and not self._comparison.frame().finished:
            self._comparison = self._compared = None

    def _begin(self, search: Search, before: tuple[float, ...]) -> None:
        self._search = SearchRun(search)  # if this raises, the current search stays
        self._before, self._ensemble, self._paused = before, None, False

    # ---- work -----------------------------------------------------------------------------------

    def work(self, refusal: str = "") -> Iterator[SearchProgress]:
        """Do the pending work, a little at a time, and yield the progress.

        `refusal` says why the last request was refused.
        """
        self._publish(refusal)
        while not self._paused and (advance := self._next()):
            advance(SLICE)
            if self._clock() - self._published >= PUBLISHED_EVERY:
                self._publish(refusal)
            yield self.progress
        self._publish(refusal)
        yield self.progress

    def _next(self) -> Callable[[float], object] | None:
        """The function that advances the first unfinished work; None if all is finished."""
        if self._search and self._search.status is SearchStatus.RUNNING:
            return self._search.advance
        if self._ensemble and not self._ensemble.frame().finished:
            return self._ensemble.advance
        if self._comparison and not self._comparison.frame().finished:
            return self._comparison.advance
        return None

    def _publish(self, refusal: str) -> None:
        self._published = self._clock()
        held = self._search is not None and self._search.status is SearchStatus.PAUSED
        self.progress = SearchProgress(
            frame=self._search.frame() if self._search else None,
            before=self._before,
            ensemble=self._ensemble.frame() if self._ensemble else None,
            comparison=self._comparison.frame() if self._comparison else None,
            compared=self._compared,
            paused=self._paused,
            busy=held or self._next() is not None,
            refusal=refusal,
        )

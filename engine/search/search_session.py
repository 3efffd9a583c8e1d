"""A learner's searches, one after another: what is worked on, and what they have to show."""

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
LOOK = 0.05  # ... from one look at how things stand to the next
FINER = 0.3  # of the trials of a stage: those of the finer one, each four times as long


@dataclass(frozen=True)
class SearchProgress:
    """How a learner's search stands, with what was made of it."""

    frame: SearchFrame | None = None
    before: tuple[float, ...] = ()  # the best validation accuracy of each stage before this one
    ensemble: EnsembleFrame | None = None
    comparison: ComparisonFrame | None = None
    compared: Search | None = None  # what is compared by both strategies
    paused: bool = False
    busy: bool = False  # whether there is something left to do
    refusal: str = ""  # why the last request could not be granted

    @property
    def best(self) -> float | None:
        """The best validation accuracy of this stage; None before a trial went on to the end."""
        if self.frame is None or not self.frame.ranking:
            return None
        return self.frame.trials[self.frame.ranking[0]].validation_accuracy

    @property
    def news(self) -> tuple[object, ...]:
        """What of it is worth telling at once: all but the numbers."""
        found: tuple[object, ...] = ()
        if frame := self.frame:
            found = frame.status, bool(frame.ranking), frame.edges, frame.search.stage
        return found, self.busy, self.paused, self.ensemble, self.refusal


class SearchSession:
    """Begins, pauses and ends searches: one piece of work at a time, on one thread.

    ValueError says why a request cannot be granted; what there was goes on.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._search: SearchRun | None = None
        self._before: tuple[float, ...] = ()
        self._ensemble: Ensemble | None = None
        self._comparison: Comparison | None = None
        self._compared: Search | None = None
        self._paused = False
        self._looked = -math.inf
        self.progress = SearchProgress()

    # ---- requests -------------------------------------------------------------------------------

    def begin(self, search: Search) -> None:
        """Begin a search, in the place of what there was."""
        self._begin(search, ())

    def refine(self, region: dict[str, tuple[float, float]] | None = None) -> None:
        """Begin the finer stage: in a region, as places on axes, or around the best trials."""
        run = self._search
        if run is None or run.best is None:
            raise ValueError("no trial went on to the end: there is nothing to search around")
        trials = max(5, round(FINER * run.search.trials))
        if region is None:
            search = refine(run.search, run.results.values(), trials=trials)
        else:
            search = narrow(run.search, region, trials=trials)
        self._begin(search, (*self._before, run.best.validation_accuracy))

    def average(self, size: int) -> None:
        """Average what the best `size` trials predict."""
        if self._search is None:
            raise ValueError("no trial went on to the end: there is nothing to average")
        self._ensemble = Ensemble(self._search.search, self._search.results.values(), size)
        self._paused = False

    def compare(self, search: Search, seeds: int) -> None:
        """Search at random and on grids, from so many seeds each."""
        self._comparison = Comparison(search, range(seeds))
        self._compared, self._paused = search, False

    def pause(self) -> None:
        """Leave it for later."""
        self._paused = True
        if self._search:
            self._search.pause()

    def resume(self) -> None:
        """Go on where it was paused."""
        self._paused = False
        if self._search:
            self._search.resume()

    def cancel(self) -> None:
        """Give up what is not finished; what was found stays."""
        self._paused = False
        if self._search:
            self._search.cancel()
        if self._ensemble and not self._ensemble.frame().finished:
            self._ensemble = None
        if self._comparison and not self._comparison.frame().finished:
            self._comparison = self._compared = None

    def _begin(self, search: Search, before: tuple[float, ...]) -> None:
        self._search = SearchRun(search)  # a search that cannot be drawn leaves the one before
        self._before, self._ensemble, self._paused = before, None, False

    # ---- work -----------------------------------------------------------------------------------

    def work(self, refusal: str = "") -> Iterator[SearchProgress]:
        """Do what there is to do, a little at a time, and tell how things stand.

        `refusal` says why the request before could not be granted.
        """
        self._look(refusal)
        while not self._paused and (advance := self._next()):
            advance(SLICE)
            if self._clock() - self._looked >= LOOK:
                self._look(refusal)
            yield self.progress
        self._look(refusal)
        yield self.progress

    def _next(self) -> Callable[[float], object] | None:
        """What brings on the first thing that is not finished; None if all is."""
        if self._search and self._search.status is SearchStatus.RUNNING:
            return self._search.advance
        if self._ensemble and not self._ensemble.frame().finished:
            return self._ensemble.advance
        if self._comparison and not self._comparison.frame().finished:
            return self._comparison.advance
        return None

    def _look(self, refusal: str) -> None:
        self._looked = self._clock()
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

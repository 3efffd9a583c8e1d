"""A visitor's search: what it has to show, and the work that brings it on a little at a time."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from engine import (
    Begin,
    Comparison,
    ComparisonFrame,
    Ensemble,
    EnsembleFrame,
    ExperimentHandle,
    RunConfig,
    Search,
    SearchFrame,
    SearchRun,
    SearchStatus,
    Snapshot,
    narrow,
    refine,
)

SLICE = 0.01  # seconds of work at a time
LOOK = 0.05  # ... from one look at how things stand to the next
TELL = 0.5  # ... from one word to the page to the next, while nothing has changed but numbers
FINER = 0.3  # of the trials of a stage: those of the finer one, each four times as long


@dataclass(frozen=True)
class Hunted:
    """How a visitor's search stands, with what was made of it."""

    hunt: SearchFrame | None = None
    before: tuple[float, ...] = ()  # the best validation accuracy of each stage before this one
    ensemble: EnsembleFrame | None = None
    comparison: ComparisonFrame | None = None
    compared: Search | None = None  # what is compared by both strategies
    paused: bool = False
    busy: bool = False  # whether there is something left to do
    refusal: str = ""  # why the last wish could not be granted

    @property
    def best(self) -> float | None:
        """The best validation accuracy of this stage; None before a trial went on to the end."""
        if self.hunt is None or not self.hunt.ranking:
            return None
        return self.hunt.trials[self.hunt.ranking[0]].validation_accuracy


NOTHING = Hunted()


def hunted(snapshot: Snapshot) -> Hunted:
    """What the visitor's search has to show; nothing where there was none."""
    shown = snapshot.beside.search
    return shown if isinstance(shown, Hunted) else NOTHING


class Desk:
    """Begins, pauses and ends a visitor's searches: one piece of work at a time.

    Its own state belongs to the engine's thread: what is called from outside only leaves an errand.
    What is news of a search is told to whoever hears of the experiment's news.
    """

    def __init__(
        self, handle: ExperimentHandle, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._handle, self._clock = handle, clock
        self._hunt: SearchRun | None = None
        self._before: tuple[float, ...] = ()
        self._ensemble: Ensemble | None = None
        self._comparison: Comparison | None = None
        self._compared: Search | None = None
        self._paused, self._refusal = False, ""
        self._shown, self._looked = NOTHING, 0.0
        self._told: tuple[object, ...] = ()
        self._told_at = 0.0

    # ---- what a visitor asks for ----------------------------------------------------------------

    def begin(self, search: Search) -> None:
        """Begin a search, in the place of what there was."""
        self._do(lambda: self._hunt_for(search, ()))

    def refine(self, region: dict[str, tuple[float, float]] | None = None) -> None:
        """Begin the finer stage: in a region, as places on axes, or around the best trials."""
        self._do(lambda: self._go_finer(region))

    def average(self, size: int) -> None:
        """Average what the best `size` trials predict."""
        self._do(lambda: self._begin_average(size))

    def compare(self, search: Search, seeds: int) -> None:
        """Search at random and on grids, from so many seeds each."""
        self._do(lambda: self._begin_comparison(search, seeds))

    def pause(self) -> None:
        """Leave it for later."""
        self._do(lambda: self._hold(True))

    def resume(self) -> None:
        """Go on where it was paused."""
        self._do(lambda: self._hold(False))

    def cancel(self) -> None:
        """Give up what is not finished; what was found stays."""
        self._do(self._give_up)

    def load(self, config: RunConfig) -> None:
        """Make a trial the visitor's run."""
        self._handle.send(Begin(config))

    def _do(self, change: Callable[[], None]) -> None:
        """Make a change between two slices, then work on whatever is to be done."""

        def errand(experiment: object) -> None:
            self._refusal = ""
            try:
                change()
            except ValueError as error:
                self._refusal = str(error)
            self._looked = -math.inf
            self._handle.works.begin("search", self._work())

        self._handle.do(errand)

    # ---- on the engine's thread -----------------------------------------------------------------

    def _hunt_for(self, search: Search, before: tuple[float, ...]) -> None:
        self._hunt = SearchRun(search)  # a search that cannot be drawn leaves the one before
        self._before, self._ensemble, self._paused = before, None, False

    def _go_finer(self, region: dict[str, tuple[float, float]] | None) -> None:
        hunt = self._hunt
        if hunt is None or hunt.best is None:
            raise ValueError("no trial went on to the end: there is nothing to search around")
        trials = max(5, round(FINER * hunt.search.trials))
        if region is None:
            search = refine(hunt.search, hunt.results.values(), trials=trials)
        else:
            search = narrow(hunt.search, region, trials=trials)
        self._hunt_for(search, (*self._before, hunt.best.validation_accuracy))

    def _begin_average(self, size: int) -> None:
        if self._hunt is None:
            raise ValueError("no trial went on to the end: there is nothing to average")
        self._ensemble = Ensemble(self._hunt.search, self._hunt.results.values(), size)
        self._paused = False

    def _begin_comparison(self, search: Search, seeds: int) -> None:
        self._comparison = Comparison(search, range(seeds))
        self._compared, self._paused = search, False

    def _hold(self, paused: bool) -> None:
        self._paused = paused
        if self._hunt:
            (self._hunt.pause if paused else self._hunt.resume)()

    def _give_up(self) -> None:
        self._paused = False
        if self._hunt:
            self._hunt.cancel()
        if self._ensemble and not self._ensemble.frame().finished:
            self._ensemble = None
        if self._comparison and not self._comparison.frame().finished:
            self._comparison = self._compared = None

    def _work(self) -> Iterator[Hunted]:
        """Do what there is to do, and tell how things stand."""
        while not self._paused and (advance := self._next()):
            advance(SLICE)
            if self._clock() - self._looked >= LOOK:
                self._look()
            yield self._shown
        self._look()
        yield self._shown

    def _next(self) -> Callable[[float], object] | None:
        """What brings on the first thing that is not finished; None if all is."""
        if self._hunt and self._hunt.status is SearchStatus.RUNNING:
            return self._hunt.advance
        if self._ensemble and not self._ensemble.frame().finished:
            return self._ensemble.advance
        if self._comparison and not self._comparison.frame().finished:
            return self._comparison.advance
        return None

    def _look(self) -> None:
        self._looked = self._clock()
        self._shown = Hunted(
            hunt=self._hunt.frame() if self._hunt else None,
            before=self._before,
            ensemble=self._ensemble.frame() if self._ensemble else None,
            comparison=self._comparison.frame() if self._comparison else None,
            compared=self._compared,
            paused=self._paused,
            busy=self._is_busy,
            refusal=self._refusal,
        )
        news = _news(self._shown)
        if news != self._told or self._looked - self._told_at >= TELL:
            self._told, self._told_at = news, self._looked
            now = self._handle.latest
            beside = replace(now.beside, search=self._shown)
            self._handle.on_news(replace(now, beside=beside))

    @property
    def _is_busy(self) -> bool:
        held = self._hunt is not None and self._hunt.status is SearchStatus.PAUSED
        return held or self._next() is not None


def _news(shown: Hunted) -> tuple[object, ...]:
    """What of it is told at once."""
    hunt = shown.hunt
    found = (hunt.status, bool(hunt.ranking), hunt.edges, hunt.search.stage) if hunt else ()
    return found, shown.busy, shown.paused, shown.ensemble, shown.refusal

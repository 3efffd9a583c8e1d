"""What a visitor asks of the search, brought to the engine's thread, and what is news of it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from engine import (
    Begin,
    ExperimentHandle,
    RunConfig,
    Search,
    SearchProgress,
    SearchSession,
    Snapshot,
)

TELL = 0.5  # seconds from one word to the page to the next, while nothing has changed but numbers
NOTHING = SearchProgress()


def search_progress(snapshot: Snapshot) -> SearchProgress:
    """What the visitor's search has to show; nothing where there was none."""
    return snapshot.beside.search or NOTHING


class SearchController:
    """Asks a visitor's search session for one piece of work at a time.

    The session belongs to the engine's thread: what is called here only leaves an errand. What is
    news of a search is told to whoever hears of the experiment's news.
    """

    def __init__(
        self, handle: ExperimentHandle, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._handle, self._clock = handle, clock
        self._session = SearchSession(clock)
        self._told: tuple[object, ...] = ()
        self._told_at = 0.0

    def begin(self, search: Search) -> None:
        """Begin a search, in the place of what there was."""
        self._request(lambda: self._session.begin(search))

    def refine(self, region: dict[str, tuple[float, float]] | None = None) -> None:
        """Begin the finer stage: in a region, as places on axes, or around the best trials."""
        self._request(lambda: self._session.refine(region))

    def average(self, size: int) -> None:
        """Average what the best `size` trials predict."""
        self._request(lambda: self._session.average(size))

    def compare(self, search: Search, seeds: int) -> None:
        """Search at random and on grids, from so many seeds each."""
        self._request(lambda: self._session.compare(search, seeds))

    def pause(self) -> None:
        """Leave it for later."""
        self._request(self._session.pause)

    def resume(self) -> None:
        """Go on where it was paused."""
        self._request(self._session.resume)

    def cancel(self) -> None:
        """Give up what is not finished; what was found stays."""
        self._request(self._session.cancel)

    def load(self, config: RunConfig) -> None:
        """Make a trial the visitor's run."""
        self._handle.send(Begin(config))

    # ---- on the engine's thread -----------------------------------------------------------------

    def _request(self, change: Callable[[], None]) -> None:
        """Make a change between two slices, then work on whatever is to be done."""

        def errand(experiment: object) -> None:
            refusal = ""
            try:
                change()
            except ValueError as error:
                refusal = str(error)
            self._handle.works.begin("search", self._work(refusal))

        self._handle.do(errand)

    def _work(self, refusal: str) -> Iterator[SearchProgress]:
        for progress in self._session.work(refusal):
            self._tell(progress)
            yield progress

    def _tell(self, progress: SearchProgress) -> None:
        now = self._clock()
        if progress.news != self._told or now - self._told_at >= TELL:
            self._told, self._told_at = progress.news, now
            latest = self._handle.latest
            beside = replace(latest.beside, search=progress)
            self._handle.on_news(replace(latest, beside=beside))

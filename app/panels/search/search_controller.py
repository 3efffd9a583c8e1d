"""Passes a visitor's requests for a search to the engine's thread, and its news to the page."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import msgspec

from engine import (
    Begin,
    ExperimentHandle,
    ExperimentSlot,
    RunConfig,
    Search,
    SearchProgress,
    SearchSession,
    Snapshot,
)

PERIOD = 0.5  # seconds between two updates of the page while only numbers change
NOTHING = SearchProgress()


def search_progress(snapshot: Snapshot) -> SearchProgress:
    """The progress of the visitor's search; empty if there is none."""
    return snapshot.background.search or NOTHING


class SearchController:
    """Asks a visitor's search session for one piece of work at a time.

    The session belongs to the engine's thread: the methods here only send requests to it. Its
    results are published to all that watch the experiment.
    """

    def __init__(
        self, handle: ExperimentHandle, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._handle, self._clock = handle, clock
        self._session = SearchSession(clock)
        self._published: tuple[object, ...] = ()
        self._published_at = 0.0

    def begin(self, search: Search) -> None:
        """Start a search in place of the current one."""
        self._request(lambda: self._session.begin(search))

    def refine(self, region: dict[str, tuple[float, float]] | None = None) -> None:
        """Start the finer stage: in a region (0 to 1 on axes), or around the best trials."""
        self._request(lambda: self._session.refine(region))

    def average(self, size: int) -> None:
        """Average the predictions of the best `size` trials."""
        self._request(lambda: self._session.average(size))

    def compare(self, search: Search, seeds: int) -> None:
        """Run a search at random and on grids, with so many seeds each."""
        self._request(lambda: self._session.compare(search, seeds))

    def pause(self) -> None:
        """Stop working until `resume`."""
        self._request(self._session.pause)

    def resume(self) -> None:
        """Continue after a pause."""
        self._request(self._session.resume)

    def cancel(self) -> None:
        """Drop unfinished work; results stay."""
        self._request(self._session.cancel)

    def load(self, config: RunConfig) -> None:
        """Make a trial the visitor's run."""
        self._handle.send(Begin(config))

    # ---- on the engine's thread -----------------------------------------------------------------

    def _request(self, change: Callable[[], None]) -> None:
        """Apply a request between two slices of work, then continue with the pending work."""

        def begin(slot: ExperimentSlot) -> None:
            refusal = ""
            try:
                change()
            except ValueError as error:
                refusal = str(error)
            slot.jobs.begin("search", self._work(refusal))

        self._handle.submit(begin)

    def _work(self, refusal: str) -> Iterator[SearchProgress]:
        for progress in self._session.work(refusal):
            self._publish(progress)
            yield progress

    def _publish(self, progress: SearchProgress) -> None:
        now = self._clock()
        if progress.besides_numbers != self._published or now - self._published_at >= PERIOD:
            self._published, self._published_at = progress.besides_numbers, now
            latest = self._handle.latest
            background = replace(latest.background, search=progress)
            self._handle.on_change(msgspec.structs.replace(latest, background=background))

"""The runs of a room that are watched across processes: sent by one, mirrored by the others."""

import asyncio
from collections.abc import Callable, Set
from concurrent.futures import Future

import msgspec

from app.classroom.relayed import ToRoom, Wanted
from app.server.exchange import Exchange
from app.server.mirrored_run import MirroredRun, packed, packed_run
from app.server.shown_run import ShownRun
from engine import RunTransfer, Snapshot


class RunMirrors:
    """The mirrors of one room, by the number of the student; empty: the teacher's."""

    def __init__(
        self, code: str, exchange: Exchange, run_here: Callable[[str], ShownRun | None]
    ) -> None:
        self._code, self._exchange, self._run_here = code, exchange, run_here
        self._mirrored: dict[str, MirroredRun] = {}
        self._served: tuple[str, ShownRun] | None = None  # the run that is sent to others
        self._version = 0
        self._requested: Set[str] = frozenset()
        self._loop = asyncio.get_running_loop()

    def _channel(self, who: str) -> str:
        return f"babysit:{self._code}:run:{who}"

    # ---- runs of other processes --------------------------------------------------------------

    def of(self, who: str) -> MirroredRun | None:
        """The mirror of another process's run, once a snapshot has arrived."""
        if who not in self._mirrored:
            run = MirroredRun(lambda: self._ask(who))
            self._mirrored[who] = run
            self._exchange.subscribe(self._channel(who), run.receive)
        run = self._mirrored[who]
        return run if run.known else None

    def _ask(self, who: str) -> None:
        wanted = msgspec.json.encode(ToRoom(wanted=Wanted(who)))
        for direction in ("to", "of run"):
            self._exchange.publish(f"babysit:{self._code}:{direction}", wanted)

    @property
    def requested(self) -> list[str]:
        """The statistics that watchers in this process request in addition."""
        known = [run.handle.requested for run in self._mirrored.values() if run.known]
        return sorted(frozenset[str]().union(*known))

    # ---- runs of this process -----------------------------------------------------------------

    def serve(self, who: str | None, requested: Set[str]) -> None:
        """Publish a run of this process from now on; None: no run.

        Called each second, so that a process that joins late gets a snapshot of a paused run, too.
        """
        run = self._run_here(who) if who is not None else None
        served = (who, run) if who is not None and run else None
        if self._served and served != self._served:
            self._served[1].handle.forget(self)
        self._served, self._requested, self._version = served, requested, 0
        self._wait()

    def _wait(self) -> None:
        if self._served:
            run = self._served[1]
            run.handle.wait(self, self._version, self._deliver, self._requested)

    def _deliver(self, snapshot: Snapshot, version: int) -> None:
        """Pack a snapshot on the thread that has published it."""
        self._loop.call_soon_threadsafe(self._publish, snapshot, version)

    def _publish(self, snapshot: Snapshot, version: int) -> None:
        if self._served and version != self._version:
            self._version = version
            self._exchange.publish(self._channel(self._served[0]), packed(snapshot))
            self._wait()

    def answer(self, who: str) -> None:
        """Answer a request to transfer a run, if it is of this process."""
        run = self._run_here(who)
        if run:
            run.transfer().add_done_callback(
                lambda future: self._loop.call_soon_threadsafe(self._publish_transfer, who, future)
            )

    def _publish_transfer(self, who: str, future: Future[RunTransfer]) -> None:
        if not future.cancelled() and not future.exception():
            self._exchange.publish(self._channel(who), packed_run(future.result()))

    def end(self) -> None:
        """Stop: the room is closed, or another process takes it over."""
        if self._served:
            self._served[1].handle.forget(self)
        for who, run in self._mirrored.items():
            run.end()
            self._exchange.unsubscribe(self._channel(who))
        self._mirrored.clear()
        self._served = None

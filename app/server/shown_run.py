"""A run and its pages: that of its visitor, and those that watch without steering it."""

import itertools
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Set
from concurrent.futures import Future
from typing import Protocol

from engine import Conductor, ExperimentHandle, RunTransfer, Snapshot, transfer_of

type OnChange = Callable[[Snapshot], object]

RUNS = 1_000_000  # of one visitor; so that a page distinguishes runs of the same number
NUMBERS = itertools.count(1)


class WatchedHandle(Protocol):
    """Where watchers of a run wait for snapshots."""

    @property
    def latest(self) -> Snapshot:
        """The latest snapshot."""

    def wait(
        self,
        who: Hashable,
        version: int,
        deliver: Callable[[Snapshot, int], None],
        requested: Set[str] = frozenset(),
    ) -> object:
        """Deliver the first snapshot newer than `version`, once."""

    def forget(self, who: Hashable) -> None:
        """Drop the request of a watcher who has left."""


class WatchedRun(ABC):
    """A run that pages may watch, of this process or another."""

    def __init__(self) -> None:
        self.number = next(NUMBERS) * RUNS  # no other run of this process has it
        self._subscribers: dict[Hashable, OnChange] = {}

    def subscribe(self, who: Hashable, on_change: OnChange) -> None:
        """Call `on_change` with the snapshot whenever anything but the numbers has changed."""
        self._subscribers[who] = on_change

    def unsubscribe(self, who: Hashable) -> None:
        """Stop calling it."""
        self._subscribers.pop(who, None)

    def _notify(self, snapshot: Snapshot) -> None:
        for on_change in list(self._subscribers.values()):
            on_change(snapshot)

    @property
    @abstractmethod
    def handle(self) -> WatchedHandle:
        """Where pages wait for its snapshots."""

    @property
    @abstractmethod
    def over(self) -> bool:
        """Whether it is no longer trained."""

    @abstractmethod
    def transfer(self) -> Future[RunTransfer]:
        """The run as plain values, with which another experiment goes on."""


class ShownRun(WatchedRun):
    """An experiment with the conductor, until neither a visitor nor a class needs it."""

    def __init__(self, conductor: Conductor, handle: ExperimentHandle) -> None:
        super().__init__()
        self._conductor, self._handle = conductor, handle
        self._lock = threading.Lock()
        self._owners: set[Hashable] = set()
        self._transfer: Future[RunTransfer] | None = None
        self.hosted = False  # whether a class watches it, with or without its visitor
        handle.on_change = self._notify

    @property
    def handle(self) -> ExperimentHandle:
        """The experiment's place with the conductor."""
        return self._handle

    def transfer(self) -> Future[RunTransfer]:
        """The run as plain values: one future for all requests at the same time."""
        if self._transfer is None or self._transfer.done():
            self._transfer = self.handle.query(transfer_of)
        return self._transfer

    @property
    def over(self) -> bool:
        """Whether the conductor no longer serves it."""
        return self.handle.left

    def own(self, who: Hashable) -> None:
        """Note that a visitor steers it."""
        self._owners.add(who)

    def disown(self, who: Hashable) -> None:
        """The visitor has left; free the run unless a class watches it."""
        self.unsubscribe(who)
        self._owners.discard(who)
        self._end_if_unused()

    def host(self, hosted: bool) -> None:
        """A class begins to watch it, or ends."""
        self.hosted = hosted
        self._end_if_unused()

    def _end_if_unused(self) -> None:
        with self._lock:
            unused = not self._owners and not self.hosted and not self.over
        if unused:
            self._conductor.remove(self.handle)
            self.handle.on_change = _pass


def _pass(snapshot: Snapshot) -> None:
    """Ignore the snapshot: the run is over."""


HOSTED: dict[str, ShownRun] = {}  # the runs that classes watch, by the keys of their teachers

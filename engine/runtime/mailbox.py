"""What crosses between the conductor's threads and all others: commands in, snapshots out.

Both sides of an experiment share one mailbox: its handle, which any thread may use, and its slot,
which belongs to the thread that serves it.
"""

import threading
from collections import deque
from collections.abc import Callable, Hashable, Set
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from engine.measure.snapshot import Snapshot
from engine.runtime.carried_run import Sent
from engine.runtime.pace import Pace

type Deliver = Callable[[Snapshot, int], None]


@dataclass(frozen=True, slots=True)
class Errand[S]:
    """A function to call with the experiment's slot, and the future for its result."""

    call: Callable[[S], Any]
    future: Future[Any]


class Mailbox[S]:
    """Commands and errands that wait, the latest snapshot, and who waits for the next one."""

    def __init__(self, first: Snapshot, pace: Pace) -> None:
        self._lock = threading.Lock()
        self.inbox: deque[Sent | Errand[S]] = deque()
        self.refusal = ""  # why the last command was refused; shown until the next one
        self.pace = pace  # as the visitor has set it
        self.closed = False  # the experiment was removed
        self._sent = self._taken = 0  # commands
        self.settled = True  # whether `latest` includes all commands sent
        self.latest, self.version = first, 1
        self.measured: Set[str] = frozenset()  # the requested statistics that `latest` has
        self.waits_at: int | None = None  # the step of the own run while a lesson's is served
        self.parameters = 0  # of the network
        self.on_news: Callable[[Snapshot], None] = lambda snapshot: None
        self._waiting: dict[Hashable, Deliver] = {}
        self._looks: dict[Hashable, Set[str]] = {}  # the statistics that each watcher requests

    # ---- commands and errands ------------------------------------------------------------------

    def post(self, item: Sent | Errand[S]) -> None:
        """Put a command or an errand behind those that wait."""
        if not isinstance(item, Errand):
            with self._lock:
                self._sent += 1
                self.settled = False
        self.inbox.append(item)

    def note_taken(self, commands: int) -> None:
        """Count commands that were taken out; the next snapshot includes them."""
        self._taken += commands

    def cancel_errands(self) -> None:
        """Cancel the errands of a removed experiment."""
        while self.inbox:
            item = self.inbox.popleft()
            if isinstance(item, Errand):
                item.future.cancel()

    # ---- snapshots -----------------------------------------------------------------------------

    def wait(self, who: Hashable, version: int, deliver: Deliver, looks: Set[str]) -> bool:
        """Deliver the first snapshot newer than `version`, once; whether it was there already."""
        with self._lock:
            self._looks[who] = looks
            ready = self.version > version
            if not ready:
                self._waiting[who] = deliver
        if ready:
            deliver(self.latest, self.version)
        return ready

    def forget(self, who: Hashable) -> None:
        """Drop the request of a watcher who has left."""
        with self._lock:
            self._waiting.pop(who, None)
            self._looks.pop(who, None)

    @property
    def watched(self) -> bool:
        """Whether there is a watcher."""
        return bool(self._looks)

    @property
    def wanted(self) -> bool:
        """Whether a watcher waits for a frame."""
        return bool(self._waiting)

    @property
    def looks(self) -> Set[str]:
        """The statistics that watchers request in addition to the snapshot."""
        with self._lock:
            return frozenset().union(*self._looks.values())

    def hand_out(self, snapshot: Snapshot, measured: Set[str]) -> None:
        """Deliver a snapshot; listeners hear of changes in anything except numbers."""
        news = _news(snapshot) != _news(self.latest)
        with self._lock:
            settles = not self.settled and self._taken == self._sent
            self.settled = self._taken == self._sent
            self.latest = snapshot
            self.measured = measured
            self.version += 1
            version, waiting, self._waiting = self.version, self._waiting, {}
        for deliver in waiting.values():
            deliver(snapshot, version)
        if news or settles:
            self.on_news(snapshot)


def _news(snapshot: Snapshot) -> tuple[object, ...]:
    rules = tuple((finding.rule, finding.where) for finding in snapshot.findings)
    pinned = tuple(past.name for past in snapshot.pinned)
    results = snapshot.background
    works = results.lesson, results.checks, results.explained, results.traced, results.film
    other = snapshot.other and (snapshot.other.run, snapshot.other.config)
    branches = tuple(branch.run for branch in snapshot.branches), other
    run = snapshot.run, snapshot.status, snapshot.message, snapshot.config
    return *run, rules, pinned, branches, tuple(map(id, works))

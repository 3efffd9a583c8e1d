"""What crosses between the conductor's threads and all others: commands in, snapshots out.

Both sides of an experiment share one mailbox: its handle, which any thread may use, and its slot,
which belongs to the thread that serves it.
"""

import threading
from collections import deque
from collections.abc import Callable, Set
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from engine.measure.snapshot import Snapshot
from engine.runtime.pace import Pace
from engine.runtime.run_transfer import Sent
from engine.runtime.snapshot_feed import SnapshotFeed


@dataclass(frozen=True, slots=True)
class Task[S]:
    """A function to call with the experiment's slot, and the future for its result."""

    call: Callable[[S], Any]
    future: Future[Any]


class Mailbox[S]:
    """Commands and tasks that wait, and the feed of snapshots."""

    def __init__(self, first: Snapshot, pace: Pace) -> None:
        self._lock = threading.Lock()
        self.inbox: deque[Sent | Task[S]] = deque()
        self.refusal = ""  # why the last command was refused; shown until the next one
        self.pace = pace  # as the visitor has set it
        self.closed = False  # the experiment was removed
        self._sent = self._taken = 0  # commands
        self.settled = True  # whether the latest snapshot includes all commands sent
        self.feed = SnapshotFeed(first)
        self._shown = _besides_numbers(first)  # of the latest snapshot
        self.measured: Set[str] = frozenset()  # the requested statistics of the latest snapshot
        self.waits_at: int | None = None  # the step of the own run while a lesson's is served
        self.on_change: Callable[[Snapshot], None] = lambda snapshot: None

    # ---- commands and tasks ------------------------------------------------------------------

    def post(self, item: Sent | Task[S]) -> None:
        """Put a command or a task behind those that wait."""
        if not isinstance(item, Task):
            with self._lock:
                self._sent += 1
                self.settled = False
        self.inbox.append(item)

    def note_taken(self, commands: int) -> None:
        """Count commands that were taken out; the next snapshot includes them."""
        self._taken += commands

    def cancel_tasks(self) -> None:
        """Cancel the tasks of a removed experiment."""
        while self.inbox:
            item = self.inbox.popleft()
            if isinstance(item, Task):
                item.future.cancel()

    # ---- snapshots -----------------------------------------------------------------------------

    def publish(self, snapshot: Snapshot, measured: Set[str]) -> None:
        """Deliver a snapshot to watchers, and call `on_change` if more than numbers has changed."""
        before, self._shown = self._shown, _besides_numbers(snapshot)
        with self._lock:
            settles = not self.settled and self._taken == self._sent
            self.settled = self._taken == self._sent
            self.measured = measured
        self.feed.publish(snapshot)
        if self._shown != before or settles:
            self.on_change(snapshot)


def _besides_numbers(snapshot: Snapshot) -> tuple[object, ...]:
    rules = tuple((finding.rule, finding.where) for finding in snapshot.findings)
    pinned = tuple(past.name for past in snapshot.pinned)
    results = snapshot.background
    jobs = results.lesson, results.checks, results.explained, results.traced, results.film
    other = snapshot.other and (snapshot.other.run, snapshot.other.config)
    branches = tuple(branch.run for branch in snapshot.branches), other
    run = snapshot.run, snapshot.status, snapshot.message, snapshot.config
    return *run, rules, pinned, branches, tuple(map(id, jobs))

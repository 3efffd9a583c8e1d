"""The latest snapshot of a run, and the watchers that wait for the next one."""

import threading
from collections.abc import Callable, Hashable, Set

from engine.measure.snapshot import Snapshot

type Deliver = Callable[[Snapshot, int], None]


class SnapshotFeed:
    """The latest snapshot; each watcher requests the next one once, and may skip any."""

    def __init__(self, first: Snapshot) -> None:
        self._lock = threading.Lock()
        self.latest, self.version = first, 1
        self._waiting: dict[Hashable, Deliver] = {}
        self._requested: dict[Hashable, Set[str]] = {}  # the statistics that each watcher requests

    def wait(
        self, who: Hashable, version: int, deliver: Deliver, requested: Set[str] = frozenset()
    ) -> bool:
        """Deliver the first snapshot newer than `version`, once; whether it was there already.

        An earlier request of the same watcher is dropped.
        """
        with self._lock:
            self._requested[who] = requested
            self._waiting.pop(who, None)
            latest, newest = self.latest, self.version
            ready = newest > version
            if not ready:
                self._waiting[who] = deliver
        if ready:
            deliver(latest, newest)
        return ready

    def forget(self, who: Hashable) -> None:
        """Drop the request of a watcher who has left."""
        with self._lock:
            self._waiting.pop(who, None)
            self._requested.pop(who, None)

    @property
    def watched(self) -> bool:
        """Whether there is a watcher."""
        return bool(self._requested)

    @property
    def wanted(self) -> bool:
        """Whether a watcher waits for a snapshot."""
        return bool(self._waiting)

    @property
    def requested(self) -> Set[str]:
        """The statistics that watchers request in addition to the snapshot."""
        with self._lock:
            return frozenset().union(*self._requested.values())

    def publish(self, snapshot: Snapshot) -> None:
        """Deliver a newer snapshot to all who wait."""
        with self._lock:
            self.latest = snapshot
            self.version += 1
            version, waiting, self._waiting = self.version, self._waiting, {}
        for deliver in waiting.values():
            deliver(snapshot, version)

"""A run as its pages know it: of one visitor, and of all who watch without steering it."""

import threading
from collections.abc import Callable, Hashable

from engine import Conductor, ExperimentHandle, Snapshot

type Hear = Callable[[Snapshot], object]

RUNS = 1_000_000  # of one visitor; a page tells another visitor's run of the same number by this


class ShownRun:
    """An experiment with the conductor, until neither a visitor nor a class needs it."""

    _count = 0

    def __init__(self, conductor: Conductor, handle: ExperimentHandle) -> None:
        ShownRun._count += 1
        self.number = ShownRun._count * RUNS
        self._conductor, self.handle = conductor, handle
        self._lock = threading.Lock()
        self._owners: set[Hashable] = set()
        self._hears: dict[Hashable, Hear] = {}
        self.hosted = False  # whether a class watches it, with or without its visitor
        handle.on_news = self._tell

    def _tell(self, snapshot: Snapshot) -> None:
        for hear in list(self._hears.values()):
            hear(snapshot)

    def listen(self, who: Hashable, hear: Hear) -> None:
        """Tell a page whenever anything but the numbers has changed."""
        self._hears[who] = hear

    def ignore(self, who: Hashable) -> None:
        """Tell a page nothing any more."""
        self._hears.pop(who, None)

    @property
    def over(self) -> bool:
        """Whether the conductor no longer serves it."""
        return self.handle.left

    def own(self, who: Hashable) -> None:
        """A visitor steers it."""
        self._owners.add(who)

    def disown(self, who: Hashable) -> None:
        """The visitor has left."""
        self.ignore(who)
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


HOSTED: dict[str, ShownRun] = {}  # the runs that classes watch, by the keys of their teachers

"""Counts the visitors of this process, and refuses one more when all places are taken."""

import math
import threading
import time
from collections.abc import Callable
from typing import Protocol

BUSY = 0.4  # seconds after a page request in which the server is still busy with it
UNSEEN = 3.0  # seconds in which a requested page has to connect, or it loses its place


class Presence:
    """The state of one visitor's connection: requested, connected, or lost."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._requested = clock()
        self._connected = False
        self.left: float | None = None  # when the connection was lost

    def connect(self) -> None:
        """The page is connected, for the first time or again."""
        self._connected, self.left = True, None

    def disconnect(self) -> None:
        """The connection is lost."""
        self.left = self._clock()

    @property
    def came(self) -> bool:
        """Whether the page has ever been connected."""
        return self._connected

    @property
    def takes_place(self) -> bool:
        """Whether the visitor takes a place: connected, or requested less than `UNSEEN` s ago."""
        return self.left is None and (self._connected or self._clock() - self._requested < UNSEEN)


class Guest(Protocol):
    """The part of a visit that the count reads."""

    @property
    def presence(self) -> Presence:
        """The state of its connection."""

    def end(self) -> None:
        """Free the memory and the training time that the visit takes."""


class Visits[G: Guest](dict[str, G]):
    """All visits by session id, and how many are allowed."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.most = most
        self._clock = clock
        self._last_request = -math.inf  # when a page was last requested
        self._lock = threading.Lock()

    @property
    def page_requested(self) -> bool:
        """Whether a page was requested just now, so that the server is still busy with it."""
        return self._clock() - self._last_request < BUSY

    @property
    def taken(self) -> int:
        """How many visitors take a place; one who lost the connection takes none."""
        return sum(visit.presence.takes_place for visit in list(self.values()))

    @property
    def full(self) -> bool:
        """Whether all places are taken."""
        return self.taken >= self.most

    def admit(self) -> bool:
        """Whether one more visitor is admitted; ends disconnected sessions in its favour.

        The session that was disconnected first is ended first.
        """
        self._last_request = self._clock()
        with self._lock:
            free = self.most - self.taken
            away = [(guest.presence.left, key) for key, guest in list(self.items())]
            gone = sorted((left, key) for left, key in away if left is not None)
            if free > 0:
                for _, key in gone[: max(0, len(gone) - free + 1)]:
                    self.pop(key).end()
            return free > 0

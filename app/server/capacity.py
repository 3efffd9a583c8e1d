"""Who is here: as many visitors as there is room for, and those who may be coming back."""

import math
import threading
import time
from collections.abc import Callable
from typing import Protocol

COMES = 0.4  # seconds for which somebody who has asked for a page is on the way
UNSEEN = 3.0  # seconds for which a page that was asked for keeps its place before it connects


class Presence:
    """Whether a visitor is here: on the way, connected, or gone and perhaps to come back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._came = clock()
        self._connected = False
        self.left: float | None = None  # when the connection was lost

    def wait(self) -> None:
        """Nobody has asked for the page yet."""
        self._came = -math.inf

    def come(self) -> None:
        """Somebody is on the way."""
        self._came = self._clock()

    def arrive(self) -> None:
        """The page is connected, for the first time or again."""
        self._connected, self.left = True, None

    def leave(self) -> None:
        """The connection is lost."""
        self.left = self._clock()

    @property
    def here(self) -> bool:
        """Whether the visitor takes up a place; a page that nobody ever opened soon does not."""
        return self.left is None and (self._connected or self._clock() - self._came < UNSEEN)


class Guest(Protocol):
    """A visit, as far as there has to be room for it."""

    @property
    def presence(self) -> Presence:
        """Whether the visitor is here."""

    def end(self) -> None:
        """Give back what the visit takes of the machine."""


class Visits[G: Guest](dict[str, G]):
    """All visits by session id, and how many there may be."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.most = most
        self._clock = clock
        self._asked = -math.inf  # when somebody last asked for a page
        self._lock = threading.Lock()

    @property
    def somebody_comes(self) -> bool:
        """Whether somebody has just asked for a page, and the server has more to do for him."""
        return self._clock() - self._asked < COMES

    @property
    def here(self) -> int:
        """How many visitors there are, those not counted who lost their connection."""
        return sum(visit.presence.here for visit in list(self.values()))

    @property
    def full(self) -> bool:
        """Whether no further visitor has room."""
        return self.here >= self.most

    def make_room(self) -> bool:
        """Whether one more may come; if so, who has been away longest loses his place to him."""
        self._asked = self._clock()
        with self._lock:
            room = self.most - self.here
            away = [(guest.presence.left, key) for key, guest in list(self.items())]
            gone = sorted((left, key) for left, key in away if left is not None)
            if room > 0:
                for _, key in gone[: max(0, len(gone) - room + 1)]:
                    self.pop(key).end()
            return room > 0

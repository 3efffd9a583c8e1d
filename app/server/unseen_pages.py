"""Pages that were requested, and to which no browser has connected yet.

Building one takes the interpreter 80 ms and 1.4 MB: a client that only requests pages, or leaves
each at once, could keep the server busy with nothing else. So an address may have as many pages
built at once as a class needs, and gets the right to another one when a browser has stayed on one
of them for a while. Otherwise the right returns slowly. Of the pages themselves only the newest are
kept.
"""

import logging
import time
from collections.abc import Callable

from app.server.connection_limits import Addresses, Budget

log = logging.getLogger(__name__)

EACH = 1.0  # rights that an address gets back in a second, whether or not its browsers connect
ALL = 4.0  # ... and all addresses together
SOON = 3.0  # seconds in which browsers connect; a page is built anew for one that comes later
STAYS = 20.0  # seconds after which a browser that has connected brings its right back
WARNED = 10.0  # seconds between two warnings


class UnseenPages:
    """At most so many pages; the oldest is given up first."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._addresses = Addresses(most, EACH, clock)
        self._all = Budget(most, ALL, clock)
        # By session: the address that may get a right back, and when it was requested.
        self._pages: dict[str, tuple[str, float]] = {}
        self._refused, self._warned = 0, -WARNED

    def __len__(self) -> int:
        return len(self._pages)

    def may_build(self, address: str) -> bool:
        """Take this address's right to have one more page built, if it has one."""
        if self._addresses.lets_in(address):
            if self._all.affords(1):
                return True
            self._addresses.give_back(address)
        self._warn(address)
        return False

    def give_back(self, address: str) -> None:
        """Return the right: a browser has stayed on the page, or none was built."""
        self._addresses.give_back(address)
        self._all.forgo(1)

    def _warn(self, address: str) -> None:
        self._refused += 1
        if self._clock() - self._warned >= WARNED:
            log.warning(
                "%d page requests refused, the last one of %s: no browser stays on its pages",
                *(self._refused, address),
            )
            self._refused, self._warned = 0, self._clock()

    def add(self, session: str, address: str = "") -> list[str]:
        """Add a page, built by a right of this address; returns the sessions that are too many."""
        self._pages[session] = address, self._clock()
        surplus = list(self._pages)[: max(0, len(self._pages) - self._most)]
        return [old for old in surplus if self.drop(old)]

    def drop(self, session: str) -> bool:
        """Forget a page that is given up or over; whether nobody had connected to it."""
        return self._pages.pop(session, None) is not None

    def give_up(self) -> list[str]:
        """The session of the oldest page, unless its browser may still be about to connect."""
        old = next(iter(self._pages.items()), None)
        if old is None or self._clock() - old[1][1] < SOON:
            return []
        del self._pages[old[0]]
        return [old[0]]

    def connect(self, session: str) -> str:
        """A browser has connected to the page; whose right it brings back, if it stays."""
        return self._pages.pop(session, ("", 0.0))[0]

"""Limits the channels of one page: how many are open, how many are new, how often all is sent.

Each channel is answered as a page is, and a page has one: with a hundred, one visitor would have
the server compose frames for a hundred. Nor does a request for everything wait for a newer frame.
"""

import time
from collections.abc import Callable
from weakref import WeakKeyDictionary

from app.server.connection_limits import Budget

MOST = 4  # open at once: one that is lost stays open until it does not answer a ping
SAVED, RATE = 8, 1.0  # new ones at once, and per second after that
ALL_SAVED, ALL_RATE = 30, 5.0  # requests for everything at once, and per second after that
TOO_MANY = 4429  # close code


class Channels[C]:
    """The open channels of one page, the oldest first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._budget = Budget(SAVED, RATE, clock)
        self._all = Budget(ALL_SAVED, ALL_RATE, clock)
        self._open: list[C] = []

    def wait(self) -> float:
        """Seconds until the page may be sent everything once more."""
        return self._all.spend(1)

    def add(self, channel: C) -> list[C]:
        """Add a channel; returns those that have to close: the oldest, or this one."""
        if not self._budget.affords(1):
            return [channel]
        self._open.append(channel)
        surplus, self._open = self._open[:-MOST], self._open[-MOST:]
        return surplus

    def remove(self, channel: C) -> None:
        """Remove a channel that is closed."""
        if channel in self._open:
            self._open.remove(channel)


class ChannelsOfPages[Page, C]:
    """The open channels of all pages."""

    def __init__(self) -> None:
        self._pages: WeakKeyDictionary[Page, Channels[C]] = WeakKeyDictionary()

    def add(self, page: Page, channel: C) -> list[C]:
        """Add a channel of a page; returns those that have to close."""
        return self._pages.setdefault(page, Channels()).add(channel)

    def wait(self, page: Page) -> float:
        """Seconds until a page may be sent everything once more."""
        return self._pages[page].wait()

    def remove(self, page: Page, channel: C) -> None:
        """Remove a channel that is closed."""
        if page in self._pages:
            self._pages[page].remove(channel)

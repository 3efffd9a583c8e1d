"""Bounds what one connection can ask of the server: sizes, rates, and time to say what it wants.

Tornado and Bokeh (3.10) have bounds for slower networks and better manners than a class has.
"""

import time
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from bokeh.server.views.ws import WSHandler
from tornado.httpserver import HTTPServer

from app.limits import LIMITS
from app.server.workarounds import handle_messages_in_time, replaced

LARGEST = 2**20  # bytes of a message on a page's socket, beyond those of an upload
SILENT = 30.0  # seconds in which a request has to say what it wants, and send it

SAVED = 500  # messages that a page may send at once, after it has sent none for a while
RATE = 100  # ... and that it may send every second
KNOWN = 1000  # addresses that are remembered
PULLED = 50  # messages that cost as much as to send the whole page anew


class Budget:
    """What one connection may still ask; a bucket that fills with time."""

    def __init__(
        self,
        saved: float = SAVED,
        rate: float = RATE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._saved, self._rate, self._clock = saved, rate, clock
        self._left, self._filled = saved, clock()

    def spend(self, cost: float) -> float:
        """Ask for something; the seconds that it has to wait."""
        self._fill()
        self._left -= cost
        return max(0.0, -self._left) / self._rate

    def affords(self, cost: float) -> bool:
        """Ask for something that is to be had at once or not at all."""
        self._fill()
        affordable = self._left >= cost
        self._left -= cost * affordable
        return affordable

    def _fill(self) -> None:
        now = self._clock()
        gained = self._rate * max(0.0, now - self._filled)
        self._left, self._filled = min(self._saved, self._left + gained), now


BUDGETS: WeakKeyDictionary[WSHandler, Budget] = WeakKeyDictionary()  # of open connections


class Addresses:
    """How many pages each address may ask for: a whole class at once, and then some a second.

    What is refused costs nothing, so that nobody behind the same address is locked out for good.
    """

    def __init__(
        self, most: int, lasts: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._rate, self._clock = most, most / (2 * lasts), clock
        self._budgets: dict[str, Budget] = {}

    def lets_in(self, address: str) -> bool:
        """Whether one more page may be asked for, of which half may stand open unseen."""
        if len(self._budgets) > KNOWN and address not in self._budgets:
            del self._budgets[next(iter(self._budgets))]
        budget = self._budgets.pop(address, None) or Budget(self._most, self._rate, self._clock)
        self._budgets[address] = budget  # as the last one
        return budget.affords(1)


def install() -> None:
    """Bound the connections of this process; called before it listens."""
    largest = LARGEST + LIMITS.upload * 4 // 3  # which comes as text
    bounded: Any = property(lambda self: largest)
    WSHandler.max_message_size = bounded  # type: ignore[method-assign]
    handle_messages_in_time(_wait)
    replaced(HTTPServer, "initialize", _impatient)


def _wait(socket: WSHandler, kind: str) -> float:
    """Seconds until the budget of a connection allows its next message."""
    budget = BUDGETS.setdefault(socket, Budget())
    return budget.spend(PULLED if kind == "PULL-DOC-REQ" else 1)


def _impatient(initialize: Callable[..., None]) -> Callable[..., None]:
    """Wait no longer than that for the head of a request, and for its body."""

    def initialize_impatiently(self: HTTPServer, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("idle_connection_timeout", SILENT)
        kwargs.setdefault("body_timeout", SILENT)
        initialize(self, *args, **kwargs)

    return initialize_impatiently

"""Limits of one connection: the size and rate of its messages, and the time for a request.

The defaults of Tornado and Bokeh 3.10 are far higher than a class needs: of each request of anybody
they keep up to a hundred megabytes in memory until all have come.
"""

import time
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from bokeh.server.session import ServerSession
from bokeh.server.views.ws import WSHandler
from tornado.httpserver import HTTPServer

from app.limits import LIMITS
from app.server.workarounds.file_input import CHUNK
from app.server.workarounds.message_delay import handle_messages_in_time
from app.server.workarounds.patching import replaced

LARGEST = 2**20  # bytes of a message on a page's socket
LARGEST_MESSAGE = LARGEST + CHUNK * 4 // 3  # with a part of a file, 4 characters for 3 bytes
LARGEST_BODY = 10_000  # ... of a request, of which only the password's form has any
SILENT = 30.0  # seconds in which a request has to send its headers, and then its body

SAVED = 500  # messages that a page may send at once
RATE = 100  # ... and messages per second after that
TOGETHER = 120  # messages per second of all pages; while they send more, each has its even share
BURST = 5  # seconds of its share that a page may send at once even then, or be silent and have one
KNOWN = 1000  # addresses that are remembered
PULLED = 50  # what a further request for the whole document costs, in messages


class Budget:
    """A token bucket: how many messages one connection may still send."""

    def __init__(
        self,
        saved: float = SAVED,
        rate: float = RATE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._saved, self._rate, self._clock = saved, rate, clock
        self._left, self._filled = saved, clock()

    def spend(self, cost: float) -> float:
        """Take tokens out; returns the seconds to wait until the bucket has them."""
        self._fill()
        self._left -= cost
        return max(0.0, -self._left) / self._rate

    def fill_at(self, rate: float, saved: float) -> None:
        """Fill it at this rate from now on, up to so many tokens."""
        self._fill()
        self._rate, self._saved = rate, saved
        self._left = min(self._left, saved)

    def forgive(self, most: float) -> None:
        """Drop the part of its debt that takes longer than so many seconds to repay."""
        self._left = max(self._left, -most * self._rate)

    def affords(self, cost: float) -> bool:
        """Take tokens out if the bucket has them now; whether it had."""
        self._fill()
        affordable = self._left >= cost
        self._left -= cost * affordable
        return affordable

    def forgo(self, cost: float) -> None:
        """Put tokens back that were taken for nothing."""
        self._fill()
        self._left = min(self._saved, self._left + cost)

    def _fill(self) -> None:
        now = self._clock()
        gained = self._rate * max(0.0, now - self._filled)
        self._left, self._filled = min(self._saved, self._left + gained), now


class Sender:
    """One page of a crowd: its own budget, its share of that of all, and when it last sent."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.own, self.share = Budget(clock=clock), Budget(clock=clock)
        self.last = 0.0


class Crowd[Page]:
    """How many messages all pages together may send: those that send most wait for it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._all = Budget(TOGETHER, TOGETHER, clock)
        self._senders: WeakKeyDictionary[Page, Sender] = WeakKeyDictionary()

    def spend(self, page: Page, cost: float) -> float:
        """Seconds until a page may send a message of this cost."""
        if page not in self._senders:
            self._senders[page] = Sender(self._clock)
        sender = self._senders[page]
        sender.last = self._clock()
        fair = TOGETHER / self._sending(sender.last)
        sender.share.fill_at(fair, BURST * fair)
        wait, waits_for_others = sender.own.spend(cost), sender.share.spend(cost)
        crowded = self._all.spend(cost) > 0
        self._all.forgive(1.0)
        if not crowded:
            sender.share.forgive(0.0)
        return max(wait, waits_for_others) if crowded else wait

    def _sending(self, now: float) -> int:
        """How many pages send anything; those of a class that follows do not."""
        return sum(now - sender.last <= BURST for sender in list(self._senders.values()))


CROWD: Crowd[ServerSession | WSHandler] = Crowd()
OPENED: WeakSet[ServerSession | WSHandler] = WeakSet()  # pages that have their document


class Addresses:
    """Limits the page requests of each address: a whole class at once, then some a second.

    A refused request costs no token, so that nobody behind the same address is locked out for good.
    """

    def __init__(self, most: int, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._rate, self._clock = most, rate, clock
        self._budgets: dict[str, Budget] = {}

    def lets_in(self, address: str) -> bool:
        """Whether this address may request one more page now."""
        if len(self._budgets) > KNOWN and address not in self._budgets:
            del self._budgets[next(iter(self._budgets))]
        budget = self._budgets.pop(address, None) or Budget(self._most, self._rate, self._clock)
        self._budgets[address] = budget  # the most recent last
        return budget.affords(1)

    def give_back(self, address: str) -> None:
        """Let this address request a page more, in place of one that it did not get."""
        if budget := self._budgets.get(address):
            budget.forgo(1)


def install() -> None:
    """Set the limits of this process; called before it listens."""
    bounded: Any = property(lambda self: LARGEST_MESSAGE)
    WSHandler.max_message_size = bounded  # type: ignore[method-assign]
    handle_messages_in_time(wait_of)
    replaced(HTTPServer, "initialize", within_limits)


def wait_of(socket: WSHandler, kind: str) -> float:
    """Seconds until the budgets allow the next message of a page, on whichever socket."""
    page = socket.connection.session if socket.connection else socket
    again = kind == "PULL-DOC-REQ" and page in OPENED
    if kind == "PULL-DOC-REQ":
        OPENED.add(page)
    return CROWD.spend(page, PULLED if again else 1)


def within_limits(initialize: Callable[..., None]) -> Callable[..., None]:
    """Close a connection whose request does not arrive in time, or has too large a body."""

    def initialize_within_limits(self: HTTPServer, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("idle_connection_timeout", SILENT)
        kwargs.setdefault("body_timeout", SILENT)
        kwargs.setdefault("max_body_size", LARGEST_BODY)
        if LIMITS.behind_proxy:
            kwargs["xheaders"] = True
        initialize(self, *args, **kwargs)

    return initialize_within_limits

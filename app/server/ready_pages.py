"""Pages that are built before anybody requests them, while the server has nothing else to do.

Building a page takes 80 ms, in which everybody else's training and plots have half of the
interpreter's time.
A visitor whose address changes nothing of how the page begins is given one of these in 3 ms. If
there is none, a page is built as it is requested.

A page is on loan until a browser has connected to it. If none has for a while, the next visitor is
given it: so clients that only request pages leave no garbage.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterator

log = logging.getLogger(__name__)

REST = 0.05  # seconds from one page to the next while nobody is here
BESIDE = 1.0  # ... while visitors are here, whose plots are slower meanwhile
FAILED = 60.0  # ... after one that could not be built
LATE_COMERS = 8  # pages that are ready even while a whole class is here
LOAN = 60.0  # seconds in which the browser that has requested a page has to connect


class ReadyPages[P]:
    """At most so many pages, with those on loan; the oldest is given away first."""

    def __init__(self, most: int, here: Callable[[], int] = lambda: 0) -> None:
        self.most, self._here = most, here
        self._pages: deque[P] = deque()
        self._lent: dict[str, P] = {}  # by the session that may still turn out to be nobody's
        self._promised = 0

    def __len__(self) -> int:
        return len(self._pages)

    def add(self, page: P) -> None:
        """Add a page."""
        self._pages.append(page)

    def take(self) -> P | None:
        """A page to give away, if there is one."""
        return self._pages.popleft() if self._pages else None

    @property
    def spare(self) -> bool:
        """Whether there is a page that is promised to nobody."""
        return len(self._pages) > self._promised

    @contextlib.contextmanager
    def promise(self) -> Iterator[None]:
        """Promise one to a request, which is answered in this block."""
        self._promised += 1
        try:
            yield
        finally:
            self._promised -= 1

    @property
    def wanted(self) -> int:
        """How many are wanted: as many as may still come of the class that is here."""
        return max(self.most - self._here(), min(LATE_COMERS, self.most))

    @property
    def full(self) -> bool:
        """Whether it holds all that are wanted."""
        return len(self._pages) >= self.wanted

    @property
    def lacks(self) -> bool:
        """Whether one more should be built, even if all on loan come back."""
        return len(self._pages) + len(self._lent) < self.wanted

    def lend(self, session: str, page: P) -> None:
        """A session was given this page."""
        self._lent[session] = page

    def end_loan(self, session: str) -> P | None:
        """The session's page, not on loan any more: a browser has connected, or it is over."""
        return self._lent.pop(session, None)

    def __iter__(self) -> Iterator[P]:
        return iter(self._pages)

    def clear(self) -> None:
        """Drop all pages: the server stops."""
        self._pages.clear()
        self._lent.clear()

    async def fill(
        self,
        build: Callable[[], P],
        idle: Callable[[], bool],
        alone: Callable[[], bool],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Build pages for ever: one at a time, on a thread, and only while the server is idle."""
        while self.most:
            rest = REST if alone() else BESIDE
            if self.lacks and idle():
                try:
                    building = asyncio.get_running_loop().run_in_executor(None, build)
                except RuntimeError:  # the process ends
                    return
                try:
                    self.add(await building)
                except Exception:
                    log.exception("no page could be built ahead")
                    rest = FAILED
            await sleep(rest)

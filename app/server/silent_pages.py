"""Closes the sockets of pages that watch nothing: each would keep its page in memory for ever.

A page that a browser has loaded keeps a frame channel open, also in a hidden tab. Bokeh's own
socket alone is a page that never loaded, or a client that is none.
"""

import asyncio
import time
from collections.abc import Callable, Iterable

from bokeh.server.contexts import ApplicationContext
from bokeh.server.session import ServerSession

from app.server.session import VISITS
from app.server.workarounds.sessions import close_sockets, connected_sessions

SILENT = 120.0  # seconds in which a page has to load, or to reconnect its frame channel
EVERY = 10.0  # seconds between two checks


class SilentPages[S]:
    """Since when which connected pages have watched nothing."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: dict[S, float] = {}

    def check(self, silent: Iterable[S]) -> list[S]:
        """Those of the pages that watch nothing now which have done so for too long."""
        now = self._clock()
        self._since = {page: self._since.get(page, now) for page in silent}
        return [page for page, since in self._since.items() if now - since >= SILENT]


async def close_silent_pages(context: ApplicationContext) -> None:
    """Close the sockets of silent pages, until the server stops."""
    pages = SilentPages[ServerSession]()
    while True:
        await asyncio.sleep(EVERY)
        silent = [session for session in connected_sessions(context) if not _is_watching(session)]
        for session in pages.check(silent):
            close_sockets(session)


def _is_watching(session: ServerSession) -> bool:
    visit = VISITS.get(session.id)
    return visit is not None and visit.is_watched

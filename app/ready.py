"""Pages that are built before anybody asks for them: a class opens forty at the same moment.

A page takes the server half a second of work to build, and serving one that is built a tenth of
that. So pages are built ahead while nobody comes, whole sessions that wait for a visitor; whoever
comes without a wish of his own is given one. `BABYSIT_READY` says for how many visitors: with each
one who is here there is one page less to build, and whoever trains is left in peace.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from bokeh.document import Document
from bokeh.server.contexts import ApplicationContext
from bokeh.server.session import ServerSession, current_time
from bokeh.settings import settings
from bokeh.util.token import generate_jwt_token, generate_session_id
from tornado.httputil import HTTPServerRequest

log = logging.getLogger(__name__)

PAUSE = 0.2  # seconds of rest after each page that is built ahead: those who are here come first
QUIET = 3.0  # seconds without anybody who opens a page, after which it goes on
LOOK = 1.0  # seconds from one look at whether pages are missing to the next


class Ready:
    """The pages in stock."""

    def __init__(self, wanted: Callable[[], int], build: Callable[[Document], None]) -> None:
        self._wanted = wanted  # how many there should be now
        self._build = build  # puts everything into a document whose session has begun
        self._stock: deque[ServerSession] = deque()
        self._asked = -QUIET  # when somebody last opened a page, in seconds of the loop

    def __len__(self) -> int:
        return len(self._stock)

    def begin(self, context: ApplicationContext) -> None:
        """Build pages of this application from now on; called on the event loop."""
        self._task = asyncio.create_task(self._keep_filled(context))

    def take(self, token: Callable[[str], str]) -> ServerSession | None:
        """A page for somebody who has asked for one, proved by `token(session id)`; if any."""
        self._asked = asyncio.get_running_loop().time()
        if not self._stock:
            return None
        session = self._stock.popleft()
        session._token = token(session.id)
        session._last_unsubscribe_time = current_time()  # it has waited, but for nobody yet
        session.unblock_expiration()
        return session

    async def _keep_filled(self, context: ApplicationContext) -> None:
        loop = asyncio.get_running_loop()
        while True:
            if loop.time() - self._asked < QUIET or len(self._stock) >= self._wanted():
                await asyncio.sleep(LOOK)
                continue
            try:
                session = await _begin_session(context)
                await asyncio.to_thread(self._build, session.document)
            except Exception:  # they are built when asked for, as ever
                log.exception("no page could be built ahead")
                return
            self._stock.append(session)
            await asyncio.sleep(PAUSE)


async def _begin_session(context: ApplicationContext) -> ServerSession:
    """A session of nobody's: without an address's wishes, without cookies."""
    request: Any = HTTPServerRequest("GET", context._url)
    request.app_path, request.route_params = context._url, {}
    name = generate_session_id(signed=settings.sign_sessions())
    token = generate_jwt_token(name, signed=settings.sign_sessions())  # to look at frames with
    session = await context.create_session_if_needed(name, request, token)
    session.block_expiration()
    return session

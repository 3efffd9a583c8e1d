"""The class channel: the socket between a page and its room.

JSON text both ways. First the page sends `{"token": ...}`, as on the frame channel; then messages
of `app/classroom/messages.py`. It is sent `{"room": ...}` whenever what it may see has changed,
`{"key": ...}` when it has been given one, `{"wall": ...}` each second if it is a teacher's that
wants it, and `{"refused": ...}` in one sentence. Who does not read gets the last of each alone.
"""

import asyncio
import functools
import logging
from typing import Any

from bokeh.server.contexts import ApplicationContext
from bokeh.server.urls import per_app_patterns
from tornado.websocket import WebSocketClosedError

from app.classroom import messages as m
from app.server.channel_limits import TOO_MANY, ChannelsOfPages
from app.server.class_page import ClassPage
from app.server.connection_limits import Budget
from app.server.outbox import Outbox
from app.server.page_channel import FORBIDDEN, Hello, PageChannel, decoded, visit_of
from app.server.senders import sender_of
from app.server.session import Visit

log = logging.getLogger(__name__)

LONGEST = 20_000  # bytes of a message
LONGEST_SAVED = LONGEST + 2 * m.MOST_SAVED  # ... of one who may open a room, also a saved one
SAVED, RATE = 60, 20  # messages that a page may send at once, and per second after that


class ClassChannel(PageChannel):
    """The server's end of one page's channel."""

    LONGEST = LONGEST

    def initialize(
        self, application_context: ApplicationContext, bokeh_websocket_path: str
    ) -> None:
        super().initialize(application_context, bokeh_websocket_path)
        self._page: ClassPage | None = None  # ... unless it has too many channels
        self._budget = Budget(SAVED, RATE)
        self.outbox = Outbox(self._write)

    async def on_message(self, message: str | bytes) -> None:
        await asyncio.sleep(self._budget.spend(1))
        await self.outbox.until_read()
        if page := self._page:
            await page.receive(decoded(message, m.Request))  # type: ignore[arg-type]
            if page.may_open:
                self._read_saved_rooms()
        else:
            self._greet(decoded(message, Hello))

    def _read_saved_rooms(self) -> None:
        """Read longer messages from now on: a teacher's may be a saved room."""
        socket: Any = self.ws_connection
        if socket:
            socket.params.max_message_size = LONGEST_SAVED

    def _greet(self, hello: Hello | str) -> None:
        visit = None
        if isinstance(hello, Hello):
            visit = visit_of(self.application, self._context, hello.token)
        if visit is None:
            self.close(FORBIDDEN, "unknown token")
            return
        self._visit = visit
        self._page = ClassPage(visit, sender_of(self.request), self._send_soon)
        for surplus in CHANNELS.add(visit, self):
            surplus.give_way()

    def _send_soon(self, text: str, state: str = "") -> None:
        """Send text from any thread: two servers of one process have the same rooms.

        Of two threads that write to one stream, Tornado lets one fail with a `BufferError`.
        """
        self._loop.add_callback(self.outbox.put, text, state)

    def _write(self, text: str) -> None:
        """Send text, unless the page has left."""
        try:
            self.write_message(text).add_done_callback(functools.partial(_note, self.outbox))
        except WebSocketClosedError:
            log.debug("the page has left")

    def give_way(self) -> None:
        """Close, since the page has too many channels."""
        self._leave()
        self.close(TOO_MANY, "too many channels")

    def on_close(self) -> None:
        super().on_close()
        self._leave()

    def _leave(self) -> None:
        page, self._page = self._page, None
        self.outbox.close()
        if self._visit:
            CHANNELS.remove(self._visit, self)
        if page:
            page.disconnect()


def _note(outbox: Outbox, sent: asyncio.Future[None]) -> None:
    if not sent.cancelled():
        sent.exception()  # the page has left meanwhile
    outbox.taken()


CHANNELS: ChannelsOfPages[Visit, ClassChannel] = ChannelsOfPages()


def install() -> None:
    """Register the route `<app>/class`; called before the server builds its routes."""
    route = (r"/class", ClassChannel)
    if route not in per_app_patterns:
        per_app_patterns.append(route)

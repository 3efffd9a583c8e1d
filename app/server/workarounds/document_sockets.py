"""Bokeh takes whatever comes on however many sockets of a page: here, it is limited."""

import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from bokeh.protocol.exceptions import ValidationError
from bokeh.protocol.receiver import Receiver
from bokeh.server.connection import ServerConnection
from bokeh.server.session import ServerSession
from bokeh.server.views.ws import WSHandler

from app.server.workarounds.patching import replaced

log = logging.getLogger(__name__)

PART = 200  # bytes that a part of a message takes beside its text

type Follow = Callable[[ServerSession, WSHandler], object]
type Open = Callable[[WSHandler, str], Awaitable[None]]


def follow_document_sockets(opened: Follow, closed: Follow) -> None:
    """Tell which sockets each session has; Bokeh 3.10 serves any number of them.

    One that closes while it is being opened would be connected for ever, and its page stay. Of one
    that comes while the server stops, the log has a traceback.
    """
    replaced(WSHandler, "_async_open", functools.partial(_telling_of_opened, opened))
    replaced(ServerConnection, "detach_session", functools.partial(_telling_of_closed, closed))


def _telling_of_opened(opened: Follow, open_later: Open) -> Open:
    @functools.wraps(open_later)
    async def open_and_tell(self: WSHandler, token: str) -> None:
        try:
            await open_later(self, token)
        except RuntimeError:
            if not _stops(self):
                raise
            log.debug("a page comes while the server stops")
        connection: Any = self.connection
        if connection and connection._session:
            opened(connection._session, self)
            if self._on_close_called:  # before there was a connection to end
                self.on_close()

    return open_and_tell


def _telling_of_closed(closed: Follow, detach: Callable[[Any], None]) -> Callable[[Any], None]:
    @functools.wraps(detach)
    def detach_and_tell(self: Any) -> None:
        if self._session:
            closed(self._session, self._socket)
        detach(self)

    return detach_and_tell


def _stops(socket: WSHandler) -> bool:
    application: Any = socket.application
    return bool(getattr(application, "_stopping", False))


def limit_messages(largest: int) -> None:
    """Refuse a message whose parts together are larger.

    Bokeh 3.10 keeps as many parts as the message itself announces, until all have come.
    """

    def limited(consume: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        @functools.wraps(consume)
        async def consume_within(self: Any, fragment: str | bytes) -> Any:
            self.taken = getattr(self, "taken", 0) + len(fragment) + PART
            if self.taken > largest:
                raise ValidationError(f"a message of more than {largest:,} bytes")
            message = await consume(self, fragment)
            if message is not None:
                self.taken = 0
            return message

        return consume_within

    replaced(Receiver, "consume", limited)

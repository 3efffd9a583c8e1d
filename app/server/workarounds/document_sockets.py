"""Bokeh takes whatever comes on however many sockets of a page: here, it is limited."""

import functools
from collections.abc import Awaitable, Callable
from typing import Any

from bokeh.protocol.exceptions import ValidationError
from bokeh.protocol.receiver import Receiver
from bokeh.server.connection import ServerConnection
from bokeh.server.session import ServerSession
from bokeh.server.views.ws import WSHandler

from app.server.workarounds.patching import replaced

PART = 200  # bytes that a part of a message takes beside its text

type Follow = Callable[[ServerSession, WSHandler], object]


def follow_document_sockets(opened: Follow, closed: Follow) -> None:
    """Tell which sockets each session has; Bokeh 3.10 serves any number of them."""

    def telling_of_opened(
        open_later: Callable[[WSHandler, str], Awaitable[None]],
    ) -> Callable[[WSHandler, str], Awaitable[None]]:
        @functools.wraps(open_later)
        async def open_and_tell(self: WSHandler, token: str) -> None:
            await open_later(self, token)
            connection: Any = self.connection
            if connection and connection._session:
                opened(connection._session, self)

        return open_and_tell

    def telling_of_closed(detach: Callable[[Any], None]) -> Callable[[Any], None]:
        @functools.wraps(detach)
        def detach_and_tell(self: Any) -> None:
            if self._session:
                closed(self._session, self._socket)
            detach(self)

        return detach_and_tell

    replaced(WSHandler, "_async_open", telling_of_opened)
    replaced(ServerConnection, "detach_session", telling_of_closed)


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

"""Bokeh tells nobody when a browser connects, and ends sessions late: here, the page is told."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from bokeh.core.types import ID
from bokeh.document import Document
from bokeh.server.contexts import ApplicationContext
from bokeh.server.session import ServerSession

from app.server.workarounds.patching import replaced

BUSY = 0.05  # seconds from one look whether a session still has something to do to the next


def take_pages_back(connect: Callable[[ID], object], take_back: Callable[[ID], bool]) -> None:
    """Tell when a browser connects to a session, and leave the document to what takes it back.

    Bokeh 3.10 destroys the document of each session that is over.
    """

    def telling(subscribe: Callable[..., None]) -> Callable[..., None]:
        def subscribe_and_tell(self: ServerSession, connection: Any) -> None:
            connect(self.id)
            subscribe(self, connection)

        return subscribe_and_tell

    def sparing(destroy: Callable[..., None]) -> Callable[..., None]:
        def destroy_or_leave(self: ServerSession) -> None:
            spared, context = self.document, self.document.session_context
            if not take_back(self.id):
                destroy(self)
                return
            spared.remove_on_change(self)
            self._stop_callbacks()
            self._destroyed = True
            # Whatever else hears of the session's end finds nothing to clean up.
            self._document = cast(Any, context)._document = Document()

        return destroy_or_leave

    if replaced(ServerSession, "subscribe", telling):
        replaced(ServerSession, "destroy", sparing)


async def end_unless_connected(context: ApplicationContext, name: ID) -> None:
    """End a session now; Bokeh 3.10 does so minutes after the last connection.

    Nor does it end one that has something to do: that is done first.
    """
    while session := context._sessions.get(name):  # none if it could not be made
        if session.connection_count:
            return
        if session.expiration_blocked:
            await asyncio.sleep(BUSY)
        else:
            await context._discard_session(session, lambda ended: not ended.connection_count)


def forgetting(made: Document) -> Callable[[], None]:
    """What has the server forget the session of this document at its next check of all."""
    found: Any = made._session_context  # a weak reference

    def forget() -> None:
        context = found() if found else None
        if context and context.session and not context.session.connection_count:
            context.session.request_expiration()

    return forget


def token_of(context: Any) -> str:
    """The token by which a page's session is known, before there is a session (Bokeh 3.10)."""
    return str(context._token)


def has_session(context: ApplicationContext, name: ID) -> bool:
    """Whether there is such a session, or it is being made (Bokeh 3.10)."""
    return name in context._sessions or name in context._pending_sessions


def connected(made: Document) -> Callable[[], bool]:
    """What tells whether a browser's socket is connected to the session of this document."""
    found: Any = made._session_context  # a weak reference

    def is_connected() -> bool:
        context = found() if found else None
        return bool(context and context.session and context.session.connection_count)

    return is_connected


def connected_sessions(context: ApplicationContext) -> list[ServerSession]:
    """The sessions to which sockets are connected."""
    return [session for session in context.sessions if session.connection_count]


def close_sockets(session: ServerSession) -> None:
    """Close all sockets of a session, which has no way to do so (Bokeh 3.10)."""
    for connection in list(session._subscribed_connections):
        socket: Any = connection._socket
        socket.close()


def session_of(socket: object) -> ServerSession | None:
    """The session of a document socket, which it has once a page is there (Bokeh 3.10)."""
    connection: Any = getattr(socket, "connection", None)
    return connection._session if connection else None

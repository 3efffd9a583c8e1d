"""Limits the document sockets of one page: each may hold a half message of the largest size."""

from bokeh.server.session import ServerSession
from bokeh.server.views.ws import WSHandler

from app.server.channel_limits import TOO_MANY, ChannelsOfPages
from app.server.connection_limits import LARGEST_MESSAGE
from app.server.workarounds.document_sockets import follow_document_sockets, limit_messages

SOCKETS: ChannelsOfPages[ServerSession, WSHandler] = ChannelsOfPages()


def _limit(session: ServerSession, socket: WSHandler) -> None:
    for surplus in SOCKETS.add(session, socket):
        surplus.close(TOO_MANY, "too many sockets")


def install() -> None:
    """Set the limits of this process; called before it listens."""
    follow_document_sockets(_limit, SOCKETS.remove)
    limit_messages(LARGEST_MESSAGE)

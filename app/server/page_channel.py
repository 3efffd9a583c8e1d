"""A socket of a page beside its document's: first the page proves which session it belongs to.

The first message is `{"token": ...}`. Until it has come, and for longer messages than the page has
reason to send, a socket gets nothing from the server: neither time nor memory.
"""

from typing import Any

import msgspec
from bokeh.protocol.exceptions import ProtocolError
from bokeh.server.contexts import ApplicationContext
from bokeh.server.views.ws import WSHandler
from bokeh.util.token import check_token_signature, get_session_id
from tornado.ioloop import IOLoop
from tornado.websocket import WebSocketHandler

from app.server.session import VISITS, Visit

FORBIDDEN = 4403  # close code: the token is missing or wrong
UNREADABLE = 4400  # ... a message is not of the protocol
PINGED_EVERY = 20.0  # seconds between two pings
PATIENCE = 10.0  # seconds for the token to arrive


class Hello(msgspec.Struct, forbid_unknown_fields=True):
    """The page's first message."""

    token: str
    state: str = ""  # what a link carries behind #
    teach: str = ""  # ... or the key of a teacher, whose run a class watches


def decoded[T](message: str | bytes, kind: type[T]) -> T | str:
    """The decoded message, or in a few words why it cannot be decoded."""
    try:
        return msgspec.json.decode(message, type=kind)
    except (ValueError, RecursionError) as error:  # not JSON of that kind, or nested too deeply
        return str(error).encode("ascii", "replace").decode()[:100]


def visit_of(app: Any, context: ApplicationContext, token: str) -> Visit | None:
    """The visit that a token was made for, if its signature holds and its session lives."""
    try:
        if not check_token_signature(token, signed=app.sign_sessions, secret_key=app.secret_key):
            return None
        session = context.get_session(get_session_id(token))
    except (ProtocolError, ValueError, KeyError, TypeError):  # not a token
        return None
    return VISITS.get(session.id)


class PageChannel(WebSocketHandler):
    """The server's end of such a socket; `_visit` is known once the page has proved it."""

    LONGEST: int  # bytes of a message, of which no more are read

    def initialize(
        self, application_context: ApplicationContext, bokeh_websocket_path: str
    ) -> None:
        self._context = application_context
        self._loop = IOLoop.current()
        self._visit: Visit | None = None

    check_origin = WSHandler.check_origin
    # Pings find a laptop that went away without closing the socket: its training would go on.
    ping_interval = PINGED_EVERY
    ping_timeout = PINGED_EVERY

    @property
    def visit(self) -> Visit | None:
        """Whose it is; None until the page has proved that."""
        return self._visit

    @property
    def max_message_size(self) -> int:
        """Bytes of a message, of which Tornado would read ten megabytes."""
        return self.LONGEST

    def open(self) -> None:
        self.set_nodelay(True)
        self._deadline = self._loop.call_later(PATIENCE, self._expect_visit)

    def _expect_visit(self) -> None:
        if self._visit is None:
            self.close(FORBIDDEN, "no token")

    def on_close(self) -> None:
        self._loop.remove_timeout(self._deadline)

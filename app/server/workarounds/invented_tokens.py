"""Bokeh makes a session for whatever token a socket brings: here, the token is read first."""

import base64
import functools
import logging
import time
import zlib
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from bokeh.core.types import ID
from bokeh.server.views.ws import WSHandler
from bokeh.util.token import check_token_signature

from app.server.workarounds.patching import replaced

log = logging.getLogger(__name__)

LARGEST = 2**19  # bytes of what a token packs; those of the request that it repeats are fewer
FORBIDDEN = 4403  # close code

type Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Token(msgspec.Struct):
    """The part of a token that is not packed."""

    session_id: Name
    session_expiry: float
    packed: str = msgspec.field(default="", name="__bk__zlib_")


class Bytes(msgspec.Struct):
    """Bytes, as a token has them."""

    bytes: str


class Request(msgspec.Struct):
    """The request that a token repeats, as far as it is used."""

    arguments: dict[str, list[Bytes]] = {}
    headers: dict[str, str | list[str]] = {}
    cookies: dict[str, str] = {}


def check_tokens_first(admits: Callable[[WSHandler, ID], bool]) -> None:
    """Close a socket whose token cannot be read, is over, or has a session that is not admitted.

    Bokeh 3.10 unpacks a token to any size, on the event loop, and by default anybody can make one:
    it makes the session, with a page, that the token names. Of all that it cannot read, and of a
    laptop that comes back after its token is over, the log has a traceback.
    """

    def checking(open_socket: Callable[[WSHandler], Any]) -> Callable[[WSHandler], Any]:
        @functools.wraps(open_socket)
        def check_and_open(self: WSHandler) -> Any:
            session = session_of(self._token or "")
            if session and _is_genuine(self) and admits(self, session):
                return open_socket(self)
            log.debug("a socket is closed for its token")
            self.close(FORBIDDEN, "no session")
            return None

        return check_and_open

    replaced(WSHandler, "open", checking)


def _is_genuine(socket: WSHandler) -> bool:
    app = socket.application
    return check_token_signature(
        str(socket._token), signed=app.sign_sessions, secret_key=app.secret_key
    )


def session_of(token: str) -> ID | None:
    """The session that a token names, unless the token is over or makes no sense."""
    try:
        read = msgspec.json.decode(_decoded(token.partition(".")[0]), type=Token)
        msgspec.json.decode(_unpacked(_decoded(read.packed)) or b"{}", type=Request)
    except (ValueError, RecursionError, zlib.error):
        return None
    return ID(read.session_id) if time.time() < read.session_expiry else None


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))


def _unpacked(packed: bytes) -> bytes:
    """What was packed, of which no more is unpacked than may be."""
    reader = zlib.decompressobj()
    found = reader.decompress(packed, LARGEST)
    if reader.unconsumed_tail:
        raise ValueError("this token is too large")
    return found

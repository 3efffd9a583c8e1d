"""Tornado reads what is announced on however many sockets: here, all of it is counted."""

import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketHandler, WebSocketProtocol13

from app.server.workarounds.patching import replaced

log = logging.getLogger(__name__)

TRY_AGAIN = 1013  # close code

type Keep = Callable[[WebSocketHandler, int], list[WebSocketHandler]]
type Read = Callable[[Any, int], Awaitable[bytes]]


def count_what_is_read(keep: Keep, drop: Callable[[WebSocketHandler], None]) -> None:
    """Tell, before each read, how many bytes a socket will keep then; close those that must.

    Tornado 6.5 has a limit for a message, none for all.
    """
    replaced(WebSocketProtocol13, "_read_bytes", functools.partial(_counting, keep))
    replaced(WebSocketProtocol13, "_receive_frame_loop", functools.partial(_dropping, drop))


def _counting(keep: Keep, read: Read) -> Read:
    @functools.wraps(read)
    async def read_counted(self: Any, n: int) -> bytes:
        for socket in keep(self.handler, n + _kept(self)):
            _close(socket)
            if socket is self.handler:
                raise StreamClosedError
        return await read(self, n)

    return read_counted


def _dropping(
    drop: Callable[[WebSocketHandler], None], receive: Callable[[Any], Awaitable[None]]
) -> Callable[[Any], Awaitable[None]]:
    @functools.wraps(receive)
    async def receive_and_drop(self: Any) -> None:
        handler = self.handler
        try:
            await receive(self)
        finally:
            drop(handler)

    return receive_and_drop


def _kept(protocol: Any) -> int:
    """Bytes of messages that are not complete: of Tornado's, and of Bokeh's, which have several."""
    receiver = getattr(protocol.handler, "receiver", None)
    return len(protocol._fragmented_message_buffer or b"") + getattr(receiver, "taken", 0)


def _close(socket: WebSocketHandler) -> None:
    log.info("a socket is closed: all together keep too much of messages that are not complete")
    protocol: Any = socket.ws_connection
    if protocol:
        protocol.close(TRY_AGAIN, "too much at once")
        protocol._abort()

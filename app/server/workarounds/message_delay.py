"""Bokeh handles whatever a browser sends as soon as it comes: here, some of it later."""

import asyncio
import functools
from collections.abc import Callable
from typing import Any

from bokeh.server.views.ws import WSHandler

from app.server.workarounds.patching import replaced


def handle_messages_in_time(wait: Callable[[WSHandler, str], float]) -> None:
    """Delay each message of a page by `wait` seconds; drop those of a closed socket.

    Bokeh 3.10 handles whatever comes as soon as it comes.
    """

    def in_time(handle: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(handle)
        async def handle_in_time(self: WSHandler, message: Any) -> Any:
            if _is_closed(self):  # its connection has no session any more, whose budget is asked
                return None
            await asyncio.sleep(wait(self, message.msgtype))
            return None if _is_closed(self) else await handle(self, message)

        return handle_in_time

    replaced(WSHandler, "_handle", in_time)


def _is_closed(handler: WSHandler) -> bool:
    socket: Any = handler.ws_connection
    connection: Any = handler.connection
    let_go = connection is not None and connection._session is None  # when the server stops
    return let_go or socket is None or socket.is_closing()

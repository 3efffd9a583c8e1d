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
            await asyncio.sleep(wait(self, message.msgtype))
            socket: Any = self.ws_connection
            if socket is None or socket.is_closing():
                return None
            return await handle(self, message)

        return handle_in_time

    replaced(WSHandler, "_handle", in_time)

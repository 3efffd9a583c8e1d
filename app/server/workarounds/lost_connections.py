"""Bokeh warns of each message that a closed page does not get: here, it is dropped in silence."""

import contextlib
from typing import Any

from bokeh.server.views.ws import WSHandler
from tornado.websocket import WebSocketClosedError

from app.server.workarounds.patching import replaced


def drop_what_comes_too_late() -> None:
    """Send a message unless the page has been closed.

    Bokeh 3.10 warns of each that it cannot send; whoever closes a page while it moves causes some.
    """
    replaced(WSHandler, "send_message", lambda before: _send_or_drop)


async def _send_or_drop(self: WSHandler, message: Any) -> None:
    with contextlib.suppress(WebSocketClosedError):  # the page is told nothing any more
        await message.send(self)

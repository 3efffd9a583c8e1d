"""The only channel between page and server for a person's actions: `{kind, name, value}`.

The browser reports presses, keys, changed settings and the results of actions; the server calls
the browser's actions: app/static/frames.js. What handles each kind is in app/page/parts.py. Frames
go over the frame channel.
"""

from collections.abc import Callable
from typing import Any

from panel.custom import JSComponent

type Handler = Callable[[str, str], None]

MOST = 16_000  # characters of a name or a value that a browser sends: a link is the longest


class Bridge(JSComponent):
    """An invisible component that carries messages both ways."""

    _esm = """
export function render({model}) {
  window.babysit_send = (message) => model.send_msg(message)
  window.babysit_waiting.splice(0).forEach(window.babysit_send)
  const opened = window.babysit_page.then(({opened}) => opened)
  model.on("msg:custom", async ({name, values}) => (await opened)[name](...values))
}
"""

    def __init__(self) -> None:
        super().__init__(width=0, height=0, margin=0)
        self._handlers: dict[str, Handler] = {}

    def on(self, kind: str, handler: Handler) -> None:
        """Call `handler(name, value)` for each message of a kind."""
        self._handlers[kind] = handler

    def forget(self) -> None:
        """Drop all handlers."""
        self._handlers = {}

    def do(self, action: str, *values: str) -> None:
        """Call one of the browser's actions."""
        self._send_msg({"name": action, "values": values})

    def _handle_msg(self, message: Any) -> None:
        self.receive(message)

    def receive(self, message: Any) -> None:
        """Handle a message of the browser, which may be anything."""
        match message:
            case {"kind": str(kind), "name": str(name), "value": str(value)} if (
                kind in self._handlers
            ):
                if max(len(name), len(value)) <= MOST:
                    self._handlers[kind](name, value)

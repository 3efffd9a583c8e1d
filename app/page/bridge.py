"""The only channel between page and server for a person's actions: `{kind, name, value}`.

The browser reports presses, keys, changed settings and the results of actions; the server calls
the browser's actions: app/static/frames.js. Frames go over the frame channel.
"""

from collections.abc import Callable
from typing import Any

from panel.custom import JSComponent

type Hear = Callable[[str, str], None]

MOST = 16_000  # characters of a name or a value that a browser sends: a link is the longest


class Bridge(JSComponent):
    """An invisible component that carries messages both ways."""

    _esm = """
export function render({model}) {
  window.babysit_tell = (message) => model.send_msg(message)
  window.babysit_waiting.splice(0).forEach(window.babysit_tell)
  const opened = window.babysit_page.then(({opened}) => opened)
  model.on("msg:custom", async ({name, words}) => (await opened)[name](...words))
}
"""

    def __init__(self) -> None:
        super().__init__(width=0, height=0, margin=0)
        self._hears: dict[str, Hear] = {}

    def on(self, kind: str, hear: Hear) -> None:
        """Call `hear(name, value)` for each message of a kind."""
        self._hears[kind] = hear

    def do(self, action: str, *words: str) -> None:
        """Call one of the browser's actions."""
        self._send_msg({"name": action, "words": words})

    def _handle_msg(self, message: Any) -> None:
        self.receive(message)

    def receive(self, message: Any) -> None:
        """Handle a message of the browser, which may be anything."""
        match message:
            case {"kind": str(kind), "name": str(name), "value": str(value)} if kind in self._hears:
                if max(len(name), len(value)) <= MOST:
                    self._hears[kind](name, value)

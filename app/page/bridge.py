"""The one way between a page and its server for what a person does: `{kind, name, value}`.

The browser tells what was pressed, which key, what was turned, and what became of an action; the
server has it do what it alone can: static/actions.js. What ticks goes over the frame channel.
"""

from collections.abc import Callable
from typing import Any

from panel.custom import JSComponent

type Hear = Callable[[str, str], None]

MOST = 4000  # characters of a name or a value that a browser sends


class Bridge(JSComponent):
    """A part of the page that shows nothing, and carries messages both ways."""

    _esm = """
export function render({model}) {
  window.babysit_tell = (message) => model.send_msg(message)
  model.on("msg:custom", ({name, words}) => window.babysit[name](...words))
}
"""

    def __init__(self) -> None:
        super().__init__(width=0, height=0, margin=0)
        self._hears: dict[str, Hear] = {}

    def on(self, kind: str, hear: Hear) -> None:
        """Call `hear(name, value)` at each message of a kind."""
        self._hears[kind] = hear

    def do(self, action: str, *words: str) -> None:
        """Have the browser do one of its actions."""
        self._send_msg({"name": action, "words": words})

    def _handle_msg(self, message: Any) -> None:
        """Hear what the browser tells, which may be anything."""
        match message:
            case {"kind": str(kind), "name": str(name), "value": str(value)} if kind in self._hears:
                if max(len(name), len(value)) <= MOST:
                    self._hears[kind](name, value)

"""Changes of a visitor's page from other threads, such as those of a class room."""

import logging
from collections.abc import Callable

from bokeh.document import Document

from app.page.bridge import Bridge
from app.page.buttons import Presses
from app.panel_document import guarded, notify

log = logging.getLogger(__name__)

REMARK = 12_000  # milliseconds for which one is shown


class PageAccess:
    """Any thread may call its methods; Bokeh's event loop carries them out."""

    def __init__(self, document: Document, bridge: Bridge, presses: Presses) -> None:
        self._locked = document.locked_callback
        self._bridge, self._presses = bridge, presses

    def callback(self, change: Callable[[], None]) -> Callable[[], None]:
        """What makes a change when it is called, from any thread."""
        return self._locked(guarded(change))

    def change(self, change: Callable[[], None]) -> None:
        """Change the page, unless its session has ended."""
        try:
            self.callback(change)()
        except RuntimeError:
            log.debug("the page has left")

    def do(self, action: str, *values: str) -> None:
        """Call an action of the browser."""
        self.change(lambda: self._bridge.do(action, *values))

    def press(self, name: str, value: str = "") -> None:
        """Do what a button does."""
        self.change(lambda: self._presses.press(name, value))

    def notify(self, text: str) -> None:
        """Show a message that stays until the visitor closes it."""
        self._locked(notify)(text)

    def remark(self, text: str) -> None:
        """Show a message that goes by itself, since it is not true for long."""
        self._locked(lambda: notify(text, REMARK))()

"""Panel handles widget events on the event loop: here, on a thread."""

import logging
from collections.abc import Callable
from typing import Any

import panel as pn
from bokeh.document import Document
from bokeh.events import Event
from panel.io.state import set_curdoc
from panel.reactive import Syncable

from app.server.workarounds.patching import replaced

log = logging.getLogger(__name__)


def handle_events_on_threads() -> None:
    """Handle widget events on a thread, not on the event loop.

    Panel 1.10.0 has coroutines for it, which run on the loop: whatever a click builds would hold up
    every visitor. A plain function is called on a thread, with the page's lock (Bokeh 3.10,
    https://github.com/bokeh/bokeh/issues/15294).
    """
    # Panel counts the events of all visitors in one list, behind one lock, and rebuilds it three
    # times an event; its cleanup would, on a thread, schedule itself for ever. Nothing reads it.
    state, needed = type(pn.state), ("_change_coroutine", "_event_coroutine")
    counting = "_add_busy_event", "_remove_busy_event"
    if not all(hasattr(Syncable, name) for name in needed):
        log.warning("widgets keep their events on the event loop: Panel is not the one known here")
    elif all([replaced(state, x, lambda before: lambda state, event: None) for x in counting]):
        for name, ours in zip(needed, (_change, _event), strict=True):
            setattr(Syncable, name, ours)


def _change(self: Syncable, document: Document, event_id: str | None = None) -> None:
    """Apply the values that a widget has in the browser, once."""
    waiting = pn.state._change_callbacks.get(document, {})
    if event_id is not None and waiting.pop(event_id, None) is None:
        return
    if not waiting:
        pn.state._change_callbacks.pop(document, None)
    _attempt(lambda: self._change_event(document), document)


def _event(self: Syncable, document: Document, event: Event) -> None:
    """Handle a click, after the values that came before it."""
    changes: Any = pn.state._change_callbacks.get(document, {})
    for change in list(changes.values()):
        change()
    _attempt(lambda: self._process_bokeh_event(document, event), document)


def _attempt(act: Callable[[], Any], document: Document) -> None:
    with set_curdoc(document):
        try:
            act()
        except Exception as error:  # shown to the visitor
            pn.state._handle_exception(error)

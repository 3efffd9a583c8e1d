"""What a visitor does with a widget is dealt with on a thread, not on the event loop.

Panel 1.10.0 has a coroutine for it, and those run on the loop: whatever a click or a choice builds
would hold up every visitor. A plain function is called on a thread, with the page's lock (Bokeh
3.10).
"""

import logging
from typing import Any

import panel as pn
from bokeh.document import Document
from bokeh.events import Event
from panel.io.state import set_curdoc
from panel.reactive import Syncable

log = logging.getLogger(__name__)

REPLACED = ("_change_coroutine", "_event_coroutine")
BUSY = "_schedule_busy_cleanup"


def install() -> None:
    """Have all widgets' events dealt with on threads; called before there are any."""
    if not all(hasattr(Syncable, x) for x in REPLACED) or not hasattr(type(pn.state), BUSY):
        log.warning("widgets keep their events on the event loop: Panel is not the one known here")
        return
    Syncable._change_coroutine = _change  # type: ignore[assignment, method-assign]
    Syncable._event_coroutine = _happen  # type: ignore[assignment, method-assign]
    # Asked for on a thread, Panel's look at what has been busy for too long begins anew for ever,
    # with the page's lock. Nobody asks what is busy, and each event ends that by itself.
    setattr(type(pn.state), BUSY, lambda state: None)


def _change(self: Syncable, document: Document, event_id: str | None = None) -> None:
    """Take over the values that a widget has in the browser, once."""
    waiting = pn.state._change_callbacks.get(document, {})
    if event_id is not None and waiting.pop(event_id, None) is None:
        return
    if not waiting:
        pn.state._change_callbacks.pop(document, None)
    _attempt(lambda: self._change_event(document), document)


def _happen(self: Syncable, document: Document, event: Event) -> None:
    """Deal with a click, after the values that came before it."""
    changes: Any = pn.state._change_callbacks.get(document, {})
    for change in list(changes.values()):
        change()
    _attempt(lambda: self._process_bokeh_event(document, event), document)


def _attempt(deal: Any, document: Document) -> None:
    with set_curdoc(document):
        try:
            deal()
        except Exception as error:  # is told to the visitor
            pn.state._handle_exception(error)

"""Where Panel, Bokeh and Tornado have to be reached into: they have no public way.

Each function says what it mends, in which version, and where that is spoken of. If what it needs is
no longer there, it warns and leaves everything as it is: the page still works, if more slowly.
"""

import asyncio
import functools
import logging
from collections.abc import Callable
from typing import Any

import panel as pn
from bokeh.document import Document
from bokeh.events import Event
from bokeh.server.views.ws import WSHandler
from panel.io import server
from panel.io.state import set_curdoc
from panel.reactive import Syncable

log = logging.getLogger(__name__)


def replaced(owner: Any, name: str, make: Callable[[Any], Any]) -> bool:
    """Put something else in the place of what an owner has, made of that; whether it is there.

    Once: hooks may run more often.
    """
    before = getattr(owner, name, None)
    if before is None:
        of = getattr(owner, "__name__", type(owner).__name__)
        log.warning("%s has no %s any more: nothing is mended there", of, name)
        return False
    if not getattr(before, "mended", False):
        after = make(before)
        after.mended = True
        setattr(owner, name, after)
    return True


# ---- widgets ------------------------------------------------------------------------------------


def deal_with_events_on_threads() -> None:
    """Have what a visitor does with a widget dealt with on a thread, not on the event loop.

    Panel 1.10.0 has coroutines for it, which run on the loop: whatever a click builds would hold up
    every visitor. A plain function is called on a thread, with the page's lock (Bokeh 3.10,
    https://github.com/bokeh/bokeh/issues/15294).
    """
    # Asked for on a thread, Panel's look at what has been busy for too long begins anew for ever,
    # with the page's lock. Nobody asks what is busy, and each event ends that by itself.
    state, needed = type(pn.state), ("_change_coroutine", "_event_coroutine")
    if not all(hasattr(Syncable, name) for name in needed):
        log.warning("widgets keep their events on the event loop: Panel is not the one known here")
    elif replaced(state, "_schedule_busy_cleanup", lambda before: lambda state: None):
        for name, ours in zip(needed, (_change, _happen), strict=True):
            setattr(Syncable, name, ours)


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


def _attempt(deal: Callable[[], Any], document: Document) -> None:
    with set_curdoc(document):
        try:
            deal()
        except Exception as error:  # is told to the visitor
            pn.state._handle_exception(error)


# ---- pages --------------------------------------------------------------------------------------


def gather_resources_once() -> None:
    """Gather the scripts and styles that a page names once: they are the same for every page.

    It takes Panel 1.10.0 longer than everything else that a page's first answer needs.
    """

    def once(gather: Callable[..., Any]) -> Callable[..., Any]:
        gathered: dict[str, Any] = {}

        def gather_once(*args: Any, **kwargs: Any) -> Any:
            place = str(pn.state.rel_path)  # where the page lies on the server
            if place not in gathered:
                gathered[place] = gather(*args, **kwargs)
            return gathered[place]

        return gather_once

    replaced(server, "bundle_resources", once)


def forget_notifications(document: Document) -> None:
    """Let go of the notifications that Panel 1.10.0 keeps of a page that is gone.

    Of all else it lets go (https://github.com/holoviz/panel/issues/8605).
    """
    views: Any = getattr(pn.state, "_views", {})
    for reference in [name for name, (_, _, owner, _) in views.items() if owner is document]:
        del views[reference]


def token_of(context: Any) -> str:
    """The token by which a page's session is known, before there is a session (Bokeh 3.10)."""
    return str(context._token)


def bundle_of(component: Any) -> str:
    """The address of the module from which a Material component is loaded (Panel 1.10.0)."""
    return str(component._render_esm(server=True))


# ---- sockets ------------------------------------------------------------------------------------


def handle_messages_in_time(wait: Callable[[WSHandler, str], float]) -> None:
    """Handle a page's messages after so many seconds each, by their kind; none of a closed socket.

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

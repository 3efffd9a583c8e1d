"""Parts of a closed page stay until all memory is searched: here, they are freed at once."""

import functools
from collections.abc import Callable
from typing import Any

import panel as pn
from bokeh.document import Document
from bokeh.document.callbacks import DocumentCallbackManager
from bokeh.model import Model
from bokeh.server.callbacks import SessionCallback
from bokeh.server.views.ws import WSHandler
from panel.io import document as panel_document

from app.server.workarounds.closed_components import let_go
from app.server.workarounds.patching import replaced


def forget_notifications(document: Document) -> None:
    """Drop the notifications that Panel 1.10.0 keeps of a page that is gone.

    It drops all else itself (https://github.com/holoviz/panel/issues/8605).
    """
    views: Any = getattr(pn.state, "_views", {})
    for reference in [name for name, (_, _, owner, _) in views.items() if owner is document]:
        del views[reference]


def collect_no_garbage_of_a_page() -> None:
    """Leave closed pages to `memory.py`, which frees them without a search of all memory.

    Panel 1.10.0 searches all memory whenever a page is closed (https://github.com/holoviz/panel/pull/6518).
    """
    replaced(panel_document, "_garbage_collect", lambda before: lambda: None)


def cut_what_is_closed() -> None:
    """Let a closed document's models, callbacks and socket be freed at once.

    In Bokeh 3.10 they are in reference cycles, which only a search of all memory finds.
    """
    replaced(Model, "destroy", _letting_go)
    replaced(DocumentCallbackManager, "remove_session_callback", _dropping)
    replaced(DocumentCallbackManager, "destroy", _with_what_is_called)
    replaced(WSHandler, "on_close", _hanging_up)


def _letting_go(destroy: Callable[[Model], None]) -> Callable[[Model], None]:
    """A model is held by the values that it has not changed."""

    @functools.wraps(destroy)
    def destroy_and_let_go(self: Model) -> None:
        destroy(self)
        let_go(self)

    return destroy_and_let_go


def _dropping(remove: Callable[..., None]) -> Callable[..., None]:
    """A callback that is called once holds what removes it."""

    @functools.wraps(remove)
    def remove_and_drop(self: DocumentCallbackManager, callback: SessionCallback) -> None:
        remove(self, callback)
        vars(callback).pop("_callback", None)

    return remove_and_drop


def _with_what_is_called(destroy: Callable[..., None]) -> Callable[..., None]:
    """A document destroys neither what it calls in the browser nor its configuration."""

    @functools.wraps(destroy)
    def destroy_with_those(self: DocumentCallbackManager) -> None:
        made: Any = self._document()
        called = [model for those in self._js_event_callbacks.values() for model in those]
        destroy(self)
        for model in [*called, *([made.config] if made else [])]:
            model.destroy()

    return destroy_with_those


def _hanging_up(close: Callable[[WSHandler], None]) -> Callable[[WSHandler], None]:
    """A socket and its connection hold each other.

    When the server stops, or could not ping a page, Bokeh has taken the session from the connection
    before the socket is closed, where it fails with an `AssertionError`.
    """

    @functools.wraps(close)
    def close_and_hang_up(self: WSHandler) -> None:
        if self.connection is None or self.connection._session is not None:
            close(self)
        self.connection = None

    return close_and_hang_up

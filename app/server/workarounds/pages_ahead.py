"""Bokeh builds a page when it is requested: here, a page may have been built ahead."""

import asyncio
import logging
import weakref
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import Any, Protocol

import panel as pn
from bokeh.core.types import ID
from bokeh.document import Document
from bokeh.server import contexts
from bokeh.server.contexts import ApplicationContext, BokehSessionContext
from bokeh.server.request import ServerRequest
from bokeh.util.token import get_token_payload
from panel.io.application import Application as PanelApplication
from panel.io.location import Location
from panel.io.state import set_curdoc
from panel.util.parameters import edit_readonly

from app.server.workarounds.closed_components import cut_components
from app.server.workarounds.patching import replaced

log = logging.getLogger(__name__)

PLACE = "href", "hostname", "pathname", "protocol", "port", "search", "hash"  # of an address

AHEAD = ID("ahead")  # of a page that is built before it has a session


class DocumentAhead:
    """A document that is built before there is a request, and can be given to a session.

    A session that nobody has connected to can give it back.
    """

    def __init__(self, context: ApplicationContext) -> None:
        self.document = Document()
        # A document needs a session meanwhile.
        self._session = BokehSessionContext(AHEAD, context.server_context, self.document)
        plain = ServerRequest("GET", str(context.url), str(context.url))
        self._session._request = contexts._RequestProxy(plain, arguments={}, cookies={}, headers={})
        self._leave_session()
        context.application.initialize_document(self.document)
        self._callbacks = [(of, _copied(of)) for of in self._by_event()]
        self._over = set(self.document.callbacks.session_destroyed_callbacks)
        self._on_load = list(pn.state._onload.get(self.document, []))

    def _by_event(self) -> list[dict[Any, list[Any]]]:
        callbacks: Any = self.document.callbacks
        return [callbacks._event_callbacks, callbacks._js_event_callbacks]

    def _leave_session(self) -> None:
        self.document._session_context = weakref.ref(self._session)

    @property
    def waits(self) -> bool:
        """Whether a change of the document waits for its session."""
        return bool(self.document.session_callbacks)

    def put_back(self) -> None:
        """Drop what the document was given for a session that is over."""
        for of, before in self._callbacks:
            of.clear()
            of.update(_copied(before))
        self.document.callbacks.session_destroyed_callbacks = set(self._over)
        pn.state._onload[self.document] = list(self._on_load)
        self._leave_session()


def _copied(callbacks: Mapping[Any, list[Any]]) -> dict[Any, list[Any]]:
    return {event: list(those) for event, those in callbacks.items()}


class Built(Protocol):
    """A page that was built ahead."""

    @property
    def document(self) -> Document:
        """What was built."""

    def begin(self) -> None:
        """Complete it for the session that it has now."""


type Take = Callable[[ApplicationContext, Mapping[str, Any]], Awaitable[Built | None]]

TAKEN: ContextVar[Built | None] = ContextVar("taken", default=None)  # by the session being made


TURNS: weakref.WeakKeyDictionary[ApplicationContext, asyncio.Lock] = weakref.WeakKeyDictionary()


def turn_to_build(context: ApplicationContext) -> asyncio.Lock:
    """The turn of one page to be built, for which the others wait without a thread.

    Bokeh 3.10 builds one at a time as well, but each that waits has a thread of those on which the
    changes of all pages are made.
    """
    return TURNS.setdefault(context, asyncio.Lock())


def give_pages_away(take: Take) -> bool:
    """Let a new session have a page that was built ahead, if `take` finds one for its address.

    Whether that can be done is returned.

    Bokeh 3.10 makes an empty document for each session, and has the application fill it.
    """
    needed = "_create_session", "_initialize_document_async"
    if not all(hasattr(ApplicationContext, name) for name in needed):
        log.warning("pages are not built ahead: Bokeh is not the one known here")
        return False
    return (
        replaced(contexts, "Document", _document_taken)
        and replaced(ApplicationContext, needed[0], lambda create: _taking(create, take))
        and replaced(ApplicationContext, needed[1], _beginning)
    )


def _document_taken(make: Callable[[], Document]) -> Callable[[], Document]:
    return lambda: page.document if (page := TAKEN.get()) else make()


def _taking(create: Callable[..., Any], take: Take) -> Callable[..., Any]:
    async def create_session(
        self: ApplicationContext, session_id: ID, request: Any = None, token: str | None = None
    ) -> Any:
        if token:
            asked: Any = get_token_payload(token)
            TAKEN.set(await take(self, asked.get("arguments", {})))
        return await create(self, session_id, request, token)

    return create_session


def _beginning(initialize: Callable[..., Any]) -> Callable[..., Any]:
    async def begin_or_initialize(self: ApplicationContext, given: Document) -> None:
        page, application = TAKEN.get(), self.application
        if page is None:
            async with turn_to_build(self):
                await initialize(self, given)
            return
        if isinstance(application, PanelApplication):
            application._set_session_prefix(given)
        with set_curdoc(given):
            page.begin()

    return begin_or_initialize


def take_over(made: Document) -> None:
    """Tell a page that was built ahead the address at which it was requested."""
    context: Any = made.session_context
    location: Any = pn.state.location
    found = Location.from_request(context.request)
    with edit_readonly(location):
        location.param.update({name: getattr(found, name) for name in PLACE})
    cut_components([found])

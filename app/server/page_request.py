"""Answers a request for the page: makes a visit, and has the browser open the page.

A page may have been built ahead of the request; then the visit just begins.
"""

import asyncio
import logging
from contextvars import Context
from dataclasses import dataclass
from typing import Any

import panel as pn
from bokeh.core.types import ID
from bokeh.document import Document
from bokeh.models import CustomJS
from bokeh.server.contexts import ApplicationContext
from panel.io.resources import get_dist_path
from panel.models.esm import ReactiveESM
from tornado.ioloop import IOLoop

from app import theme
from app.limits import LIMITS
from app.page.keyboard import KEYS
from app.panel_document import FAILED, arguments_of, document_of_now, guarded, report
from app.plots.updates import WHILE_DRAGGED
from app.server.ready_pages import LOAN, ReadyPages
from app.server.session import VISITS, Visit
from app.server.unseen_pages import STAYS, UnseenPages
from app.server.workarounds.pages_ahead import AHEAD, DocumentAhead, take_over, turn_to_build
from app.server.workarounds.sessions import end_unless_connected, token_of
from app.sharing import run_links
from app.sharing.run_links import Arguments, PageLink
from app.stylesheets import css

log = logging.getLogger(__name__)

FULL = "Babysit is full just now: all its places are taken."
CLASS = 30  # pages that an address may request at once, however few places there are
NAME = 8  # characters of a session's name by which the log calls its visitor; they open nothing

START = """
export default async (given) => {
  const {open} = await window.babysit_page
  open(given)
}
"""


@dataclass(frozen=True)
class ReadyPage:
    """A page that was built ahead."""

    ahead: DocumentAhead
    context: ApplicationContext
    visit: Visit

    @property
    def document(self) -> Document:
        """What was built."""
        return self.ahead.document

    def begin(self) -> None:
        """A visitor opens the page; a failure is shown in it."""
        guarded(self._begin)()

    def _begin(self) -> None:
        self.visit.request(run_links.read(arguments_of(self.document)))
        take_over(self.document)
        READY.lend(_begin(self.document, self.visit), self)

    @property
    def unseen(self) -> bool:
        """Whether it is as it was built, since nobody has connected to it."""
        return self.visit.unseen and not self.ahead.waits


READY = ReadyPages[ReadyPage](LIMITS.ready_pages, lambda: VISITS.taken)
UNSEEN_PAGES = UnseenPages(max(VISITS.most, CLASS))
BUILT: dict[Document, Visit] = {}  # of the page that is being built ahead


def build_ahead(context: ApplicationContext) -> ReadyPage:
    """A page for any visitor whose address changes nothing of how it begins, with its run."""
    page = build(context)
    page.visit.prepare()
    return page


def build(context: ApplicationContext) -> ReadyPage:
    """Such a page, whose run is set up once it is connected."""
    ahead = DocumentAhead(context)
    return ReadyPage(ahead, context, BUILT.pop(ahead.document))


async def give_away(context: ApplicationContext, arguments: Arguments) -> ReadyPage | None:
    """A page for a new session with this address, unless the address changes how it begins."""
    if not (run_links.read(arguments).begins_plainly and VISITS.admit()):
        return None
    page = READY.take()
    if page and page.context is context:
        return page
    if not READY.most:  # it would not be taken back either
        return None
    try:
        async with turn_to_build(context):
            return await asyncio.to_thread(build, context)
    except Exception:  # the page that is built without it says that it failed
        log.exception("no page could be built ahead of its session")
        return None


def is_ready(arguments: Arguments) -> bool:
    """Whether a page for a request with these arguments is there already."""
    return READY.spare and run_links.read(arguments).begins_plainly


def expect_browser(context: ApplicationContext, session: ID, builder: str) -> None:
    """End the session of a page soon, unless a browser connects to it.

    `builder` is the address for which it was built; empty if it was ready.
    """
    loop = IOLoop.current()
    for old in UNSEEN_PAGES.add(session, builder):
        loop.add_callback(end_unless_connected, context, ID(old))
    # In an empty context: that of the request would keep the page for as long.
    Context().run(loop.call_later, LOAN, recall, context, session)


def give_up_one(context: ApplicationContext) -> None:
    """End the session least likely to get a browser: its place is for whoever was refused."""
    for old in UNSEEN_PAGES.give_up():
        IOLoop.current().add_callback(end_unless_connected, context, ID(old))


async def recall(context: ApplicationContext, session: ID) -> None:
    """End the session of a page, unless a browser has connected to it."""
    if UNSEEN_PAGES.drop(session):
        await end_unless_connected(context, session)


def browser_connected(session: str) -> None:
    """A browser has connected to this session, for the first time or again: it takes a place."""
    READY.end_loan(session)
    if visit := VISITS.get(session):
        visit.reconnect(None)
    if address := UNSEEN_PAGES.connect(session):
        loop = IOLoop.current()
        Context().run(loop.call_later, STAYS, bring_back, UNSEEN_PAGES, session, address)


def bring_back(pages: UnseenPages, session: str, address: str) -> None:
    """Return the right to a page, unless its browser has left."""
    visit = VISITS.get(session)
    if visit and visit.presence.takes_place:
        pages.give_back(address)


def take_back(session: str) -> bool:
    """Take the page of a session that is over, which nobody has seen, for the next request."""
    UNSEEN_PAGES.drop(session)
    page = READY.end_loan(session)
    if not (page and page.unseen) or READY.full:
        return False
    del VISITS[session]
    page.ahead.put_back()
    READY.add(page)
    return True


def open_page() -> None:
    """Answer a request for the page; a failure is shown in the page."""
    pn.extension(
        reconnect=True,
        notifications=True,
        lazy_resources=False,
        exception_handler=report,
        apply_signatures=False,  # of all components, for notebooks: 10 ms for each visitor
    )
    document = document_of_now()
    guarded(_answer)(document)
    if not document.roots:
        pn.pane.HTML(FAILED).servable()


def _answer(document: Document) -> None:
    context = document.session_context
    if context and context.id == AHEAD:
        BUILT[document] = _built(document, PageLink())
    elif VISITS.admit():
        link = run_links.read(arguments_of(document))
        _begin(document, _built(document, link))
    else:  # a full server sends no page: only a socket gets here
        pn.pane.HTML(FULL).servable()


def _built(document: Document, link: PageLink) -> Visit:
    """The page of a visit, in this document."""
    # Panel sets this only once it answers a request for the page. A session that a socket brings
    # back after the server forgot it would take its styles from the internet (Panel 1.10.0).
    document.template_variables["dist_url"] = get_dist_path()
    document.template_variables["keys"] = list(KEYS)
    visit = Visit(link)
    document.theme = theme.OWN_AXES
    visit.parts.layout.page.servable()
    document.template_variables["module"] = _module_of_controls(document)
    return visit


def _module_of_controls(document: Document) -> str | None:
    """The address of Material's module, which the browser would ask for last of all."""
    components = (model for model in document.models if isinstance(model, ReactiveESM))
    return next((str(x.esm) for x in components if x.bundle == "url"), None)


def _begin(document: Document, visit: Visit) -> ID:
    """A visitor opens the page, in this session."""
    context: Any = document.session_context
    if context is None:  # rendered without a server: no browser will connect
        return ID("")
    visit.name = context.id[:NAME]
    VISITS[context.id] = visit
    visit.attach(document)
    # With the session's token, which Bokeh gives it too, the page proves which frames are its own.
    token = token_of(context)
    document.template_variables["watching"] = {
        **{"token": token, "first": visit.parts.layout.views[:1]},
        **{"bar": css("reconnect"), "projector": theme.FOR_PROJECTOR},
    }
    known = {
        **{"token": token, "narrowest": theme.TABLET + 1, "classroom": css("classroom")},
        **{"slider": "learning_rate", "dragged": CustomJS(code=WHILE_DRAGGED)},
        **{"asked": css("buttons", "question_mark")},
    }
    document.js_on_event("document_ready", CustomJS(code=START, args=known))
    return ID(context.id)

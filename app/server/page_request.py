"""Answers a request for the page: makes a visit, and has the browser open the page."""

from typing import Any

import panel as pn
from bokeh.document import Document
from bokeh.models import CustomJS
from panel.io.resources import get_dist_path

from app import theme
from app.page.keyboard import KEYS
from app.panel_document import FAILED, arguments_of, document_of_now, guarded, report
from app.plots.updates import WHILE_DRAGGED
from app.server.session import VISITS, Visit
from app.server.workarounds import token_of
from app.sharing import run_links
from app.stylesheets import css

FULL = "There is no room just now: all places of this laboratory are taken."
NAME = 8  # characters of a session's name by which the log calls its visitor; they open nothing

START = """
export default async (given) => {
  const {open} = await window.babysit_page
  open(given)
}
"""


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
    guarded(_build_page)(document)
    if not document.roots:
        pn.pane.HTML(FAILED).servable()


def _build_page(document: Document) -> None:
    if not VISITS.make_room():  # a full server answers without a page; only a socket gets here
        pn.pane.HTML(FULL).servable()
        return
    # Panel sets this only once it answers a request for the page. A session that a socket brings
    # back after the server forgot it would take its styles from the internet (Panel 1.10.0).
    document.template_variables["dist_url"] = get_dist_path()
    document.template_variables["keys"] = list(KEYS)
    arguments = arguments_of(document)
    visit = Visit(run_links.read(arguments))
    document.theme = theme.OWN_AXES
    visit.layout.page.servable()
    context: Any = document.session_context
    if context is None:  # rendered without a server: no browser will connect
        return
    visit.name = context.id[:NAME]
    VISITS[context.id] = visit
    visit.belong_to(document)
    # With the session's token, which Bokeh gives it too, the page proves which frames are its own.
    token = token_of(context)
    document.template_variables["watching"] = {
        **{"token": token, "first": visit.layout.views[:1]},
        **{"bar": css("way_back"), "hall": theme.HALL},
    }
    known = {
        **{"token": token, "narrowest": theme.TABLET + 1, "classroom": css("classroom")},
        **{"slider": "learning_rate", "dragged": CustomJS(code=WHILE_DRAGGED)},
        **{"asked": css("buttons", "question_mark")},
    }
    document.js_on_event("document_ready", CustomJS(code=START, args=known))
    pn.state.onload(visit.arrive)

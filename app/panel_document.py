"""The Bokeh document of the page that is being served or changed."""

import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import panel as pn
from bokeh.document import Document

log = logging.getLogger(__name__)

FAILED = (
    "Something failed on this page; the server's log says what. The run itself is not affected: go"
    " on, or load the page anew."
)


def document_of_now() -> Document:
    """The page's document."""
    document = pn.state.curdoc
    if document is None:
        raise RuntimeError("there is no document here: start this with `panel serve app`")
    return document


def arguments_of(document: Document) -> Mapping[str, Sequence[bytes]]:
    """The query arguments of the page's address."""
    context: Any = document.session_context
    return context.request.arguments if context and context.request else {}


def address_of_page() -> str:
    """The page's address in the browser, without its query."""
    location = pn.state.location
    href = str(location.href or "") if location else ""
    return href.partition("?")[0].partition("#")[0]


def notify(text: str, milliseconds: int = 0) -> None:
    """Show a message for so long; 0: until the visitor closes it."""
    if pn.state.notifications:
        pn.state.notifications.info(text, duration=milliseconds)


def report(error: Exception) -> None:
    """Log an error from a change of the page, and show a message in the page."""
    log.error("a change of the page failed", exc_info=error)
    if pn.state.notifications:
        pn.state.notifications.error(FAILED, duration=0)


def guarded[**P](change: Callable[P, None]) -> Callable[P, None]:
    """A callback whose errors are logged and shown in the page."""

    @functools.wraps(change)
    def attempt(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            change(*args, **kwargs)
        except Exception as error:
            report(error)

    return attempt

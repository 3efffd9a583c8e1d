"""Sockets whose session this server does not have: it makes one, with a page, as for a request.

A page comes back so after a restart of the server, or to another process. Whoever invents a token
asks for the same, so it needs the same rights as a request for the page.
"""

from bokeh.core.types import ID
from bokeh.server.views.ws import WSHandler

from app.server.http_handlers import ADDRESSES
from app.server.page_request import UNSEEN_PAGES, expect_browser
from app.server.senders import sender_of
from app.server.workarounds.sessions import has_session


def admits(socket: WSHandler, session: ID) -> bool:
    """Whether a socket may have this session, which is made unless it is there."""
    context, address = socket.application_context, sender_of(socket.request)
    if has_session(context, session):
        return True
    if not (ADDRESSES.lets_in(address) and UNSEEN_PAGES.may_build(address)):
        return False
    expect_browser(context, session, address)
    return True

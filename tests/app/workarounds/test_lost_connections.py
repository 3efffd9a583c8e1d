"""What a closed page does not get is no matter for the log."""

import asyncio
import logging
from types import SimpleNamespace

import pytest
from bokeh.server.views.ws import WSHandler
from tornado.websocket import WebSocketClosedError

from app.server.workarounds.closed_documents import cut_what_is_closed
from app.server.workarounds.lost_connections import drop_what_comes_too_late


class Lost:
    """A message whose page closes while it is sent."""

    async def send(self, socket: object) -> None:
        raise WebSocketClosedError


@pytest.mark.parametrize("told", [True, False])
def test_a_message_to_a_closed_page_is_dropped_without_a_line_in_the_log(restored, caplog, told):
    if not told:
        drop_what_comes_too_late()
    with caplog.at_level(logging.INFO, logger="bokeh.server.views.ws"):
        asyncio.run(WSHandler.send_message(SimpleNamespace(), Lost()))
    assert bool(caplog.records) is told  # Bokeh alone warns


class Session:
    """Counts how often it is told that a connection is lost."""

    lost = 0

    def notify_connection_lost(self) -> None:
        self.lost += 1


class Connection:
    """A socket's connection to a session, which may have let go of it."""

    def __init__(self, session: Session | None) -> None:
        self._session = session

    @property
    def session(self) -> Session:
        assert self._session is not None  # as Bokeh does
        return self._session


def closed(session: Session | None) -> SimpleNamespace:
    """A socket after its end, whose connection has this session, or none any more."""
    app = SimpleNamespace(client_lost=lambda connection: None)
    found = SimpleNamespace(application=app, close_code=1001, close_reason="")
    found.connection = Connection(session)
    WSHandler.on_close(found)
    return found


def test_a_socket_closes_after_its_session_has_let_go_of_it(restored):
    with pytest.raises(AssertionError):
        closed(None)
    cut_what_is_closed()
    session = Session()
    assert closed(None).connection is closed(session).connection is None
    assert session.lost == 1

"""Messages wait for the budget of their page; of a closed socket none is handled."""

import asyncio
from types import SimpleNamespace

import pytest
from bokeh.server.views.ws import WSHandler

from app.server.workarounds.message_delay import handle_messages_in_time

MESSAGE = SimpleNamespace(msgtype="PULL-DOC-REQ")


@pytest.fixture
def done(monkeypatch) -> list[str]:
    """What happens to a message, in order."""
    done: list[str] = []

    async def handle(socket: object, message: object) -> None:
        done.append("handled")

    def wait(socket: object, kind: str) -> float:
        done.append("waited")
        return 0.0

    monkeypatch.setattr(WSHandler, "_handle", handle)
    handle_messages_in_time(wait)
    return done


def send(closing: list[bool], connection: object = None) -> None:
    """A message comes to a socket, which is closed or not whenever that is asked."""
    line = SimpleNamespace(is_closing=lambda: closing.pop(0))
    handle = vars(WSHandler)["_handle"]
    asyncio.run(handle(SimpleNamespace(ws_connection=line, connection=connection), MESSAGE))


@pytest.mark.parametrize(
    ("closing", "what"),
    [([False, False], ["waited", "handled"]), ([False, True], ["waited"]), ([True], [])],
)
def test_a_message_is_handled_if_its_socket_is_open_before_and_after_its_turn(done, closing, what):
    send(closing)
    assert done == what


def test_a_message_that_comes_while_the_server_stops_is_dropped(done):
    send([False, False], SimpleNamespace(_session=object()))
    assert done == ["waited", "handled"]
    send([False, False], SimpleNamespace(_session=None))
    assert done == ["waited", "handled"]

"""A page has few document sockets at once, and no message of one grows without end."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from bokeh.protocol import Protocol
from bokeh.protocol.exceptions import ValidationError
from bokeh.protocol.receiver import Receiver
from bokeh.server.connection import ServerConnection
from bokeh.server.views.ws import WSHandler
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from app.server import channel_limits
from app.server.channel_limits import TOO_MANY
from app.server.workarounds.document_sockets import (
    PART,
    follow_document_sockets,
    limit_messages,
)
from tests.served_page import ServedPage, serve_to_the_end
from tests.waiting import PATIENCE

SMALL = 10_000


@pytest.fixture(scope="module")
def served() -> Iterator[ServedPage]:
    with serve_to_the_end() as served:
        yield served


def test_the_oldest_of_too_many_sockets_of_one_page_closes(served, monkeypatch):
    monkeypatch.setattr(channel_limits, "MOST", 2)
    said = [Subprotocol("bokeh"), Subprotocol(served.request())]
    with contextlib.ExitStack() as ends:
        sockets = []
        for _ in range(3):
            address = f"{served.address.replace('http', 'ws')}/ws"
            origin = served.address.removesuffix("/app")
            plug = connect(address, origin=origin, subprotocols=said, max_size=None)
            sockets.append(ends.enter_context(plug))
            assert json.loads(sockets[-1].recv(timeout=PATIENCE))["msgtype"] == "ACK"
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                sockets[0].recv(timeout=PATIENCE)
        assert closed.value.rcvd and closed.value.rcvd.code == TOO_MANY
        for socket in sockets[1:]:
            socket.send(json.dumps({"msgid": "1", "msgtype": "SERVER-INFO-REQ"}))
            socket.send("{}")
            socket.send("{}")
        for socket in sockets[1:]:
            while "SERVER-INFO-REPLY" not in str(socket.recv(timeout=PATIENCE)):
                pass


@pytest.mark.parametrize("stopping", [True, False])
def test_a_page_that_comes_while_the_server_stops_leaves_no_traceback(monkeypatch, stopping):
    async def open_later(socket: object, token: str) -> None:
        raise RuntimeError("Bokeh Tornado application is stopping")

    monkeypatch.setattr(WSHandler, "_async_open", open_later)
    monkeypatch.setattr(ServerConnection, "detach_session", lambda connection: None)
    follow_document_sockets(lambda session, socket: None, lambda session, socket: None)
    application = SimpleNamespace(_stopping=stopping)
    socket: Any = SimpleNamespace(application=application, connection=None)
    refused = contextlib.nullcontext() if stopping else pytest.raises(RuntimeError)
    with refused:
        asyncio.run(vars(WSHandler)["_async_open"](socket, "token"))


@pytest.fixture
def receiver(monkeypatch) -> Receiver:
    consume = Receiver.consume
    monkeypatch.setattr(Receiver, "consume", getattr(consume, "replaces", consume))
    limit_messages(SMALL)
    return Receiver(Protocol())


def take(receiver: Receiver, *fragments: str | bytes) -> list[object]:
    async def take_all() -> list[object]:
        return [await receiver.consume(fragment) for fragment in fragments]

    return asyncio.run(take_all())


def message(buffers: int) -> tuple[str, str, str]:
    header = {"msgid": "1", "msgtype": "PATCH-DOC", "num_buffers": buffers}
    return json.dumps(header), "{}", json.dumps({"events": []})


@pytest.mark.parametrize("payload", [b"", b"x" * 1000])
def test_a_message_of_parts_without_end_is_refused(receiver, payload):
    take(receiver, *message(10**9))
    with pytest.raises(ValidationError, match=f"more than {SMALL:,} bytes"):
        take(receiver, *[json.dumps({"id": "b"}), payload] * (SMALL // PART))


def test_any_number_of_messages_is_taken(receiver):
    for _ in range(SMALL):
        assert take(receiver, *message(1), '{"id": "b"}', b"x" * 1000)[-1]

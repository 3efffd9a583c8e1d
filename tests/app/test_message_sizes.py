"""What a server reads of a message or a request whose sender has not proved anything."""

import json
import socket
import struct
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from app.server import page_channel
from app.server.class_channel import LONGEST, LONGEST_SAVED, ClassChannel
from app.server.class_page import MAY_OPEN
from app.server.connection_limits import LARGEST, LARGEST_BODY
from app.server.frame_channel import FrameChannel
from app.server.page_channel import FORBIDDEN
from app.server.teacher_password import TEACHER_PASSWORD
from tests.served_page import ServedPage, serve_to_the_end
from tests.waiting import PATIENCE

TOO_BIG = 1009  # close code
ROUTES = {"frames": FrameChannel, "class": ClassChannel}


@pytest.fixture(scope="module")
def served() -> Iterator[ServedPage]:
    with serve_to_the_end() as served:
        yield served


def plugged(served: ServedPage, route: str) -> ClientConnection:
    return connect(f"{served.address.replace('http', 'ws')}/{route}", max_queue=None)


def announce(channel: ClientConnection, size: int) -> None:
    """Send the header of a message of so many bytes, and nothing of the message."""
    channel.socket.sendall(b"\x81\xff" + struct.pack("!Q", size) + bytes(4))


def closed_by(channel: ClientConnection) -> int | None:
    """The code with which the server closes it."""
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            channel.recv(timeout=PATIENCE)
    return closed.value.rcvd.code if closed.value.rcvd else None


@pytest.mark.parametrize(("route", "most"), [("frames", LARGEST), ("class", LONGEST)])
def test_a_message_that_is_longer_than_any_is_not_waited_for(served, route, most):
    with plugged(served, route) as channel:
        announce(channel, most + 1)
        assert closed_by(channel) == TOO_BIG


@pytest.mark.parametrize("route", ROUTES)
def test_a_channel_that_never_says_whose_it_is_closes(served, route, monkeypatch):
    monkeypatch.setattr(page_channel, "PATIENCE", 0.0)
    with plugged(served, route) as channel:
        assert closed_by(channel) == FORBIDDEN


def test_only_who_may_open_a_room_sends_a_saved_one(served):
    token = served.request()
    saved = json.dumps({"do": "reopen", "room": "x" * LONGEST})
    for may_open in (True, False):
        with plugged(served, "class") as channel:
            channel.send(json.dumps({"token": token}))
            if may_open:
                channel.send(json.dumps({"do": "teach", "password": TEACHER_PASSWORD.text}))
                assert json.loads(channel.recv(timeout=PATIENCE)) == MAY_OPEN
                channel.send(saved)
                assert "holds no room" in json.loads(channel.recv(timeout=PATIENCE))["refused"]
            announce(channel, LONGEST_SAVED + 1 if may_open else len(saved))
            assert closed_by(channel) == TOO_BIG


@pytest.mark.parametrize("address", ["/app", "/liveness", "/app/static/page.js"])
def test_a_body_that_is_larger_than_that_of_any_request_is_not_waited_for(served, address):
    parts = urlsplit(served.address)
    with socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE) as line:
        line.sendall(
            f"POST {address} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Content-Length: {LARGEST_BODY + 1}\r\n\r\n".encode()
        )
        assert line.recv(100).startswith(b"HTTP/1.1 400")

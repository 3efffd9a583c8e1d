"""A document socket that closes while it is being opened leaves nothing behind."""

import base64
import socket
from collections.abc import Iterator
from urllib.parse import urlparse

import pytest

from app.server.session import VISITS
from tests.served_page import ServedPage, forget_the_left, serve_to_the_end
from tests.waiting import wait_until

CLOSES = b"\x88\x82" + bytes(4) + (1000).to_bytes(2)  # masked with zeros


@pytest.fixture(scope="module")
def served() -> Iterator[ServedPage]:
    with serve_to_the_end() as served:
        yield served


def upgrade(served: ServedPage, token: str) -> bytes:
    """A request for the document socket of the page with this token."""
    host = urlparse(served.address).netloc
    fields = {
        **{"Host": host, "Origin": f"http://{host}", "Upgrade": "websocket"},
        **{"Connection": "Upgrade", "Sec-WebSocket-Version": "13"},
        **{"Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode()},
        **{"Sec-WebSocket-Protocol": f"bokeh, {token}"},
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"GET /app/ws HTTP/1.1\r\n{lines}\r\n".encode()


@pytest.mark.parametrize("farewell", [b"", CLOSES])
def test_a_socket_that_closes_at_once_keeps_no_page(served, farewell):
    token = served.request()
    assert VISITS
    where = urlparse(served.address)
    for _ in range(3):
        with socket.create_connection((where.hostname, where.port)) as client:
            client.sendall(upgrade(served, token) + farewell)
    wait_until(lambda: forget_the_left() or not VISITS)

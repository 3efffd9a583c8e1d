"""All sockets together keep little of messages that never end, and who sends one is not touched."""

import contextlib
import json
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from app.server.unfinished_messages import KEPT, SMALL, UnfinishedMessages
from app.server.workarounds.half_messages import TRY_AGAIN
from tests.served_page import ServedPage, serve_to_the_end
from tests.waiting import PATIENCE, wait_until

MOST = 1000 * SMALL
HALF = 5 * SMALL  # bytes


@pytest.fixture
def kept() -> UnfinishedMessages[str]:
    """Sockets whose page is their first letter."""
    return UnfinishedMessages(lambda socket: socket[0], MOST)


def test_whatever_fits_is_kept(kept):
    assert kept.keep("a1", MOST // 2) == []
    assert kept.keep("b1", MOST // 2) == []
    assert kept.keep("a1", 0) == []
    assert kept.keep("c1", MOST // 2) == []


def test_the_page_that_keeps_most_gives_way_with_its_largest_socket(kept):
    assert kept.keep("a1", MOST // 4) == []
    assert kept.keep("a2", MOST // 3) == []
    assert kept.keep("b1", MOST // 2) == ["a2"]
    assert kept.keep("b2", MOST // 3) == ["b2"]


def test_whoever_sends_one_message_is_not_touched_by_many_who_hold_several(kept):
    largest = MOST // 20
    for page in "ABCDEFGHIJ":
        for socket in range(4):
            closed = kept.keep(f"{page}{socket}", largest)
            assert "honest" not in closed and len(closed) <= 1
    assert kept.keep("honest", largest) != ["honest"]


def test_of_pages_alike_the_last_to_ask_gives_way(kept):
    for page in "abcd":
        assert kept.keep(page, MOST // 4) == []
    assert kept.keep("e", MOST // 4) == ["e"]
    kept.drop("a")
    assert kept.keep("e", MOST // 4) == []


def test_small_messages_are_never_refused(kept):
    kept.keep("a", MOST)
    for n in range(10_000):
        assert kept.keep(f"b{n}", SMALL) == []


@pytest.fixture(scope="module")
def served() -> Iterator[ServedPage]:
    with serve_to_the_end() as served:
        yield served


def plugged(served: ServedPage, token: str, route: str) -> ClientConnection:
    said = [Subprotocol("bokeh"), Subprotocol(token)] if route == "ws" else None
    address = f"{served.address.replace('http', 'ws')}/{route}"
    origin = served.address.removesuffix("/app")
    # Who has sent half a message cannot say farewell.
    return connect(address, origin=origin, subprotocols=said, max_size=None, close_timeout=0)


def begin(socket: ClientConnection, size: int) -> None:
    """Announce a message of so many bytes, of which none comes."""
    socket.socket.sendall(b"\x81\xff" + size.to_bytes(8) + bytes(4))


def begin_parts(socket: ClientConnection, size: int) -> None:
    """Send a message of the document that is announced to have more parts."""
    for text in (json.dumps({"msgid": "1", "msgtype": "PATCH-DOC", "num_buffers": 9}), "{}"):
        socket.send(text)
    socket.send(json.dumps({"events": [], "x": "y" * size}))


def begin_frames(socket: ClientConnection, size: int) -> None:
    """Send a part of a message in frames of its own, each of them small."""
    socket.socket.sendall(b"\x01\xfe" + SMALL.to_bytes(2) + bytes(4) + bytes(SMALL))
    for _ in range(size // SMALL):
        socket.socket.sendall(b"\x00\xfe" + SMALL.to_bytes(2) + bytes(4) + bytes(SMALL))


@pytest.mark.parametrize(
    ("route", "half"),
    [("ws", begin), ("ws", begin_parts), ("ws", begin_frames), ("frames", begin)],
)
def test_halves_on_all_sockets_are_bounded(served, monkeypatch, route, half):
    monkeypatch.setattr(KEPT, "_most", 3 * HALF + SMALL)
    with contextlib.ExitStack() as ends:
        tokens = [served.request() for _ in range(2)]
        sockets = [ends.enter_context(plugged(served, tokens[n % 2], route)) for n in range(5)]
        if route == "ws":  # the server knows whose they are
            for socket in sockets:
                assert json.loads(socket.recv(timeout=PATIENCE))["msgtype"] == "ACK"
        for socket in sockets:
            with contextlib.suppress(OSError):  # it is closed before all is sent
                half(socket, HALF)
        wait_until(lambda: len(KEPT) <= 3 and sum(map(is_closed, sockets)) >= 2)
        assert sum(map(is_closed, sockets)) < 5
    wait_until(lambda: len(KEPT) == 0)


def is_closed(socket: ClientConnection) -> bool:
    try:
        socket.recv(timeout=0)
    except TimeoutError:
        return False
    except ConnectionClosed as closed:
        assert closed.rcvd is None or closed.rcvd.code == TRY_AGAIN
        return True
    return False

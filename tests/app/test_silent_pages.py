"""Who connects to a page and watches nothing takes a place, and is disconnected after a while."""

import asyncio
import contextlib
import json
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from app.server import silent_pages
from app.server.session import VISITS
from app.server.silent_pages import SILENT, SilentPages, close_silent_pages
from tests.served_page import ServedPage, serve_to_the_end
from tests.waiting import PATIENCE, Clock, wait_until


@pytest.fixture(scope="module")
def served() -> Iterator[ServedPage]:
    with serve_to_the_end() as served:
        yield served


@contextlib.contextmanager
def connected(served: ServedPage, token: str) -> Iterator[ClientConnection]:
    """Bokeh's socket of a page, and nothing else."""
    address = f"{served.address.replace('http', 'ws', 1)}/ws"
    with connect(address, subprotocols=["bokeh", token]) as socket:
        socket.recv(timeout=PATIENCE)  # it has a session
        yield socket


@contextlib.contextmanager
def watching(served: ServedPage, token: str) -> Iterator[ClientConnection]:
    """The frame channel of a page."""
    with connect(f"{served.address.replace('http', 'ws', 1)}/frames") as socket:
        socket.send(json.dumps({"token": token}))
        socket.send(json.dumps({"since": -1, "views": [], "first": True}))
        socket.recv(timeout=PATIENCE)
        yield socket


def test_a_page_that_watches_nothing_for_long_is_told():
    clock = Clock()
    pages = SilentPages[str](clock)
    assert pages.check(["never loaded", "slow"]) == []
    clock.now += SILENT - 1
    assert pages.check(["never loaded"]) == []
    clock.now += 1
    assert pages.check(["never loaded", "slow"]) == ["never loaded"]  # slow has begun anew
    clock.now += SILENT
    assert pages.check([]) == []


def test_a_place_is_taken_as_long_as_the_socket_is_there(served):
    token = served.request()
    with connected(served, token):
        (visit,) = VISITS.values()
        assert visit.presence.came
        with watching(served, token):
            assert visit.is_watched
        wait_until(lambda: not visit.is_watched)
        assert visit.presence.takes_place
    wait_until(lambda: not visit.presence.takes_place)
    VISITS.clear()


def test_sockets_of_a_page_that_watches_nothing_are_closed(served, monkeypatch):
    monkeypatch.setattr(silent_pages, "SILENT", 0.0)
    monkeypatch.setattr(silent_pages, "EVERY", 0.0)
    token, other = served.request(), served.request()
    with connected(served, token) as silent, connected(served, other), watching(served, other):
        tasks: list[asyncio.Task[None]] = []
        served.call(lambda: tasks.append(asyncio.create_task(close_silent_pages(served.context))))
        with pytest.raises(ConnectionClosed):
            while True:
                silent.recv(timeout=PATIENCE)
        served.call(lambda: tasks.pop().cancel())
        wait_until(lambda: sum(visit.presence.takes_place for visit in VISITS.values()) == 1)

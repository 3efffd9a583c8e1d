"""A page has few channels at once: more would be answered as so many pages."""

import contextlib
import json
import re
import urllib.request
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from app.server import channel_limits
from app.server.channel_limits import MOST, RATE, SAVED, TOO_MANY, Channels
from app.server.cpu_affinity import CORE
from app.server.session import CONDUCTOR
from tests.served_page import ServedPage, serve
from tests.waiting import PATIENCE, Clock

ASKS = {
    "frames": {"since": -1, "views": ["loss"], "first": True},
    "class": {"do": "enter", "code": "none", "key": "none"},
}


@pytest.fixture(scope="module")
def served() -> Iterator[ServedPage]:
    with serve() as served:
        yield served
    CONDUCTOR.close()
    CORE.end()


def test_the_oldest_of_too_many_closes():
    channels = Channels[int](Clock())
    assert [channels.add(n) for n in range(MOST + 2)] == [[]] * MOST + [[0], [1]]
    channels.remove(2)
    channels.remove(0)
    assert channels.add(MOST + 2) == []


def test_new_ones_that_come_too_quickly_close():
    clock = Clock()
    channels = Channels[int](clock)
    for n in range(SAVED):
        assert n not in channels.add(n)
        channels.remove(n)
    assert channels.add(SAVED) == [SAVED]
    clock.now += 1 / RATE
    assert channels.add(SAVED + 1) == []


def test_a_page_that_reconnects_each_second_is_let_in():
    clock = Clock()
    channels = Channels[int](clock)
    for n in range(100):
        clock.now += 1.0
        assert n not in channels.add(n)


def closed_by(channel: ClientConnection) -> int:
    """The code with which the server closes it."""
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            channel.recv(timeout=PATIENCE)
    assert closed.value.rcvd
    return closed.value.rcvd.code


@pytest.mark.parametrize("route", ASKS)
def test_one_page_is_not_served_as_many(served, route, monkeypatch):
    monkeypatch.setattr(channel_limits, "MOST", 2)
    with urllib.request.urlopen(served.address, timeout=PATIENCE) as answer:
        token = re.search(r'"token":\s*"([^"]+)"', answer.read().decode())
    assert token
    with contextlib.ExitStack() as ends:
        channels = []
        for _ in range(SAVED):
            address = f"{served.address.replace('http', 'ws')}/{route}"
            channels.append(ends.enter_context(connect(address)))
            channels[-1].send(json.dumps({"token": token[1]}))
            channels[-1].send(json.dumps(ASKS[route]))
            assert json.loads(channels[-1].recv(timeout=PATIENCE))
        for surplus in channels[:-2]:
            assert closed_by(surplus) == TOO_MANY
        late = ends.enter_context(connect(address))
        late.send(json.dumps({"token": token[1]}))
        assert closed_by(late) == TOO_MANY
        channels[-1].send(json.dumps(ASKS[route]))
        assert json.loads(channels[-1].recv(timeout=PATIENCE))

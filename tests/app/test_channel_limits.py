"""A page has few channels at once: more would be answered as so many pages."""

import contextlib
import json
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from app.server import channel_limits, frame_channel
from app.server.channel_limits import (
    ALL_RATE,
    ALL_SAVED,
    MOST,
    RATE,
    SAVED,
    TOO_MANY,
    Channels,
)
from tests.served_page import ServedPage, serve_to_the_end
from tests.waiting import PATIENCE, Clock

ASKS = {
    "frames": {"since": -1, "views": ["loss"], "first": True},
    "class": {"do": "enter", "code": "none", "key": "none"},
}


@pytest.fixture(scope="module")
def served() -> Iterator[ServedPage]:
    with serve_to_the_end() as served:
        yield served


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


def test_everything_again_and_again_is_sent_as_often_as_a_page_scrolls():
    clock = Clock()
    channels = Channels[int](clock)
    assert [channels.wait() for _ in range(ALL_SAVED)] == [0.0] * ALL_SAVED
    assert [channels.wait() for _ in range(2)] == [1 / ALL_RATE, 2 / ALL_RATE]
    for _ in range(100):
        clock.now += 1.0
        assert channels.wait() < 1 / ALL_RATE


def test_requests_for_everything_wait_for_each_other_on_all_channels_of_a_page(served, monkeypatch):
    waits = []
    monkeypatch.setattr(
        frame_channel.CHANNELS, "wait", lambda page: waits.append(page) or 0.01 * (len(waits) > 1)
    )
    token = served.request()
    with connect(f"{served.address.replace('http', 'ws')}/frames") as channel:
        channel.send(json.dumps({"token": token}))
        for times in range(1, 4):
            channel.send(json.dumps(ASKS["frames"]))
            row = json.loads(channel.recv(timeout=PATIENCE))["row"]
            assert len(waits) == times
        channel.send(json.dumps({"since": row, "views": ["loss"]}))
        channel.recv(timeout=PATIENCE)  # what is newer
    assert len(waits) == 3 and len(set(waits)) == 1


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
    token = served.request()
    with contextlib.ExitStack() as ends:
        channels = []
        for _ in range(SAVED):
            address = f"{served.address.replace('http', 'ws')}/{route}"
            channels.append(ends.enter_context(connect(address)))
            channels[-1].send(json.dumps({"token": token}))
            channels[-1].send(json.dumps(ASKS[route]))
            assert json.loads(channels[-1].recv(timeout=PATIENCE))
        for surplus in channels[:-2]:
            assert closed_by(surplus) == TOO_MANY
        late = ends.enter_context(connect(address))
        late.send(json.dumps({"token": token}))
        assert closed_by(late) == TOO_MANY
        channels[-1].send(json.dumps(ASKS[route]))
        assert json.loads(channels[-1].recv(timeout=PATIENCE))

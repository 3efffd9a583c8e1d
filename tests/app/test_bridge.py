"""Messages between page and server: each reaches the handler of its kind, or is ignored."""

import pytest

from app.page.bridge import MOST, Bridge
from app.page.buttons import Presses, button


@pytest.fixture
def heard() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def bridge(heard) -> Bridge:
    bridge = Bridge()
    bridge.on("set", lambda name, value: heard.append((name, value)))
    return bridge


def test_a_message_reaches_the_handler_of_its_kind(bridge, heard):
    keys = []
    bridge.on("key", lambda name, value: keys.append(name))
    bridge.receive({"kind": "set", "name": "l2", "value": "0.1"})
    bridge.receive({"kind": "key", "name": "p", "value": ""})
    assert heard == [("l2", "0.1")] and keys == ["p"]


@pytest.mark.parametrize(
    "message",
    [
        None,
        "set",
        [],
        {},
        {"kind": "set"},
        {"kind": "other", "name": "l2", "value": "1"},
        {"kind": ["set"], "name": "l2", "value": "1"},
        {"kind": "set", "name": ["l2"], "value": "1"},
        {"kind": "set", "name": "l2", "value": 1},
        {"kind": "set", "name": "l2", "value": "1" * (MOST + 1)},
        {"kind": "set", "name": "l" * (MOST + 1), "value": "1"},
    ],
)
def test_any_other_message_is_ignored(bridge, heard, message):
    bridge.receive(message)
    assert heard == []


def test_a_press_calls_the_action_of_its_button():
    presses, done = Presses(), []
    presses.on("play", lambda: done.append("play"))
    presses.on_value("trial", done.append)
    bridge = Bridge()
    bridge.on("press", presses.press)
    for name, value in (("play", ""), ("trial", "7"), ("none such", "")):
        bridge.receive({"kind": "press", "name": name, "value": value})
    assert done == ["play", "7"]
    assert 'data-press="play"' in button("play", "Play")

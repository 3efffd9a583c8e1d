"""A page writes no more into its document than it needs, whatever it sends."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from bokeh.protocol.exceptions import ProtocolError
from bokeh.server.session import ServerSession

from app.server.workarounds.document_patches import PROPERTY, limit_what_is_written

MOST = 100_000


class Session:
    """The part of a session that is patched."""

    def __init__(self) -> None:
        self.taken = 0


@pytest.fixture
def send(monkeypatch):
    """Sends events of a page; whether the page took them."""

    async def handle(session: Session, message: object, connection: object) -> None:
        session.taken += 1

    monkeypatch.setattr(ServerSession, "_handle_patch", handle)
    limit_what_is_written(MOST)
    sessions: dict[str, Session] = {}

    def send_one(*events: dict[str, Any], page: str = "", buffers: tuple[bytes, ...] = ()) -> bool:
        session = sessions.setdefault(page, Session())
        parts = [SimpleNamespace(data=raw) for raw in buffers]
        message = SimpleNamespace(content={"events": list(events)}, _buffers=parts)
        before = session.taken
        patch: Any = vars(ServerSession)["_handle_patch"]
        try:
            asyncio.run(patch(session, message, None))
        except ProtocolError:
            return False
        return session.taken > before

    return send_one


def change(model: int, size: int, attr: str = "tags") -> dict[str, Any]:
    owner = {"id": f"p{model}"}
    return {"kind": "ModelChanged", "model": owner, "attr": attr, "new": "x" * size}


def test_a_widget_moves_for_ever(send):
    assert all(send(change(n % 5, 100, "value")) for n in range(10_000))


def test_what_many_components_keep_is_bounded(send):
    taken = sum(send(change(n, 10_000)) for n in range(100))
    assert 5 < taken < 10
    assert send(change(0, 10)) and send(change(50, 10_000)), "what is replaced is free again"
    assert send(change(0, 10_000), page="other")


def test_small_values_of_many_components_are_bounded(send):
    assert sum(send(change(n, 1)) for n in range(1000)) < MOST // PROPERTY


def test_lines_without_end_are_bounded(send):
    line = {"kind": "ColumnsStreamed", "model": {"id": "p1"}, "data": {"x": [1.5] * 1000}}
    assert sum(send(line) for _ in range(1000)) < MOST // 3000


def test_what_comes_in_buffers_counts(send):
    assert not send(change(1, 1), buffers=(bytes(MOST // 2), bytes(MOST // 2)))


def test_a_press_is_never_refused(send):
    assert not send(change(1, 2 * MOST))
    press = {"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": "x" * MOST}
    assert all(send(press) for _ in range(100))


@pytest.mark.parametrize("event", [7, {}, {"kind": None}, {"kind": "ModelChanged", "model": 1}])
def test_events_of_no_kind_are_counted(send, event):
    assert send(event)
    assert not send(*[event] * MOST)

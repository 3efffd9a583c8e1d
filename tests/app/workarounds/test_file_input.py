"""A field for files keeps what a file may have, whatever a page sends."""

import pytest
from panel import ui

from app.server.workarounds.file_input import CHUNK, PART, take_files_within

MOST = 10 * CHUNK


@pytest.fixture
def field(monkeypatch) -> ui.FileInput:
    handle = ui.FileInput._handle_msg
    monkeypatch.setattr(ui.FileInput, "_handle_msg", getattr(handle, "replaces", handle))
    monkeypatch.setattr(ui.FileInput, "_send_msg", lambda self, message: None)
    take_files_within(MOST)
    return ui.FileInput()


def part(number: int, of: int, data: object, name: str = "a.csv") -> dict[str, object]:
    about = {"status": "upload_event", "name": name, "mime_type": "text/csv", "type": "status"}
    return {**about, "chunk": number, "total_chunks": of, "data": data}


def send(field: ui.FileInput, *messages: dict[str, object]) -> None:
    for message in messages:
        field._handle_msg(message)


def kept(field: ui.FileInput) -> int:
    begun = [raw for file in field._file_buffer.values() for raw in file["chunks"].values()]
    return sum(map(len, begun)) + PART * len(begun) + sum(len(x["value"]) for x in field._buffer)


def test_a_file_of_the_largest_size_arrives(field):
    assert field.chunk_size == CHUNK
    raw = bytes(range(256)) * (MOST // 256)
    parts = [part(n + 1, 10, raw[n * CHUNK : (n + 1) * CHUNK]) for n in range(10)]
    send(field, {"status": "initializing"}, *parts, {"status": "finished"})
    assert field.value == raw and field.filename == "a.csv"


def test_parts_without_end_are_not_kept(field):
    for n in range(1, 100):
        send(field, part(n, 10**9, bytes(CHUNK)))
        send(field, part(1, 2, bytes(CHUNK), name=f"{n}.csv"))
        send(field, part(1, 1, bytes(CHUNK), name=f"whole {n}.csv"))
        assert kept(field) <= MOST + 11 * PART
    send(field, {"status": "finished"})
    assert len(field.value or b"") <= MOST


def test_empty_parts_without_end_are_not_kept(field, monkeypatch):
    monkeypatch.setattr("app.server.workarounds.file_input.PART", MOST // 10)
    for n in range(1, 1000):
        send(field, part(n, 10**9, b""))
        assert sum(len(x["chunks"]) for x in field._file_buffer.values()) <= 22


@pytest.mark.parametrize("data", [10**12, True, [256] * 3, {"a": 1}, None, 1.5, "YQ=="])
def test_what_holds_no_bytes_is_no_part(field, data):
    send(field, part(1, 2, data), part(2, 2, data), {"status": "finished"})
    assert kept(field) == 0 and field.value is None


@pytest.mark.parametrize("numbers", [(0, 1), (2, 1), (1, 0), (-1, -1), ("1", 1), (1, None)])
def test_a_part_has_a_place_among_all(field, numbers):
    send(field, part(*numbers, b"1,2"))
    assert kept(field) == 0


def test_a_file_whose_page_lost_its_connection_begins_anew(field):
    send(field, {"status": "initializing"}, part(1, 2, b"lost"))
    send(field, {"status": "initializing"}, part(1, 1, b"1,a"), {"status": "finished"})
    assert field.value == b"1,a"


def test_a_file_that_the_browser_refuses_is_no_error(field):
    send(field, {"status": "initializing"}, part(1, 2, b"x"), {"status": "error", "error": "no"})
    assert kept(field) == 0

"""panel-material-ui keeps whatever a page sends as a file: here, no more than a file may have."""

from collections.abc import Callable
from typing import Any

import msgspec
from panel import ui

from app.server.workarounds.patching import replaced

CHUNK = 2**20  # bytes of a file that come in one message
PART = 200  # bytes that a part takes beside what it holds


class Part(msgspec.Struct):
    """One part of a file, as the field's own script sends it."""

    name: str
    chunk: int
    total_chunks: int
    mime_type: str
    data: object


def take_files_within(largest: int) -> None:
    """Keep the parts of one file of at most so many bytes, sent in small messages.

    panel-material-ui 0.16 has only the browser look at a file's size, keeps the parts of files that
    never end, and takes a number for so many bytes: one message of a page ended the server. That a
    browser sends no file is an error for it, as if the server had failed.
    """
    ui.FileInput.param.chunk_size.default = CHUNK

    def within(handle: Callable[..., None]) -> Callable[..., None]:
        def take(self: ui.FileInput, message: Any) -> None:
            match message:
                case {"status": "upload_event"}:
                    if not _fits(self, message, largest):
                        _drop(self)
                        return
                case {"status": "finished"}:
                    pass
                case _:  # a new file begins, or the browser refuses one
                    _drop(self)
                    return
            handle(self, message)

        return take

    replaced(ui.FileInput, "_handle_msg", within)


def _fits(field: Any, message: object, largest: int) -> bool:
    try:
        part = msgspec.convert(message, Part)
    except msgspec.ValidationError:
        return False
    if not isinstance(part.data, bytes) or not 1 <= part.chunk <= part.total_chunks:
        return False
    begun = [raw for file in field._file_buffer.values() for raw in file["chunks"].values()]
    kept = [*begun, *(file["value"] for file in field._buffer), part.data]
    return sum(map(len, kept)) + PART * (len(kept) - 1) <= largest + PART * (1 + largest // CHUNK)


def _drop(field: Any) -> None:
    field._file_buffer.clear()
    field._buffer.clear()

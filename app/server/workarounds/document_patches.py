"""Bokeh keeps whatever a page writes into its document: here, no more than a page needs."""

import functools
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
from bokeh.protocol.exceptions import ProtocolError
from bokeh.server.session import ServerSession

from app.server.workarounds.patching import replaced

PROPERTY = 200  # bytes that a property takes beside what is written into it

type Patch = Callable[[Any, Any, Any], Awaitable[Any]]


class Written:
    """How much a page has written into its document."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._properties: dict[str, int] = {}  # bytes, of what the last value of each takes
        self._total = 0

    def write(self, name: str, size: int) -> bool:
        """Write a property, or add to what is nameless; False if the page has written too much."""
        before = self._properties.get(name, 0)
        added = size if not name else size - before
        if self._total + added > self._largest and added > 0:
            return False
        self._properties[name] = before + added
        self._total += added
        return True


def limit_what_is_written(largest: int) -> None:
    """Let the properties that a page writes take so many bytes together.

    Bokeh 3.10 takes any value for each property of each component, and lines without end.
    """
    written: WeakKeyDictionary[ServerSession, Written] = WeakKeyDictionary()

    def limited(patch: Patch) -> Patch:
        @functools.wraps(patch)
        async def patch_within(self: Any, message: Any, connection: Any) -> Any:
            page = written.setdefault(self, Written(largest))
            for name, size in _written_by(message):
                if not page.write(name, size):
                    raise ProtocolError(f"a page writes more than {largest:,} bytes")
            return await patch(self, message, connection)

        return patch_within

    replaced(ServerSession, "_handle_patch", limited)


def _written_by(message: Any) -> Iterator[tuple[str, int]]:
    """What each event of a message writes, and how many bytes; "": what stays beside the rest."""
    raw = sum(len(buffer.data) for buffer in message._buffers)
    for event in message.content.get("events", ()):
        match event:
            case {"kind": "MessageSent"}:  # nothing stays of it
                continue
            case {"kind": "ModelChanged", "model": {"id": str(owner)}, "attr": str(name)}:
                yield f"{owner} {name}"[:PROPERTY], PROPERTY + raw + _size(event)
            case _:
                yield "", PROPERTY + raw + _size(event)


def _size(event: object) -> int:
    return len(msgspec.json.encode(event, enc_hook=str))

"""Tells why a field for files has no file: it was empty, or the browser sent none.

The field itself shows the reason only to whoever points at its icon.
"""

from collections.abc import Callable
from typing import Any

from panel import ui

EMPTY = "The file is empty: choose one that holds something."
MOST = 300  # characters of a reason, which a browser may have made up


def tell_refusals(field: ui.FileInput, tell: Callable[[str], None]) -> None:
    """Tell the reason, in a sentence, whenever a chosen file does not arrive."""
    arrived = False

    def follow(event: Any) -> None:
        nonlocal arrived
        match event.data:
            case {"status": "initializing"}:
                arrived = False
            case {"status": "upload_event"}:
                arrived = True
            case {"status": "finished"} if not arrived:
                tell(EMPTY)
            case {"status": "error", "error": reason}:
                tell(str(reason)[:MOST])

    field.on_msg(follow)

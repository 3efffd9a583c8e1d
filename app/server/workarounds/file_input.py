"""A browser's refusal of a file is an error in the server: here, it is none."""

from collections.abc import Callable
from typing import Any

from panel import ui

from app.server.workarounds.patching import replaced


def take_refused_files_in_silence() -> None:
    """Let a browser say that it sends no file.

    panel-material-ui 0.16 raises for that message of its own widget, as if the server had failed.
    """

    def unless_refused(handle: Callable[..., None]) -> Callable[..., None]:
        def take(self: ui.FileInput, message: Any) -> None:
            match message:
                case {"status": "error"}:
                    return
            handle(self, message)

        return take

    replaced(ui.FileInput, "_handle_msg", unless_refused)

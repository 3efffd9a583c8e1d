"""Panel computes a whole pane of HTML anew for a new text: here, the text alone."""

import functools
import logging
from collections.abc import Callable

from bokeh.model import Model
from panel.pane.markup import HTMLBasePane

from app.server.workarounds.patching import replaced

log = logging.getLogger(__name__)


def send_new_text_alone() -> None:
    """Of a pane of HTML whose object has changed, compute and send the text.

    Panel 1.10.0 computes all properties of the pane anew, its style sheets included, which takes
    several times as long, though it calls this only where nothing but the text can have changed.
    """

    def alone(update: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(update)
        def update_text(self: HTMLBasePane, ref: str, model: Model) -> None:
            if self.enable_streaming:
                update(self, ref, model)
            else:
                model.update(**self._process_param_change({"object": self.object}))

        return update_text

    if "_update" in vars(HTMLBasePane):
        replaced(HTMLBasePane, "_update", alone)
    else:
        log.warning("a new text is as dear as a new pane: Panel is not the one known here")

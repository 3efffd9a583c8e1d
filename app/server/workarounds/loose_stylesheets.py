"""Panel makes a model for each link to a style sheet, and drops it: here, it is freed at once."""

import functools
from collections.abc import Callable
from typing import Any

import panel as pn
from bokeh.document import Document
from bokeh.models import ImportedStyleSheet
from panel.reactive import Reactive

from app.server.workarounds.closed_components import let_go
from app.server.workarounds.patching import replaced


def free_loose_stylesheets() -> None:
    """Let style sheet models that are replaced by those of the document be freed at once.

    Panel 1.10.0 makes one for each component, each in a reference cycle (Bokeh 3.10): with all
    panels open, half of what a page leaves to a search of all memory.
    """
    replaced(Reactive, "_resolve_stylesheets", _freeing)


def _freeing(resolve: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(resolve)
    def resolve_and_free(
        self: Reactive, properties: dict[str, Any], document: Document | None
    ) -> None:
        made = _links(properties.get("stylesheets", ()))
        resolve(self, properties, document)
        shared: Any = pn.state._stylesheets.get(document, {}) if document else {}
        kept = [*properties.get("stylesheets", ()), *shared.values()]
        for loose in made:
            if loose.document is None and not any(loose is one for one in kept):
                loose.destroy()
                let_go(loose)

    return resolve_and_free


def _links(stylesheets: Any) -> list[ImportedStyleSheet]:
    return [one for one in stylesheets if isinstance(one, ImportedStyleSheet)]

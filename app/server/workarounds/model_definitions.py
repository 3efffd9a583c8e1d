"""Bokeh encodes the definitions of data models for each page: here, once."""

from collections.abc import Callable
from typing import Any

from bokeh.core.has_props import is_DataModel
from bokeh.core.serialization import Serializer
from bokeh.document import Document, document
from bokeh.model import Model

from app.server.workarounds.patching import replaced


def encode_definitions_once() -> None:
    """Encode the definitions of data models once: they are the same in every document.

    Bokeh 3.10 encodes all that were ever imported, 147 of Panel's components, for each page: 17 ms.
    """
    encoded: dict[int, Any] = {}  # by how many models there are

    def definitions() -> Any:
        known = Model.model_class_reverse_map
        if len(known) not in encoded:
            models = [model for model in known.values() if is_DataModel(model)]
            encoded[len(known)] = Serializer().encode(models)
        return encoded[len(known)]

    def share(to_json: Callable[..., Any]) -> Callable[..., Any]:
        def to_json_sharing(self: Document, *, deferred: bool = True) -> Any:
            found = to_json(self, deferred=deferred)
            content = found.content if deferred else found
            if known := definitions():
                content["defs"] = known
            return found

        return to_json_sharing

    if replaced(document, "is_DataModel", lambda before: lambda model: False):
        replaced(Document, "to_json", share)

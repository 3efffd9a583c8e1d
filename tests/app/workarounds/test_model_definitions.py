"""Every document has the definitions of data models that Bokeh would give it."""

import json

import pytest
from bokeh.core.json_encoder import serialize_json
from bokeh.document import Document
from bokeh.model import DataModel
from bokeh.models import Button

from app.server.workarounds.model_definitions import encode_definitions_once


@pytest.mark.parametrize("deferred", [True, False])
def test_a_document_has_the_definitions_that_bokeh_gives_it(deferred, restored):
    page = Document()
    page.add_root(Button(label="one"))

    def written() -> str:
        found = page.to_json(deferred=deferred)
        return serialize_json(found.content if deferred else found)

    by_bokeh = written()
    encode_definitions_once()
    assert json.loads(written()) == json.loads(by_bokeh)
    assert "ReactiveESM1" in by_bokeh


def test_a_definition_that_comes_later_is_in_the_next_document(restored):
    encode_definitions_once()
    Document().to_json()

    class Latecomer(DataModel):
        """Defined when a document already exists."""

    assert "Latecomer" in serialize_json(Document().to_json().content["defs"])

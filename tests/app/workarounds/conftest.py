"""The libraries as they are, for tests of what is done about their faults."""

import panel as pn
import pytest
from bokeh.core.has_props import HasProps
from bokeh.core.property.descriptors import PropertyDescriptor
from bokeh.document import Document, document
from bokeh.document.callbacks import DocumentCallbackManager
from bokeh.model import Model
from bokeh.server import contexts
from bokeh.server.contexts import ApplicationContext
from bokeh.server.views.ws import WSHandler
from panel.io import document as panel_document
from panel.io import server
from panel.pane.markup import HTMLBasePane
from panel.reactive import Syncable

REPLACED = [
    (Syncable, "_change_coroutine"),
    (Syncable, "_event_coroutine"),
    (type(pn.state), "_add_busy_event"),
    (type(pn.state), "_remove_busy_event"),
    (WSHandler, "_handle"),
    (server, "bundle_resources"),
    (document, "is_DataModel"),
    (Document, "to_json"),
    (panel_document, "_garbage_collect"),
    (HTMLBasePane, "_update"),
    (Model, "destroy"),
    (DocumentCallbackManager, "destroy"),
    (DocumentCallbackManager, "remove_session_callback"),
    (WSHandler, "on_close"),
    (WSHandler, "open"),
    (WSHandler, "send_message"),
    (contexts, "Document"),
    (ApplicationContext, "_create_session"),
    (ApplicationContext, "_initialize_document_async"),
    (HasProps, "themed_values"),
    (HasProps, "query_properties_with_values"),
    (PropertyDescriptor, "has_unstable_default"),
    (PropertyDescriptor, "instance_default"),
]


@pytest.fixture
def restored(monkeypatch):
    """The libraries unpatched, even if a server has run in this process; afterwards as before."""
    for owner, name in REPLACED:
        now = getattr(owner, name)
        monkeypatch.setattr(owner, name, getattr(now, "replaces", now))

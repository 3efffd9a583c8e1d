"""Attributes of libraries are replaced once; other versions are left alone, with a warning."""

import logging

import panel as pn
import pytest
from bokeh.core.has_props import HasProps
from bokeh.core.property.descriptors import PropertyDescriptor
from bokeh.document import document
from bokeh.document.callbacks import DocumentCallbackManager
from bokeh.model import Model
from bokeh.server import contexts
from bokeh.server.contexts import ApplicationContext
from bokeh.server.views.ws import WSHandler
from panel.io import document as panel_document
from panel.io import server
from panel.pane.markup import HTMLBasePane
from panel.reactive import Syncable

from app.server.workarounds.closed_documents import collect_no_garbage_of_a_page, cut_what_is_closed
from app.server.workarounds.html_text import send_new_text_alone
from app.server.workarounds.message_delay import handle_messages_in_time
from app.server.workarounds.model_defaults import compute_defaults_once
from app.server.workarounds.model_definitions import encode_definitions_once
from app.server.workarounds.page_scripts import gather_resources_once
from app.server.workarounds.pages_ahead import give_pages_away
from app.server.workarounds.patching import replaced
from app.server.workarounds.widget_events import handle_events_on_threads


def give_nothing_away() -> None:
    assert not give_pages_away(lambda context, arguments: None)


@pytest.mark.parametrize(
    ("owner", "name", "mend"),
    [
        (Syncable, "_change_coroutine", handle_events_on_threads),
        (type(pn.state), "_add_busy_event", handle_events_on_threads),
        (type(pn.state), "_remove_busy_event", handle_events_on_threads),
        (server, "bundle_resources", gather_resources_once),
        (document, "is_DataModel", encode_definitions_once),
        (panel_document, "_garbage_collect", collect_no_garbage_of_a_page),
        (HTMLBasePane, "_update", send_new_text_alone),
        (Model, "destroy", cut_what_is_closed),
        (DocumentCallbackManager, "destroy", cut_what_is_closed),
        (DocumentCallbackManager, "remove_session_callback", cut_what_is_closed),
        (WSHandler, "_handle", lambda: handle_messages_in_time(lambda *_: 0.0)),
        (contexts, "Document", give_nothing_away),
        (ApplicationContext, "_create_session", give_nothing_away),
        (ApplicationContext, "_initialize_document_async", give_nothing_away),
        (HasProps, "query_properties_with_values", compute_defaults_once),
        (PropertyDescriptor, "has_unstable_default", compute_defaults_once),
        (PropertyDescriptor, "instance_default", compute_defaults_once),
    ],
)
def test_another_version_is_left_alone_with_a_warning(
    owner, name, mend, monkeypatch, caplog, restored
):
    before = Syncable._event_coroutine
    monkeypatch.delattr(owner, name)
    with caplog.at_level(logging.WARNING):
        mend()
    assert name not in vars(owner)
    assert Syncable._event_coroutine is before
    assert len(caplog.records) == 1


def test_a_workaround_is_installed_once(monkeypatch):
    class Owner:
        def name(self):
            return "before"

    def make(before):
        return lambda self: f"not {before(self)}"

    assert replaced(Owner, "name", make) and replaced(Owner, "name", make)
    assert Owner().name() == "not before"

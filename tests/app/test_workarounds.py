"""Workarounds for Panel and Bokeh: they work, and other versions are left alone."""

import builtins
import gc
import inspect
import json
import logging
import re
import sys
import threading
import weakref

import panel as pn
import pytest
from bokeh.core.has_props import HasProps
from bokeh.core.json_encoder import serialize_json
from bokeh.core.property.bases import Property
from bokeh.core.property.descriptors import PropertyDescriptor
from bokeh.document import Document, document
from bokeh.document.callbacks import DocumentCallbackManager
from bokeh.model import DataModel, Model
from bokeh.models import Button, Line
from bokeh.resources import Resources
from bokeh.server import contexts
from bokeh.server.contexts import ApplicationContext
from bokeh.server.views.ws import WSHandler
from bokeh.themes import Theme
from panel.io import document as panel_document
from panel.io import server
from panel.io.resources import bundle_resources
from panel.io.state import set_curdoc
from panel.pane import HTML
from panel.pane.markup import HTMLBasePane
from panel.reactive import Syncable

from app.plots import VIEWS, view_of
from app.server import workarounds
from app.theme import STYLES
from engine import Experiment, RunConfig

MENDED = [
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
    (contexts, "Document"),
    (ApplicationContext, "_create_session"),
    (ApplicationContext, "_initialize_document_async"),
    (HasProps, "themed_values"),
    (HasProps, "query_properties_with_values"),
    (PropertyDescriptor, "has_unstable_default"),
    (PropertyDescriptor, "instance_default"),
]


@pytest.fixture
def installed(monkeypatch):
    for owner, name in MENDED:
        monkeypatch.setattr(owner, name, getattr(owner, name))
    workarounds.deal_with_events_on_threads()


def give_nothing_away() -> None:
    assert not workarounds.give_pages_away(lambda context, arguments: None)


class Widget:
    """Records what happens to it."""

    def __init__(self, fails: bool = False) -> None:
        self.noted: list[str] = []
        self._fails = fails

    def _change_event(self, document: Document) -> None:
        self.noted.append("change")
        if self._fails:
            raise RuntimeError("no such option")

    def _process_bokeh_event(self, document: Document, event: object) -> None:
        assert pn.state.curdoc is document
        self.noted.append("click")


def test_bokeh_runs_callbacks_on_a_thread(installed):
    """Like every callback that is not a coroutine."""
    for name in ("_change_coroutine", "_event_coroutine"):
        assert not inspect.iscoroutinefunction(getattr(Syncable, name))


def test_values_arrive_before_the_click_and_once(installed):
    widget, document = Widget(), Document()

    def change() -> None:
        Syncable._change_coroutine(widget, document, event_id="one")

    pn.state._change_callbacks[document] = {"one": change}
    Syncable._event_coroutine(widget, document, object())
    change()
    assert widget.noted == ["change", "click"]
    assert document not in pn.state._change_callbacks


def test_panel_counts_no_events_and_schedules_no_cleanup_on_a_worker_thread(installed):
    before, counted = pn.state._busy_cleanup_scheduled, pn.state._busy_counter
    thread = threading.Thread(target=lambda: pn.state._add_busy_event("one"))
    thread.start()
    thread.join()
    pn.state._remove_busy_event("one")
    assert pn.state._busy_cleanup_scheduled is before
    assert pn.state._busy_counter is counted and not pn.state.busy


def test_a_failing_change_is_reported(installed, monkeypatch):
    told = []
    monkeypatch.setattr(pn.state, "_handle_exception", told.append, raising=False)
    Syncable._change_coroutine(Widget(fails=True), Document())
    assert [str(error) for error in told] == ["no such option"]


@pytest.mark.parametrize(
    ("owner", "name", "mend"),
    [
        (Syncable, "_change_coroutine", workarounds.deal_with_events_on_threads),
        (type(pn.state), "_add_busy_event", workarounds.deal_with_events_on_threads),
        (type(pn.state), "_remove_busy_event", workarounds.deal_with_events_on_threads),
        (server, "bundle_resources", workarounds.gather_resources_once),
        (document, "is_DataModel", workarounds.encode_definitions_once),
        (panel_document, "_garbage_collect", workarounds.collect_no_garbage_of_a_page),
        (HTMLBasePane, "_update", workarounds.send_new_text_alone),
        (Model, "destroy", workarounds.cut_what_is_closed),
        (DocumentCallbackManager, "destroy", workarounds.cut_what_is_closed),
        (DocumentCallbackManager, "remove_session_callback", workarounds.cut_what_is_closed),
        (WSHandler, "_handle", lambda: workarounds.handle_messages_in_time(lambda *_: 0.0)),
        (contexts, "Document", give_nothing_away),
        (ApplicationContext, "_create_session", give_nothing_away),
        (ApplicationContext, "_initialize_document_async", give_nothing_away),
        (HasProps, "query_properties_with_values", workarounds.compute_defaults_once),
        (PropertyDescriptor, "has_unstable_default", workarounds.compute_defaults_once),
        (PropertyDescriptor, "instance_default", workarounds.compute_defaults_once),
    ],
)
def test_another_version_is_left_alone_with_a_warning(owner, name, mend, monkeypatch, caplog):
    for other, its in MENDED:
        monkeypatch.setattr(other, its, getattr(other, its))  # restored afterwards
    before = Syncable._event_coroutine
    monkeypatch.delattr(owner, name)
    with caplog.at_level(logging.WARNING):
        mend()
    assert name not in vars(owner)
    assert Syncable._event_coroutine is before
    assert len(caplog.records) == 1


THEMES = Theme(json={}), Theme(json={"attrs": {"Line": {"line_width": 9}}})


def written_anew(name: str, theme: Theme) -> object:
    """The document of a plot, with its models numbered as they come."""
    page, numbers = Document(theme=theme), {}
    view = view_of(name)(Experiment(RunConfig()).snapshot(), STYLES["desk"])
    for figure in view.figures:
        page.add_root(figure)
    text = serialize_json(page.to_json(deferred=False)["roots"])
    return json.loads(
        re.sub(r'"(p\d+)"', lambda x: f'"{numbers.setdefault(x[0], len(numbers))}"', text)
    )


@pytest.mark.parametrize("theme", THEMES, ids=["plain", "with wide lines"])
@pytest.mark.parametrize("name", VIEWS)
def test_a_plot_is_what_bokeh_makes_of_it_with_defaults_computed_once(name, theme, monkeypatch):
    for owner, its in MENDED:
        monkeypatch.setattr(owner, its, getattr(owner, its))
    by_bokeh = written_anew(name, theme)
    workarounds.compute_defaults_once()
    assert written_anew(name, theme) == by_bokeh
    assert written_anew(name, theme) == by_bokeh  # when all defaults are known


def test_a_default_is_computed_once_for_a_class_and_lists_are_shared_by_no_two(monkeypatch):
    for owner, its in MENDED:
        monkeypatch.setattr(owner, its, getattr(owner, its))
    workarounds.compute_defaults_once()
    first, second = Line(), Line()
    assert first.line_alpha == 1.0
    with monkeypatch.context() as during:
        during.setattr(Property, "themed_default", None)  # which computes them
        assert second.line_alpha == 1.0
    one, other = Button(), Button()
    one.tags.append("mine")
    assert other.tags == [] and Button().tags == []


def test_a_callback_that_is_over_is_freed_at_once(monkeypatch):
    for other, its in MENDED:
        monkeypatch.setattr(other, its, getattr(other, its))
    workarounds.cut_what_is_closed()
    made = Document()
    gone = weakref.ref(made.add_next_tick_callback(lambda: None))
    gc.disable()
    try:
        made.remove_next_tick_callback(gone())
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("deferred", [True, False])
def test_a_document_has_the_definitions_that_bokeh_gives_it(monkeypatch, deferred):
    page = Document()
    page.add_root(Button(label="one"))

    def written() -> str:
        found = page.to_json(deferred=deferred)
        return serialize_json(found.content if deferred else found)

    by_bokeh = written()
    for owner, name in MENDED:
        monkeypatch.setattr(owner, name, getattr(owner, name))
    workarounds.encode_definitions_once()
    assert json.loads(written()) == json.loads(by_bokeh)
    assert "ReactiveESM1" in by_bokeh


def test_a_definition_that_comes_later_is_in_the_next_document(monkeypatch):
    for owner, name in MENDED:
        monkeypatch.setattr(owner, name, getattr(owner, name))
    workarounds.encode_definitions_once()
    Document().to_json()

    class Latecomer(DataModel):
        """Defined when a document already exists."""

    assert "Latecomer" in serialize_json(Document().to_json().content["defs"])


def test_a_page_has_what_it_uses_and_nothing_for_webgl_and_no_fonts_twice(monkeypatch):
    monkeypatch.setattr(server, "bundle_resources", bundle_resources)
    resources = Resources(mode="server")
    before = bundle_resources([], resources)
    scripts, sheets = list(before.js_files), list(before.css_files)
    workarounds.gather_resources_once()
    after = server.bundle_resources([], resources)
    (script,) = [file for file in scripts if file not in after.js_files]
    assert "bokeh-gl" in str(script)
    assert after.js_files == [file for file in scripts if file != script]
    (sheet,) = [file for file in sheets if file not in after.css_files]
    assert "material-icons.css" in str(sheet)
    assert after.css_files == [file for file in sheets if file != sheet]


def what_a_pane_sends(pane: HTML) -> list[tuple[str, object]]:
    page, sent = Document(), []
    page.add_root(pane.get_root(page))
    page.on_change(lambda event: sent.append((event.attr, event.new)))
    pane.object = "<b>5 < 6 & more</b>"
    pane.css_classes = ["asks"]
    pane.object = None
    return sent


def test_a_pane_with_another_text_sends_what_panel_sends_and_computes_no_more(monkeypatch):
    monkeypatch.setattr(HTMLBasePane, "_update", HTMLBasePane._update)  # restored afterwards
    sheets = ["p { color: red }"]
    as_panel_does = what_a_pane_sends(HTML("before", stylesheets=sheets))
    workarounds.send_new_text_alone()
    pane, computed = HTML("before", stylesheets=sheets), []
    properties = pane._get_properties
    monkeypatch.setattr(pane, "_get_properties", lambda *x: computed.append(1) or properties(*x))
    assert what_a_pane_sends(pane) == as_panel_does
    assert [name for name, _ in as_panel_does] == ["text", "css_classes", "text"]
    assert len(computed) == 1  # for the first drawing


def test_a_workaround_is_installed_once(monkeypatch):
    class Owner:
        def name(self):
            return "before"

    def make(before):
        return lambda self: f"not {before(self)}"

    assert workarounds.replaced(Owner, "name", make) and workarounds.replaced(Owner, "name", make)
    assert Owner().name() == "not before"


def test_a_page_that_a_notebook_serves_is_none_itself(monkeypatch):
    class Shell:
        kernel = None

    asked, shown = sys.modules["panel.config"], []
    monkeypatch.setattr(builtins, "__IPYTHON__", True, raising=False)
    monkeypatch.setattr(builtins, "get_ipython", Shell, raising=False)
    monkeypatch.setattr("panel.io.notebook.load_notebook", lambda *a, **k: shown.append(a))
    monkeypatch.setitem(vars(asked), "get_ipython", Shell)  # and taken away afterwards
    workarounds.keep_pages_out_of_the_notebook()
    assert isinstance(asked.get_ipython(), Shell)  # for the notebook's own cells
    with set_curdoc(Document()):
        pn.extension()
    assert not shown

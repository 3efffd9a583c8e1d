"""What a visitor does with a widget: once, in order, and not on the event loop."""

import inspect
import logging
import threading

import panel as pn
import pytest
from bokeh.document import Document
from panel.reactive import Syncable

from app.server import widget_events


@pytest.fixture
def installed(monkeypatch):
    for name in widget_events.REPLACED:
        monkeypatch.setattr(Syncable, name, getattr(Syncable, name))
    state, name = type(pn.state), widget_events.BUSY
    monkeypatch.setattr(state, name, getattr(state, name))
    widget_events.install()


class Widget:
    """Notes what happens to it."""

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


def test_bokeh_calls_it_on_a_thread(installed):
    """As everything that is no coroutine."""
    for name in widget_events.REPLACED:
        assert not inspect.iscoroutinefunction(getattr(Syncable, name))


def test_values_come_before_the_click_and_once(installed):
    widget, document = Widget(), Document()

    def change() -> None:
        Syncable._change_coroutine(widget, document, event_id="one")

    pn.state._change_callbacks[document] = {"one": change}
    Syncable._event_coroutine(widget, document, object())
    change()
    assert widget.noted == ["change", "click"]
    assert document not in pn.state._change_callbacks


def test_panel_begins_nothing_on_a_thread_that_would_begin_itself_anew(installed):
    before = pn.state._busy_cleanup_scheduled
    thread = threading.Thread(target=lambda: pn.state._add_busy_event("one"))
    thread.start()
    thread.join()
    pn.state._remove_busy_event("one")
    assert pn.state._busy_cleanup_scheduled is before and not pn.state.busy


def test_a_change_that_fails_is_told(installed, monkeypatch):
    told = []
    monkeypatch.setattr(pn.state, "_handle_exception", told.append, raising=False)
    Syncable._change_coroutine(Widget(fails=True), Document())
    assert [str(error) for error in told] == ["no such option"]


def test_another_panel_is_left_alone(monkeypatch, caplog):
    before = Syncable._event_coroutine
    monkeypatch.delattr(Syncable, "_change_coroutine")
    with caplog.at_level(logging.WARNING):
        widget_events.install()
    assert Syncable._event_coroutine is before
    assert "event loop" in caplog.text

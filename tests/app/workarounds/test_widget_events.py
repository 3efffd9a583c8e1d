"""Widget events are handled on a thread, in their order, and counted nowhere."""

import inspect
import threading

import panel as pn
import pytest
from bokeh.document import Document
from panel.reactive import Syncable

from app.server.workarounds.widget_events import handle_events_on_threads


@pytest.fixture
def installed(restored):
    handle_events_on_threads()


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

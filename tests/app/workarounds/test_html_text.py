"""A pane of HTML with a new text sends what Panel would send, for less."""

from bokeh.document import Document
from panel.pane import HTML
from panel.pane.markup import HTMLBasePane

from app.server.workarounds.html_text import send_new_text_alone


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
    send_new_text_alone()
    pane, computed = HTML("before", stylesheets=sheets), []
    properties = pane._get_properties
    monkeypatch.setattr(pane, "_get_properties", lambda *x: computed.append(1) or properties(*x))
    assert what_a_pane_sends(pane) == as_panel_does
    assert [name for name, _ in as_panel_does] == ["text", "css_classes", "text"]
    assert len(computed) == 1  # for the first drawing

"""A page keeps one model for each style sheet; those that were made beside it are freed at once."""

import gc

from bokeh.document import Document
from bokeh.models import ImportedStyleSheet
from panel.layout import Column
from panel.pane import HTML
from panel.reactive import Reactive

from app.server.workarounds.loose_stylesheets import free_loose_stylesheets


def drawn() -> Document:
    page = Document()
    page.add_root(Column(*[HTML(text) for text in "abc"]).get_root(page))
    return page


def sheets_of(page: Document) -> list[list[object]]:
    """The style sheets of each component, by their addresses where they have one."""
    found = [model.stylesheets for model in [page.roots[0], *page.roots[0].children]]
    return [[getattr(sheet, "url", sheet) for sheet in sheets] for sheets in found]


def loose() -> int:
    """How many models of style sheets belong to no page."""
    found = [x for x in gc.get_objects() if isinstance(x, ImportedStyleSheet)]
    return sum(sheet.document is None for sheet in found)


def test_style_sheets_that_no_component_has_are_freed_at_once(monkeypatch):
    as_panel_has_it = Reactive._resolve_stylesheets
    as_panel_has_it = getattr(as_panel_has_it, "__wrapped__", as_panel_has_it)
    monkeypatch.setattr(Reactive, "_resolve_stylesheets", as_panel_has_it)
    gc.collect()
    gc.disable()
    try:
        before, usual = loose(), drawn()
        assert loose() > before
        free_loose_stylesheets()
        before, page = loose(), drawn()
        assert loose() == before
        assert sheets_of(page) == sheets_of(usual)
    finally:
        gc.enable()

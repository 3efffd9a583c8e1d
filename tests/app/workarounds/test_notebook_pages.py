"""A page that a notebook serves loads no scripts into the notebook."""

import builtins
import sys

import panel as pn
from bokeh.document import Document
from panel.io.state import set_curdoc

from app.server.workarounds.notebook_pages import keep_pages_out_of_the_notebook


def test_a_page_that_a_notebook_serves_is_none_itself(monkeypatch):
    class Shell:
        kernel = None

    asked, shown = sys.modules["panel.config"], []
    monkeypatch.setattr(builtins, "__IPYTHON__", True, raising=False)
    monkeypatch.setattr(builtins, "get_ipython", Shell, raising=False)
    monkeypatch.setattr("panel.io.notebook.load_notebook", lambda *a, **k: shown.append(a))
    monkeypatch.setitem(vars(asked), "get_ipython", Shell)  # and taken away afterwards
    keep_pages_out_of_the_notebook()
    assert isinstance(asked.get_ipython(), Shell)  # for the notebook's own cells
    with set_curdoc(Document()):
        pn.extension()
    assert not shown

"""A page loads the scripts and fonts that it uses, and no others."""

import pytest
from bokeh.resources import Resources
from panel import ui
from panel.io import server
from panel.io.resources import bundle_resources

from app.server.workarounds.page_scripts import gather_resources_once


@pytest.fixture(autouse=True)
def material() -> type:
    """The page's components, which bring their style sheets once they are imported."""
    return ui.Page


def test_a_page_has_what_it_uses_and_nothing_for_webgl_and_no_fonts_twice(monkeypatch):
    monkeypatch.setattr(server, "bundle_resources", bundle_resources)
    resources = Resources(mode="server")
    before = bundle_resources([], resources)
    scripts, sheets = list(before.js_files), list(before.css_files)
    gather_resources_once()
    after = server.bundle_resources([], resources)
    (script,) = [file for file in scripts if file not in after.js_files]
    assert "bokeh-gl" in str(script)
    assert after.js_files == [file for file in scripts if file != script]
    (sheet,) = [file for file in sheets if file not in after.css_files]
    assert "material-icons.css" in str(sheet)
    assert after.css_files == [file for file in sheets if file != sheet]

"""Defaults computed once for a class of models are the defaults that Bokeh computes."""

import json
import re

import pytest
from bokeh.core.json_encoder import serialize_json
from bokeh.core.property.bases import Property
from bokeh.document import Document
from bokeh.models import Button, Line
from bokeh.themes import Theme

from app.plots import VIEWS, view_of
from app.server.workarounds.model_defaults import compute_defaults_once
from app.theme import STYLES
from engine import Experiment, RunConfig

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
def test_a_plot_is_what_bokeh_makes_of_it_with_defaults_computed_once(name, theme, restored):
    by_bokeh = written_anew(name, theme)
    compute_defaults_once()
    assert written_anew(name, theme) == by_bokeh
    assert written_anew(name, theme) == by_bokeh  # when all defaults are known


def test_a_default_is_computed_once_for_a_class_and_lists_are_shared_by_no_two(
    monkeypatch, restored
):
    compute_defaults_once()
    first, second = Line(), Line()
    assert first.line_alpha == 1.0
    with monkeypatch.context() as during:
        during.setattr(Property, "themed_default", None)  # which computes them
        assert second.line_alpha == 1.0
    one, other = Button(), Button()
    one.tags.append("mine")
    assert other.tags == [] and Button().tags == []

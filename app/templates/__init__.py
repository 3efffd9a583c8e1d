"""The page's HTML as Jinja2 templates, with autoescape.

`render("report", ...)` fills in `report.html` of this folder.
"""

import functools
from pathlib import Path

import jinja2

FOLDER = Path(__file__).parent


@functools.cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,  # a missing value is an error
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(name: str, **given: object) -> str:
    """The filled-in template of this name."""
    return _environment().get_template(f"{name}.html").render(given)

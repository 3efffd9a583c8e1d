"""The page's HTML as Jinja2 templates, with autoescape.

`render("report", ...)` fills in `report.html` of this folder.
"""

import functools
from pathlib import Path

import jinja2

from app import numbers
from engine import counted, joined

FOLDER = Path(__file__).parent


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,  # a missing value is an error
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = numbers.number
    environment.filters["counted"] = counted
    environment.filters["joined"] = joined
    return environment


def render(name: str, /, **given: object) -> str:
    """The filled-in template of this name."""
    return _environment().get_template(f"{name}.html").render(given)


def sentence(text: str, kind: str = "", role: str = "") -> str:
    """A paragraph with this text, which may be anybody's; `kind` is a class of its style sheet."""
    return render("sentence", text=text, kind=kind, role=role)


def refusal(error: object) -> str:
    """A paragraph that says at once why something was refused."""
    return sentence(str(error), "fails", "alert")

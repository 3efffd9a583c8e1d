"""The current value of a thing on the page, from the snapshot that the page shows."""

from collections.abc import Callable

from app import numbers
from app.plots import VIEWS, plot_data, view_of
from app.plots.plot_data import Part
from app.settings.parameters import PLACES, value_of
from app.settings.schema import in_words
from engine import Finding, Snapshot


def value_now(kind: str, name: str, snapshot: Snapshot) -> str:
    """The value of a thing of the page by its key; empty if it has none. A browser may name any."""
    reading = READINGS.get(kind)
    return reading(snapshot, name) if reading else ""


def _setting(snapshot: Snapshot, name: str) -> str:
    return in_words(value_of(PLACES[name], snapshot.config)) if name in PLACES else ""


def _number(snapshot: Snapshot, name: str) -> str:
    """The current text of an element in a plot's headline or in the header."""
    view, of_view, _ = name.partition(".")
    if of_view and view in VIEWS:
        return _part(snapshot, view).text.get(name, "")
    return plot_data.status(snapshot, snapshot.curves.rows).text.get(name, "")


def _view(snapshot: Snapshot, name: str) -> str:
    """What there is to see, in words."""
    return (
        _part(snapshot, name).described(name).text.get(f"{name}.alt", "") if name in VIEWS else ""
    )


def _part(snapshot: Snapshot, view: str) -> Part:
    # With nothing new to stream: only the words are wanted.
    return view_of(view).columns(snapshot, snapshot.curves.rows)


def _finding(snapshot: Snapshot, name: str) -> str:
    finding = found(snapshot, name)
    return f"{numbers.number(finding.number)}. {finding.cause}" if finding else "not found here"


def found(snapshot: Snapshot, rule: str) -> Finding | None:
    """The finding of this rule, if there is one."""
    return next((finding for finding in snapshot.findings if finding.rule == rule), None)


READINGS: dict[str, Callable[[Snapshot, str], str]] = {
    "setting": _setting,
    "number": _number,
    "view": _view,
    "finding": _finding,
}

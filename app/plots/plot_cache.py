"""The drawings of plots: each is made once, for all pages that show the same.

A drawing is a Bokeh document of its own, over sources without data. It belongs to no session, so
it costs a visitor nothing: one frame carries the drawing to the page, later ones its data. Making
one takes the server some 30 ms.
"""

import functools
import logging
import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable

import msgspec
from bokeh.document import Document

from app import theme
from app.plots import VIEWS, View, places, view_of
from app.plots.run_axis import control
from app.plots.view import switches
from engine import Experiment, RunConfig, Snapshot

log = logging.getLogger(__name__)

MOST = 300  # drawings that are kept; one takes some 30 kB

type Key = tuple[str, str, Hashable]


class Drawing(msgspec.Struct):
    """A card of the page, before there is data."""

    headline: str  # HTML
    plot: object  # a document of Bokeh's, as JSON, with several roots


def key_of(name: str, snapshot: Snapshot, style: str) -> Key:
    """Everything that the drawing of a view depends on."""
    return name, style, view_of(name).drawn_for(snapshot)


class Drawings:
    """The drawings made so far."""

    def __init__(self) -> None:
        self._made: OrderedDict[Key, msgspec.Raw] = OrderedDict()  # those asked for last at the end
        self._making = threading.Lock()

    def made(self, key: Key) -> msgspec.Raw | None:
        """The drawing as JSON, if it has been made."""
        return self._made.get(key)

    def lack(self, names: Iterable[str], snapshot: Snapshot, style: str) -> bool:
        """Whether one of the views has yet to be drawn."""
        return any(key_of(name, snapshot, style) not in self._made for name in names)

    def make_first(self) -> None:
        """Draw what every visitor sees first."""
        views = [name for name in VIEWS if view_of(name).tab in ("", places()[1])]
        self.make(views, Experiment(RunConfig()).snapshot(), next(iter(theme.STYLES)))

    def make(self, names: Iterable[str], snapshot: Snapshot, style: str) -> None:
        """Draw those of the views that have not been drawn yet."""
        for name in names:
            key = key_of(name, snapshot, style)
            with self._making:  # or several threads at once would make the same
                if key in self._made:
                    self._made.move_to_end(key)
                else:
                    self._made[key] = _drawn(name, snapshot, style)
                while len(self._made) > MOST:
                    self._made.popitem(last=False)


def _drawn(name: str, snapshot: Snapshot, style: str) -> msgspec.Raw:
    try:
        view = view_of(name)(snapshot, theme.STYLES[style])
    except Exception:  # of one plot, which must not keep the others from the page
        log.exception("the view %s cannot be drawn", name)
        return _words(name, "cannot be drawn")
    return msgspec.Raw(msgspec.json.encode(draw(view)))


@functools.cache
def being_drawn(name: str) -> msgspec.Raw:
    """What stands in the place of a view until it is drawn."""
    return _words(name, "is being drawn for this network …")


def _words(name: str, words: str) -> msgspec.Raw:
    headline = f'<div class="headline"><h2>{view_of(name).title}</h2> <span>{words}</span></div>'
    return msgspec.Raw(msgspec.json.encode(Drawing(headline, _json(Document()))))


def draw(view: View) -> Drawing:
    """A view as the browser can draw it."""
    document = Document()
    for figure in view.figures:
        document.add_root(figure)
    return Drawing(_headline(view), _json(document))


def _json(document: Document) -> object:
    plot = document.to_json(deferred=False)
    plot.pop("defs", None)  # of all components that there are; the page has those that it needs
    return plot


def _headline(view: View) -> str:
    keys = "".join(
        f'<span class="key">{_mark(colour)}{label} <b data-text="{text}"></b></span>'
        for text, label, colour in view.keys
    )
    alternative = str(view.figures[0].name).removeprefix("view:")
    return (
        f'<div class="headline"><h2>{view.title}</h2>{keys}{_switches(view)}</div>'
        f'<p class="unseen" data-text="{alternative}.alt"></p>'
    )


def _mark(colour: str) -> str:
    return f'<i style="border-color:{colour}"></i>' if colour else ""


def _switches(view: View) -> str:
    """The buttons in a card's headline as HTML; all are pressed at first."""
    buttons = "".join(
        f'<button type="button" class="switch" data-switch="{name}" aria-pressed="true">{label}'
        "</button>"
        for name, label in switches(view)
    )
    chosen = control(view) + buttons
    return f'<span class="switches">{chosen}</span>' if chosen else ""


DRAWINGS = Drawings()

"""The layout of the page: a skeleton at once, the instruments as soon as somebody looks."""

from collections.abc import Mapping, Set

from bokeh.model import Model
from panel import ui
from panel.layout import Column, Row
from panel.pane import HTML, Bokeh
from panel.util.parameters import edit_readonly
from panel.viewable import Viewable

from app import theme
from app.controls import Controls
from app.dialogs import Dialogs
from app.lane import Lane
from app.look import Look
from app.rooms import KNOBS, ROOMS
from app.share import name_of
from app.transport import Transport
from app.views import PLACES, VIEWS, View, view_of
from app.views.view import switches
from engine import SETTINGS

COUNTERS = """
<div class="counters">
  <span>step <b data-text="step">0</b> <span data-text="until"></span></span>
  <span class="rest">epoch <b data-text="epoch">0</b></span>
  <span class="rest"><b data-text="pace">0</b> steps/s</span>
</div>
"""
WORD = """
<div class="words">
  <span data-text="status">starting</span>
  <span data-text="health"></span>
</div>
"""
RUN = '<h1 data-text="title"></h1>'


class Layout:
    """The page of one visitor."""

    def __init__(self, hidden: Set[str] = frozenset()) -> None:
        self._hidden = hidden  # as links call what is not to be seen
        shown = {view_of(name).tab for name in VIEWS if name not in hidden}
        self._cards: dict[str, Viewable] = {}
        self._named: dict[str, list[Model]] = {}  # of each view, what frames go to
        self._grid = _grid()
        self._rooms = {room: _grid() for room in ROOMS if room in PLACES}
        self._tabs = {
            place: Row(height=theme.INSIDE_HEIGHT, sizing_mode="stretch_width")
            for place in PLACES
            if place in shown - {"", *ROOMS}
        }
        self._places = {"": self._grid, **self._tabs, **self._rooms}  # where views can be
        self._mains = {room: _main(grid) for room, grid in self._rooms.items()}
        self._own: Viewable | None = None  # what the room that is open brought
        self._knobs = Column(sizing_mode="stretch_width")
        self._sidebars = {
            room: Column(sizing_mode="stretch_width")
            for room in ROOMS
            if room.lower() not in hidden
        }
        self.sidebar = ui.Tabs(
            (KNOBS, self._knobs),
            *self._sidebars.items(),
            sx=theme.SIDEBAR_SX,
            sizing_mode="stretch_width",
        )
        self.inside = ui.Tabs(
            *self._tabs.items(),
            height=theme.INSIDE_HEIGHT + theme.TABS_HEIGHT,
            stylesheets=[theme.INSIDE_CSS],
            sx=theme.TABS_SX,
            sizing_mode="stretch_width",
        )
        self._name = HTML(RUN, stylesheets=[theme.RUN_CSS])
        self._counters = HTML(COUNTERS, stylesheets=[theme.COUNTERS_CSS])
        self._word = HTML(WORD, stylesheets=[theme.WORD_CSS])
        self.page = ui.Page(
            title="Babysit",
            busy_indicator=None,
            sidebar_width=theme.SIDEBAR_WIDTH,
            sidebar_resizable=False,  # its handle has a name but no role (Panel 1.10.0)
            sidebar=[HTML("")],
            header=[self._word],
            main=[HTML("Setting up a network …", margin=theme.SPACE)],
            sx=theme.PAGE_SX,
        )
        with edit_readonly(self.page):
            # Follows the process: it would tell every page of each other, and outlive its visitor
            # (Panel 1.10.0). Only another reference ends that; a value leaves it watching.
            self.page.busy = self.page.param.sidebar_resizable

    def fill(
        self,
        transport: Transport,
        controls: Controls,
        views: Mapping[str, View],
        lane: Lane,
        dialogs: Dialogs,
        look: Look,
    ) -> None:
        """Put the instruments in, except those that the visitor's link hides."""
        self.draw(views)
        controls.hide({path for path in SETTINGS if name_of(path) in self._hidden})
        self._knobs[:] = list(controls.views)
        self._run = _main(
            self._grid,
            *([] if "lane" in self._hidden else [lane.view]),
            *([self.inside] if self._has_inside else []),
        )
        # At once: each change of the page makes the browser lay it out anew.
        self.page.param.update(
            header=[
                self._name,
                *([] if "transport" in self._hidden else transport.views),
                self._counters,
                self._word,
                *([] if "menus" in self._hidden else dialogs.views),
                *look.views,
            ],
            sidebar=[] if "sidebar" in self._hidden else [self.sidebar],
            sidebar_open=self.page.sidebar_open and "sidebar" not in self._hidden,
            main=[self._run],
        )

    @property
    def room(self) -> str:
        """The tab of the sidebar that is open."""
        return (KNOBS, *self._sidebars)[self.sidebar.active]

    @property
    def _has_inside(self) -> bool:
        return bool(self._tabs) and "inside" not in self._hidden

    @property
    def open(self) -> tuple[str, ...]:
        """The places whose views are in the page now."""
        if self._own:
            return ()
        if self.room in self._rooms:
            return (self.room,)
        return ("", list(self._tabs)[self.inside.active]) if self._has_inside else ("",)

    def has(self, name: str) -> bool:
        """Whether the page shows the view of this name now."""
        return name not in self._hidden and view_of(name).tab in self.open

    def enter(self, room: str, sidebar: list[Viewable], main: Viewable | None) -> None:
        """Show what belongs to a room: in the sidebar this; in the main area this, or its views."""
        if room in self._sidebars and list(self._sidebars[room]) != sidebar:
            self._sidebars[room][:] = sidebar
        self._own = main
        self.page.main = [main or self._mains.get(room, self._run)]

    def leave(self) -> None:
        """Go back to the knobs."""
        self.sidebar.active = 0

    def draw(self, views: Mapping[str, View]) -> None:
        """Put these plots in, in the place of those of the same names.

        The browser keeps the old ones for a while, and frames go to models by name: they lose it.
        """
        for name, view in views.items():
            self._forget(name)
            self._cards[name] = _card(view, theme.CARDS.get(name, {}))
            models = [model for figure in view.figures for model in figure.references()]
            self._named[name] = [model for model in models if model.name]
        for place, room in self._places.items():
            cards = [self._cards[name] for name in VIEWS if self._is_in(place, name)]
            if list(room) != cards:
                room[:] = cards

    def _forget(self, name: str) -> None:
        for model in self._named.pop(name, ()):
            model.name = None

    def _is_in(self, place: str, name: str) -> bool:
        return name in self._cards and view_of(name).tab == place

    def point_at(self, view: str) -> None:
        """Put a frame around the plot of this name, and around no other; open the tab it is in."""
        if view and (tab := view_of(view).tab) in self._tabs:
            self.inside.active = list(self._tabs).index(tab)
        for name, card in self._cards.items():
            classes = ["pointed-at"] if name == view else []
            if card.css_classes != classes:
                card.css_classes = classes


def _main(*parts: Viewable) -> Viewable:
    """What fills the page beside the sidebar."""
    return Column(*parts, stylesheets=[theme.MAIN_CSS], sizing_mode="stretch_both")


def _grid() -> Column:
    return Column(stylesheets=[theme.GRID_CSS], sizing_mode="stretch_both")


def _mark(colour: str) -> str:
    return f'<i style="border-color:{colour}"></i>' if colour else ""


def _card(view: View, styles: dict[str, str]) -> Viewable:
    keys = "".join(
        f'<span class="key">{_mark(colour)}{label} <b data-text="{text}"></b></span>'
        for text, label, colour in view.keys
    )
    alternative = str(view.figures[0].name).removeprefix("view:")
    headline = (
        f'<div class="headline"><h2>{view.title}</h2>{keys}{_switches(view)}</div>'
        f'<p class="unseen" data-text="{alternative}.alt"></p>'
    )
    return Column(
        HTML(headline, stylesheets=[theme.HEADLINE_CSS], sizing_mode="stretch_width"),
        Row(
            *(Bokeh(figure, sizing_mode="stretch_both") for figure in view.figures),
            sizing_mode="stretch_both",
        ),
        stylesheets=[theme.CARD_CSS],
        styles=styles,
        sizing_mode="stretch_both",
    )


def _switches(view: View) -> str:
    """The buttons of a card's headline; all are pressed at first."""
    buttons = "".join(
        f'<button type="button" class="switch" data-switch="{name}" aria-pressed="true">{label}'
        "</button>"
        for name, label in switches(view)
    )
    return f'<span class="switches">{buttons}</span>' if buttons else ""

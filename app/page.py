"""The layout of the page: plots that move at once, the knobs as soon as they have been built."""

from collections.abc import Sequence, Set

from panel import ui
from panel.layout import Column
from panel.pane import HTML
from panel.util.parameters import edit_readonly
from panel.viewable import Viewable

from app import theme
from app.browser import Browser
from app.controls import Controls
from app.dialogs import Dialogs
from app.lane import Lane
from app.look import Look
from app.rooms import KNOBS, ROOMS
from app.share import name_of
from app.transport import Transport
from app.views import PLACES, VIEWS, view_of
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
DO = "window.babysit[words[0]](...words.slice(1))"  # what the browser does for the page


class Layout:
    """The page of one visitor.

    The plots are the browser's: the page has a place for each, which app/static/views.js fills.
    """

    def __init__(self, hidden: Set[str] = frozenset()) -> None:
        self._hidden = hidden  # as links call what is not to be seen
        self._views = {place: self._in_sight(place) for place in PLACES}
        self._tabs = [place for place in PLACES if self._views[place] and place not in ("", *ROOMS)]
        self._plots = _places(self._views[""], theme.GRID_CSS, sizing_mode="stretch_both")
        self._run = _main(self._plots, *self._room_below)
        self._mains: dict[str, Viewable] = {}  # of the rooms that have been opened
        self._own: Viewable | None = None  # what the room that is open brought
        self._pointed_at = ""  # the view
        self.browser = Browser(DO)
        self._name = HTML(RUN, stylesheets=[theme.RUN_CSS])
        self._counters = HTML(COUNTERS, stylesheets=[theme.COUNTERS_CSS])
        self._word = HTML(WORD, stylesheets=[theme.WORD_CSS])
        self.page = ui.Page(
            title="Babysit",
            busy_indicator=None,
            sidebar_width=theme.SIDEBAR_WIDTH,
            sidebar_resizable=False,  # its handle has a name but no role (Panel 1.10.0)
            sidebar=[] if "sidebar" in hidden else [HTML("")],
            sidebar_open="sidebar" not in hidden,
            header=[self._name, self._counters, self._word],
            main=[self._run],
            sx=theme.PAGE_SX,
        )
        with edit_readonly(self.page):
            # Follows the process: it would tell every page of each other, and outlive its visitor
            # (Panel 1.10.0). Only another reference ends that; a value leaves it watching.
            self.page.busy = self.page.param.sidebar_resizable

    def _in_sight(self, place: str) -> list[str]:
        return [x for x in VIEWS if x not in self._hidden and view_of(x).tab == place]

    @property
    def _room_below(self) -> list[Viewable]:
        """Empty room as high as what will stand below the plots, which then need not give way."""
        lane = 0 if "lane" in self._hidden else theme.LANE_HEIGHT
        inside = theme.INSIDE_HEIGHT + theme.TABS_HEIGHT if self._has_inside else 0
        return [HTML("", height=height, margin=0) for height in (lane, inside) if height]

    def fill(
        self,
        transport: Transport,
        controls: Controls,
        lane: Lane,
        dialogs: Dialogs,
        look: Look,
    ) -> None:
        """Put the instruments in, except those that the visitor's link hides."""
        controls.hide({path for path in SETTINGS if name_of(path) in self._hidden})
        self._fill_sidebar(controls)
        self._fill_inside()
        below = [] if "lane" in self._hidden else [lane.view]
        self._run[:] = [self._plots, *below, *([self.inside] if self._has_inside else [])]
        # At once: each change of the page makes the browser lay it out anew.
        self.page.param.update(
            header=[
                self._name,
                *([] if "transport" in self._hidden else transport.views),
                self._counters,
                self._word,
                *([] if "menus" in self._hidden else dialogs.views),
                *look.views,
                self.browser.view,
            ],
            sidebar=[] if "sidebar" in self._hidden else [self.sidebar],
        )

    def _fill_sidebar(self, controls: Controls) -> None:
        self._sidebars = {
            room: Column(sizing_mode="stretch_width")
            for room in ROOMS
            if room.lower() not in self._hidden
        }
        self.sidebar = ui.Tabs(
            (KNOBS, Column(*controls.views, sizing_mode="stretch_width")),
            *self._sidebars.items(),
            sx=theme.SIDEBAR_SX,
            sizing_mode="stretch_width",
        )

    def _fill_inside(self) -> None:
        height = theme.INSIDE_HEIGHT
        self.inside = ui.Tabs(
            *((tab, _row(self._views[tab], height)) for tab in self._tabs),
            height=height + theme.TABS_HEIGHT,
            stylesheets=[theme.INSIDE_CSS],
            sx=theme.TABS_SX,
            sizing_mode="stretch_width",
        )

    @property
    def room(self) -> str:
        """The tab of the sidebar that is open."""
        return (KNOBS, *self._sidebars)[self.sidebar.active]

    @property
    def _has_inside(self) -> bool:
        return bool(self._tabs) and "inside" not in self._hidden

    @property
    def views(self) -> list[str]:
        """The names of the views that have a place in the page now."""
        if self._own:
            return []
        if self._views.get(self.room):
            return self._views[self.room]
        inside = self._views[self._tabs[self.inside.active]] if self._has_inside else []
        return [*self._views[""], *inside]

    def enter(self, room: str, sidebar: list[Viewable], main: Viewable | None) -> None:
        """Show what belongs to a room: in the sidebar this; in the main area this, or its views."""
        if room in self._sidebars and list(self._sidebars[room]) != sidebar:
            self._sidebars[room][:] = sidebar
        if room not in self._mains and self._views.get(room):
            views = _places(self._views[room], theme.GRID_CSS, sizing_mode="stretch_both")
            self._mains[room] = _main(views)
        self._own = main
        self.page.main = [main or self._mains.get(room, self._run)]

    def leave(self) -> None:
        """Go back to the knobs."""
        self.sidebar.active = 0

    def point_at(self, view: str) -> None:
        """Put a frame around the plot of this name, and around no other; open the tab it is in."""
        if view and (tab := view_of(view).tab) in self._tabs:
            self.inside.active = self._tabs.index(tab)
        if view != self._pointed_at:
            self._pointed_at = view
            self.browser.ask("point_at", view)


def _main(*parts: Viewable) -> Column:
    """What fills the page beside the sidebar."""
    return Column(*parts, stylesheets=[theme.MAIN_CSS], sizing_mode="stretch_both")


def _row(views: Sequence[str], height: int) -> HTML:
    return _places(views, theme.ROW_CSS, height=height, sizing_mode="stretch_width")


def _places(views: Sequence[str], css: str, **size: object) -> HTML:
    """A place for each of these views."""
    places = (
        f'<babysit-view name="{name}" style="{theme.CARDS.get(name, "")}"></babysit-view>'
        for name in views
    )
    words = f'<div class="plots">{"".join(places)}</div>'
    return HTML(words, stylesheets=[theme.VIEWS_CSS, css], margin=0, **size)

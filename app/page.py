"""The layout of the page: a skeleton at once, the instruments as soon as somebody looks."""

from collections.abc import Mapping

from bokeh.model import Model
from panel import ui
from panel.layout import Column, Row
from panel.pane import HTML, Bokeh
from panel.util.parameters import edit_readonly
from panel.viewable import Viewable

from app import theme
from app.controls import Controls
from app.lane import Lane
from app.transport import Transport
from app.views import TABS, VIEWS, View, view_of

STATUS = """
<div class="status">
  <span data-text="status">starting</span>
  <span>step <b data-text="step">0</b></span>
  <span>epoch <b data-text="epoch">0</b></span>
  <span><b data-text="pace">0</b> steps/s</span>
</div>
"""


class Layout:
    """The page of one visitor."""

    def __init__(self) -> None:
        self._cards: dict[str, Viewable] = {}
        self._named: dict[str, list[Model]] = {}  # of each view, what frames go to
        self._grid = Column(stylesheets=[theme.GRID_CSS], sizing_mode="stretch_both")
        self._tabs = {
            tab: Row(height=theme.INSIDE_HEIGHT, sizing_mode="stretch_width") for tab in TABS
        }
        self.inside = ui.Tabs(
            *self._tabs.items(),
            height=theme.INSIDE_HEIGHT + theme.TABS_HEIGHT,
            stylesheets=[theme.INSIDE_CSS],
            sizing_mode="stretch_width",
        )
        self._status = HTML(STATUS, stylesheets=[theme.STATUS_CSS])
        self.page = ui.Page(
            title="Babysit",
            busy_indicator=None,
            sidebar_width=theme.SIDEBAR_WIDTH,
            sidebar=[HTML("")],
            header=[self._status],
            main=[HTML("Setting up a network …", margin=theme.SPACE)],
            sx=theme.PAGE_SX,
        )
        with edit_readonly(self.page):
            self.page.busy = False  # shared by the process: it would tell every page of each other

    def fill(
        self, transport: Transport, controls: Controls, views: Mapping[str, View], lane: Lane
    ) -> None:
        """Put the instruments in."""
        self.draw(views)
        # At once: each change of the page makes the browser lay it out anew.
        self.page.param.update(
            header=[*transport.views, self._status],
            sidebar=list(controls.views),
            main=[
                Column(
                    self._grid,
                    lane.view,
                    self.inside,
                    stylesheets=[theme.MAIN_CSS],
                    sizing_mode="stretch_both",
                )
            ],
        )

    @property
    def tab(self) -> str:
        """The tab of the panel "Inside" that is open."""
        return TABS[self.inside.active]

    def draw(self, views: Mapping[str, View]) -> None:
        """Put these plots in, in the place of those of the same names.

        The browser keeps the old ones for a while, and frames go to models by name: they lose it.
        """
        for name, view in views.items():
            self._forget(name)
            self._cards[name] = _card(view)
            models = [model for figure in view.figures for model in figure.references()]
            self._named[name] = [model for model in models if model.name]
        self._grid[:] = [self._cards[name] for name in VIEWS if self._is_in("", name)]
        for tab, room in self._tabs.items():
            room[:] = [self._cards[name] for name in VIEWS if self._is_in(tab, name)]

    def drop(self, name: str) -> None:
        """Take a plot out."""
        self._forget(name)
        del self._cards[name]

    def _forget(self, name: str) -> None:
        for model in self._named.pop(name, ()):
            model.name = None

    def _is_in(self, tab: str, name: str) -> bool:
        return name in self._cards and view_of(name).tab == tab

    def point_at(self, view: str) -> None:
        """Put a frame around the plot of this name, and around no other."""
        for name, card in self._cards.items():
            classes = ["pointed-at"] if name == view else []
            if card.css_classes != classes:
                card.css_classes = classes


def _card(view: View) -> Viewable:
    keys = "".join(
        f'<span class="key"><i style="border-color:{colour}"></i>{label} '
        f'<b data-text="{text}"></b></span>'
        for text, label, colour in view.keys
    )
    alternative = str(view.figures[0].name).removeprefix("view:")
    headline = (
        f'<div class="headline"><h2>{view.title}</h2>{keys}</div>'
        f'<p class="unseen" data-text="{alternative}.alt"></p>'
    )
    return Column(
        HTML(headline, stylesheets=[theme.HEADLINE_CSS], sizing_mode="stretch_width"),
        Row(
            *(Bokeh(figure, sizing_mode="stretch_both") for figure in view.figures),
            sizing_mode="stretch_both",
        ),
        stylesheets=[theme.CARD_CSS],
        sizing_mode="stretch_both",
    )

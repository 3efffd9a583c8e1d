"""The layout of the page: a skeleton at once, the instruments as soon as somebody looks."""

from collections.abc import Mapping

from bokeh.model import Model
from panel import ui
from panel.layout import Column
from panel.pane import HTML, Bokeh
from panel.util.parameters import edit_readonly
from panel.viewable import Viewable

from app import theme
from app.controls import Controls
from app.lane import Lane
from app.transport import Transport
from app.views import View

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
        self._named: list[Model] = []
        self._grid = Column(stylesheets=[theme.GRID_CSS], sizing_mode="stretch_both")
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
                    stylesheets=[theme.MAIN_CSS],
                    sizing_mode="stretch_both",
                )
            ],
        )

    def draw(self, views: Mapping[str, View]) -> None:
        """Put these plots in, instead of those before, which lose their names.

        The browser keeps them for a while, and frames go to models by name.
        """
        self._cards = {name: _card(view) for name, view in views.items()}
        for model in self._named:
            model.name = None
        self._grid[:] = list(self._cards.values())
        self._named = [m for view in views.values() for m in view.figure.references() if m.name]

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
    headline = f'<div class="headline"><h2>{view.title}</h2>{keys}</div>'
    return Column(
        HTML(headline, stylesheets=[theme.HEADLINE_CSS], sizing_mode="stretch_width"),
        Bokeh(view.figure, sizing_mode="stretch_both"),
        stylesheets=[theme.CARD_CSS],
        sizing_mode="stretch_both",
    )

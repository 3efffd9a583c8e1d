"""How large type and lines are: for a desk, or to be read from the last row of a hall."""

from collections.abc import Callable

from bokeh.models import CustomJS
from bokeh.models.widgets import Div
from panel.pane import Bokeh

from app import theme
from app.buttons import icon_button

# All type on the page is measured in that of its root; plots are drawn in a style of their own.
ENLARGE = f"""
const large = cb_obj.tags.includes("projector")
const {{style}} = document.documentElement
style.fontSize = large ? "{theme.PROJECTOR_TYPE}" : ""
style.setProperty("{theme.IN_HALL}", large ? "none" : "")
"""


class Look:
    """The style that plots are drawn in, and a button that changes it."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.style = theme.DESK
        self._changed = changed
        self._button = icon_button("Projector", "co_present", self.toggle)
        # A model of Bokeh's own: Panel tells the browser of a component's callbacks too late, when
        # the component has joined a page that is there already (Panel 1.10.0).
        self._teller = Div(visible=False)
        self._teller.js_on_change("tags", CustomJS(code=ENLARGE))
        self.views = [self._button, Bokeh(self._teller, width=0, margin=0)]

    def toggle(self) -> None:
        """From the desk to the hall, and back."""
        large = self.style is theme.DESK
        self.style = theme.PROJECTOR if large else theme.DESK
        self._teller.tags = ["projector"] if large else []
        self._changed()

"""The size of type and lines: for a desk, or readable from the last row of a lecture hall."""

from app.explanations.explanation import explain
from app.page.bridge import Bridge
from app.page.buttons import Presses, button


class DisplayMode:
    """A button that changes the style of the page and of its plots, both in the browser."""

    def __init__(self, bridge: Bridge, presses: Presses) -> None:
        self._bridge = bridge
        self._styles = ["desk", "projector"]  # the current one first
        presses.on("projector", self.toggle)
        self.html = button("projector", "Projector", "co_present", word="Projector")

    def toggle(self) -> None:
        """Switch between desk and projector mode."""
        self._styles.reverse()
        self._bridge.do("set_style", self._styles[0])


explain(
    "button projector",
    "Projector",
    "Large type and thick lines, to be read from the last row of a lecture hall, and back.",
    shortcut="p",
)

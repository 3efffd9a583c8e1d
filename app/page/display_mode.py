"""How large type and lines are: for a desk, or to be read from the last row of a hall."""

from app.page.bridge import Bridge
from app.page.buttons import Presses, button


class DisplayMode:
    """A button that changes the style of the page and of its plots, both in the browser."""

    def __init__(self, bridge: Bridge, presses: Presses) -> None:
        self._bridge = bridge
        self._looks = ["desk", "projector"]  # the one that it has now first
        presses.on("look", self.toggle)
        self.html = button("look", "Projector", "co_present", word="Projector")

    def toggle(self) -> None:
        """From the desk to the hall, and back."""
        self._looks.reverse()
        self._bridge.do("wear", self._looks[0])

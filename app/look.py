"""How large type and lines are: for a desk, or to be read from the last row of a hall."""

from app.browser import Browser
from app.buttons import icon_button


class Look:
    """A button that changes the style of the page and of its plots, both in the browser."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._looks = ["desk", "projector"]  # the one that it has now first
        self.views = [icon_button("Projector", "co_present", self.toggle)]

    def toggle(self) -> None:
        """From the desk to the hall, and back."""
        self._looks.reverse()
        self._browser.ask("wear", self._looks[0])

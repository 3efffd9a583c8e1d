"""The header's buttons that each open a dialog, which is built when first opened."""

import functools
from collections.abc import Callable, Mapping
from typing import Protocol

from panel import ui
from panel.layout import Column, Row
from panel.viewable import Viewable

from app import theme
from app.explanations.explanation import explain
from app.page.buttons import Presses, button
from app.stylesheets import css
from engine import Snapshot


class Content(Protocol):
    """The content of a dialog."""

    title: str
    width: str  # of the dialog, one of Material's: sm, md, lg

    @property
    def view(self) -> Viewable:
        """Its widgets."""

    def opened(self) -> None:
        """The dialog was opened: show the current state."""

    def show(self, snapshot: Snapshot) -> None:
        """Show a snapshot while the dialog is open."""


class Dialogs:
    """The buttons, and the dialogs behind them."""

    def __init__(
        self, makers: Mapping[str, tuple[str, Callable[[], Content]]], presses: Presses
    ) -> None:
        # By label: the icon, empty if its button is elsewhere, and what makes the content.
        self._makers = makers
        self._contents: dict[str, Content] = {}
        self._dialogs: dict[str, ui.Dialog] = {}
        self.place = Row(width=0, height=0, margin=0)  # the place of open dialogs in the page
        for label in makers:
            presses.on(f"dialog {label}", functools.partial(self.open, label))
        self.html = "".join(
            button(f"dialog {label}", label, icon, word=label)
            for label, (icon, _) in makers.items()
            if icon
        )

    def open(self, label: str) -> None:
        """Open the dialog of the button with this label."""
        if label not in self._dialogs:
            content = self._contents[label] = self._makers[label][1]()
            self._dialogs[label] = ui.Dialog(
                Column(content.view, stylesheets=[css("dialog")], sizing_mode="stretch_width"),
                title=content.title,
                title_variant="h6",
                width_option=content.width,
                show_close_button=True,
                close_on_click=True,  # and on Escape
                sx=theme.DIALOG_SX,
                sizing_mode="stretch_width",
            )
            self.place.append(self._dialogs[label])
        self._contents[label].opened()
        self._dialogs[label].open = True

    def close(self) -> None:
        """Close the open dialog."""
        for dialog in self._dialogs.values():
            dialog.open = False

    def forget(self) -> None:
        """The page is closed: drop what fills the dialogs."""
        self._makers, self._contents, self._dialogs = {}, {}, {}

    def show(self, snapshot: Snapshot) -> None:
        """Show a snapshot in the open dialog."""
        for label, dialog in self._dialogs.items():
            if dialog.open:
                self._contents[label].show(snapshot)


explain("button close", "Close", "Closes this, as Escape does; nothing is lost.")

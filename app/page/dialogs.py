"""The header's buttons that open a dialog each, which is built when first asked for."""

import functools
from collections.abc import Callable, Mapping
from typing import Protocol

from panel import ui
from panel.layout import Column, Row
from panel.viewable import Viewable

from app import theme
from app.page.buttons import Presses, button
from app.stylesheets import css
from engine import Snapshot


class Content(Protocol):
    """What a dialog holds."""

    title: str
    width: str  # of the dialog, as Material has it: sm, md, lg

    @property
    def view(self) -> Viewable:
        """What is to be seen."""

    def opened(self) -> None:
        """Somebody has opened the dialog: show how things stand now."""

    def show(self, snapshot: Snapshot) -> None:
        """Follow the experiment while the dialog is open."""


class Dialogs:
    """The buttons, and the dialogs behind them."""

    def __init__(
        self, makers: Mapping[str, tuple[str, Callable[[], Content]]], presses: Presses
    ) -> None:
        self._makers = makers  # by the words on the button: its icon, and what makes its content
        self._contents: dict[str, Content] = {}
        self._dialogs: dict[str, ui.Dialog] = {}
        self.room = Row(width=0, height=0, margin=0)  # of the page, for dialogs that are open
        for label in makers:
            presses.on(f"dialog {label}", functools.partial(self.open, label))
        self.html = "".join(
            button(f"dialog {label}", label, icon, word=label)
            for label, (icon, _) in makers.items()
        )

    def open(self, label: str) -> None:
        """Open the dialog behind the button of this label."""
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
            self.room.append(self._dialogs[label])
        self._contents[label].opened()
        self._dialogs[label].open = True

    def close(self) -> None:
        """Close what is open."""
        for dialog in self._dialogs.values():
            dialog.open = False

    def show(self, snapshot: Snapshot) -> None:
        """Follow the experiment."""
        for label, dialog in self._dialogs.items():
            if dialog.open:
                self._contents[label].show(snapshot)

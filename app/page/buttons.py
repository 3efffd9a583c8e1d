"""Buttons as plain HTML anywhere in the page, and their actions.

A Panel component for each button would cost the server 7 ms and 100 kB a visitor. The browser
reports which button was pressed: app/static/presses.js.
"""

from collections.abc import Callable

from app.templates import render


class Presses:
    """The actions of a page's buttons, by name.

    `do(action, *values)` calls one of the browser's actions.
    """

    def __init__(self, do: Callable[..., None] = lambda *values: None) -> None:
        self.do = do
        self._actions: dict[str, Callable[[str], None]] = {}

    def on(self, name: str, action: Callable[[], None]) -> None:
        """Call `action` when the button of this name is pressed."""
        self._actions[name] = lambda value: action()

    def on_value(self, name: str, action: Callable[[str], None]) -> None:
        """Call `action` with the value of the pressed button; several buttons share this name."""
        self._actions[name] = action

    def forget(self) -> None:
        """Drop all actions."""
        self._actions = {}

    def press(self, name: str, value: str = "") -> None:
        """Call the button's action; the browser may send any name and any value."""
        if action := self._actions.get(name):
            action(value)


def button(
    name: str,
    label: str,
    icon: str = "",
    *,
    style: str = "",
    word: str = "",
    unless: str = "",
    off: bool = False,
) -> str:
    """A button as HTML with its `word`, or only its icon; `label` is its accessible name.

    `style` is a class of app/static/buttons.css. The button is disabled in the states `unless` of
    the run, and if it is `off`.
    """
    return render(
        "button", name=name, label=label, icon=icon, style=style, word=word, unless=unless, off=off
    )

"""Buttons in plain HTML, within whatever words of the page; and what each of them does.

A component of Panel's for each would take the server 7 ms and 100 kB a visitor. The browser tells
which button was pressed: app/static/presses.js.
"""

import html
from collections.abc import Callable


class Presses:
    """What the buttons of one page do, by their names.

    `do(action, *words)` has the browser do what it alone can, one of its actions.
    """

    def __init__(self, do: Callable[..., None] = lambda *words: None) -> None:
        self.do = do
        self._actions: dict[str, Callable[[str], None]] = {}

    def on(self, name: str, action: Callable[[], None]) -> None:
        """Do this when the button of this name is pressed."""
        self._actions[name] = lambda value: action()

    def on_value(self, name: str, action: Callable[[str], None]) -> None:
        """Do this when one of the buttons of this name is pressed, each of which has a value."""
        self._actions[name] = action

    def press(self, name: str, value: str = "") -> None:
        """Do what the button is for; the browser may send any name, and any value."""
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
    """A button as HTML, which shows its `word`, or its icon alone; the label is for all to hear.

    `style` is a class of app/static/buttons.css; in the states `unless` of the run it is of no
    use, nor if it is `off`.
    """
    picture = f'<span class="icon" aria-hidden="true">{icon}</span>' if icon else ""
    tip = html.escape(label, quote=True)
    said = f'<span class="word">{html.escape(word)}</span>' if word else ""
    named = (f' aria-label="{tip}"' if word != label else "") + f' title="{tip}"'
    use = (f' data-unless="{unless}"' if unless else "") + (" disabled" if off else "")
    return (
        f'<button type="button" class="{style}" data-press="{html.escape(name, quote=True)}"'
        f"{named}{use}>{picture}{said}</button>"
    )

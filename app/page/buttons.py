"""Buttons in plain HTML, within whatever words of the page; and what each of them does.

A component of Panel's for each would take the server 7 ms and 100 kB a visitor. The browser tells
which button was pressed: app/static/presses.js.
"""

import html
from collections.abc import Callable

from bokeh.events import DocumentEvent, Event


class Pressed(DocumentEvent):
    """Somebody has pressed a button."""

    event_name = "babysit_press"

    def __init__(self, name: str = "") -> None:
        self.name = name


class Presses:
    """What the buttons of one page do, by their names."""

    def __init__(self) -> None:
        self._actions: dict[str, Callable[[], None]] = {}

    def on(self, name: str, action: Callable[[], None]) -> None:
        """Do this when the button of this name is pressed."""
        self._actions[name] = action

    def hear(self, event: Event) -> None:
        """Do what the button is for; the browser may send any name."""
        action = self._actions.get(event.name) if isinstance(event, Pressed) else None
        if action:
            action()


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

    `style` is a class of theme.BUTTONS_CSS; in the states `unless` of the run it is of no use, nor
    if it is `off`.
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

"""Small buttons that show a picture and tell their name to whoever asks for it."""

from collections.abc import Callable

from panel import ui

from app import theme


def icon_button(label: str, icon: str, action: Callable[[], None]) -> ui.Button:
    """A button whose label is heard, and shown while the mouse is on it, but takes no room."""
    button = ui.Button(
        label=label,
        icon=icon,
        icon_size=theme.ICON_SIZE,
        description=label,
        variant="text",
        color="primary",
        size="small",
        margin=0,
        align="center",
        sx=theme.ICON_SX,
        stylesheets=[theme.TIP_CSS],
    )
    button.on_click(lambda event: action())
    return button

"""What a learner sees of a part of the page, and the controls in it by their labels."""

from collections.abc import Iterator

from panel.pane import HTML
from panel.viewable import Viewable


def visible(*parts: Viewable) -> Iterator[Viewable]:
    """These parts and all that lies in them, without what is hidden."""
    for part in parts:
        if part.visible:
            yield part
            yield from visible(*getattr(part, "objects", ()))


def page_text(*parts: Viewable) -> str:
    """The HTML that is visible in these parts."""
    return "".join(str(part.object) for part in visible(*parts) if isinstance(part, HTML))


def labels(*parts: Viewable) -> list[str]:
    """The labels of the visible controls."""
    return [part.label for part in visible(*parts) if getattr(part, "label", "")]


def control(part: Viewable, label: str) -> Viewable:
    """The one control with this label, visible or not."""
    (found,) = part.select(lambda x: getattr(x, "label", None) == label)
    return found


def saved(part: Viewable, label: str) -> bytes:
    """The file that a button saves, which must be enabled."""
    button = control(part, label)
    assert not button.disabled
    return button.callback().read()

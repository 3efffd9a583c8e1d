"""All the knobs of an experiment, generated from what the engine says of itself.

A control only sends a command; what it shows follows from the experiment's config.
"""

from collections.abc import Iterator, Set

from panel.layout import Column
from panel.pane import HTML
from panel.viewable import Viewable

from app import theme
from app.page.buttons import Presses, button
from app.settings.knobs import Control, Send, Slider, control
from engine import SETTINGS, Group, RunConfig

__all__ = ["Controls", "Send"]


class Controls:
    """All controls of one experiment."""

    def __init__(self, send: Send, config: RunConfig, presses: Presses) -> None:
        self._sections = {group: Section(group, send, config, presses) for group in Group}

    @property
    def views(self) -> Iterator[Viewable]:
        """A heading and the controls under it, group by group."""
        for section in self._sections.values():
            yield from section.views

    def hide(self, paths: Set[str]) -> None:
        """Keep the controls of these settings out of sight."""
        for section in self._sections.values():
            section.hide(paths)

    def show(self, config: RunConfig) -> None:
        """Make every control say what `config` says, without sending anything."""
        for section in self._sections.values():
            section.show(config)

    def slider(self, path: str) -> Slider:
        """The slider of an everyday setting."""
        found = self._sections[SETTINGS[path].group].built[path]
        if not isinstance(found, Slider):
            raise TypeError(f"{path} has no slider")
        return found


class Section:
    """The controls of one group: the everyday ones, and the others once somebody asks for them.

    Building a widget takes the server some 8 ms: what is folded away has not been built.
    """

    def __init__(self, group: Group, send: Send, config: RunConfig, presses: Presses) -> None:
        self._group, self._send, self._config, self._presses = group, send, config, presses
        paths = [path for path, setting in SETTINGS.items() if setting.group is group]
        self._everyday = [path for path in paths if SETTINGS[path].everyday]
        self._others = [path for path in paths if not SETTINGS[path].everyday]
        self._unfolded = any(config.value(path) != RunConfig().value(path) for path in self._others)
        self.built: dict[str, Control] = {}
        self._room = Column(sizing_mode="stretch_width")
        presses.on(f"more {group}", self._fold)
        self._heading = HTML(
            "",
            stylesheets=[theme.BUTTONS_CSS, theme.HEADING_CSS],
            margin=theme.HEADING_MARGIN,
            sizing_mode="stretch_width",
        )
        self._arrange()

    @property
    def views(self) -> list[Viewable]:
        """The heading, what unfolds the rest, and the room under them."""
        return [self._heading, self._room] if self._everyday or self._others else []

    def hide(self, paths: Set[str]) -> None:
        """Keep the controls of these settings out of sight."""
        self._everyday = [path for path in self._everyday if path not in paths]
        self._others = [path for path in self._others if path not in paths]
        self._arrange()

    def show(self, config: RunConfig) -> None:
        """Follow the config; what changes in it does not stay folded away."""
        changed = any(config.value(path) != self._config.value(path) for path in self._others)
        self._config = config
        for shown in self.built.values():
            shown.show(config)
        if changed and not self._unfolded:
            self._fold()

    def _fold(self) -> None:
        self._unfolded = not self._unfolded
        self._arrange()

    def _arrange(self) -> None:
        paths = [*self._everyday, *(self._others if self._unfolded else [])]
        for path in paths:
            if path not in self.built:
                self.built[path] = control(path, self._send, self._config, self._presses)
        views = [self.built[path].view for path in paths]
        if list(self._room) != views:
            self._room[:] = views
        self._heading.object = f"<h2>{self._group.value}</h2>{self._more}"

    @property
    def _more(self) -> str:
        """What shows the rest, or folds it away; nothing where there is no rest."""
        names = ", ".join(_lower(SETTINGS[path].label) for path in self._others)
        words = f"{'−' if self._unfolded else '+'} {names}"
        return button(f"more {self._group}", words, style="more", word=words) if names else ""


def _lower(label: str) -> str:
    """As it is written within a sentence."""
    return label if label[1:2].isdigit() else label[0].lower() + label[1:]

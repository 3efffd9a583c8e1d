"""The panels of the page: each has a tab of the sidebar, and some have a main area of their own.

To add one, register a class in `PANELS`. The views whose `tab` is the panel's name fill its main
area, unless it has a `main` of its own; without either, the plots of the run stay in view.
"""

from collections.abc import Callable, Iterator
from typing import Protocol, runtime_checkable

from panel.layout import Column
from panel.viewable import Viewable

from app.page.buttons import Presses
from app.page.diagnosis_bar import Prompt
from engine import ExperimentHandle, Registry, Snapshot

KNOBS = "Knobs"  # the panel that is open first


class SidebarPanel(Protocol):
    """A panel, built when its tab is first opened, a piece at a time."""

    sidebar: Column
    main: Viewable | None  # replaces the plots, unless views do
    leave: Callable[[], None]  # returns to the knobs; set by whatever opens the panel

    def __init__(self, handle: ExperimentHandle, snapshot: Snapshot, presses: Presses) -> None:
        """Its widgets will steer `handle`; it has none yet."""

    def pieces(self) -> Iterator[None]:
        """Build the widgets, a few with each step: some 50 ms of work."""

    def show(self, snapshot: Snapshot) -> None:
        """Show a snapshot, once all widgets are built."""


@runtime_checkable
class PanelWithRun(Protocol):
    """A panel with an experiment of its own, which is served while the panel is open."""

    # Set by what opens the panel: `cover` shows its main area in place of the plots, or the plots
    # again; `prompt` says below the plots what the learner is to do.
    cover: Callable[[bool], None]
    prompt: Callable[[Prompt | None], None]

    def entered(self) -> None:
        """Its tab was opened."""

    def left(self) -> None:
        """Another tab was opened."""


PANELS: Registry[type[SidebarPanel]] = Registry("panel")

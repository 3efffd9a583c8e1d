"""What a visitor can do here: each has a tab of the sidebar, and some a main area of their own.

To add one: a class registered in `ROOMS`. The views whose `tab` is the room's name fill its main
area, unless it brings one of its own; where there is neither, the plots of the run stay in sight.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

from panel.layout import Column
from panel.viewable import Viewable

from app.page.buttons import Presses
from engine import ExperimentHandle, Registry, Snapshot

KNOBS = "Knobs"  # the room that is open first


class Room(Protocol):
    """One way to use the laboratory; built when its tab is first opened, a piece at a time."""

    sidebar: Column
    main: Viewable | None  # what stands where the plots were, if it is not made of views
    leave: Callable[[], None]  # goes back to the knobs; whoever opens the room sets it

    def __init__(self, handle: ExperimentHandle, snapshot: Snapshot, presses: Presses) -> None:
        """Its widgets steer what happens to `handle`; there are none yet."""

    def pieces(self) -> Iterator[None]:
        """Build the widgets, a few with each step: some 50 ms of work."""

    def show(self, snapshot: Snapshot) -> None:
        """Follow the experiment, once all has been built."""


ROOMS: Registry[type[Room]] = Registry("room")

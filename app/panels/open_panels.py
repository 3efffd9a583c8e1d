"""The panels that a visitor has opened: each is built once, when its tab is first opened."""

import functools
from collections.abc import Callable

from app.page.buttons import Presses
from app.page.layout import Layout
from app.panels import ROOMS, Room, Staged
from app.panels.lessons import LESSON_TAB, Lessons
from app.server.piecewise_build import Building, Pieces
from engine import ExperimentHandle, Snapshot


class OpenRooms:
    """Builds the open panel, and stops building when another one is opened."""

    def __init__(
        self, layout: Layout, presses: Presses, build: Callable[[Pieces], Building]
    ) -> None:
        self._layout, self._presses, self._build = layout, presses, build
        self._rooms: dict[str, Room] = {}
        self._buildings: dict[str, Building] = {}

    def __getitem__(self, name: str) -> Room:
        return self._rooms[name]

    @property
    def lesson(self) -> str:
        """The slug of the lesson that is open; empty if none has been opened."""
        lessons = self._rooms.get(LESSON_TAB)
        return lessons.slug if isinstance(lessons, Lessons) else ""

    def enter(self, name: str, handle: ExperimentHandle) -> None:
        """Show the panel of a tab of the sidebar; a browser may name any."""
        if name not in self._layout.rooms:
            return
        for other in self._buildings.keys() - {name}:
            self._buildings[other].stop()
        if name in ROOMS and name not in self._rooms:
            room = self._rooms[name] = ROOMS[name].make(handle, handle.latest, self._presses)
            room.leave = self._layout.leave
            if isinstance(room, Staged):
                room.cover = functools.partial(self._layout.cover, name)
            self._layout.furnish(name, room.sidebar, room.main)
            self._buildings[name] = self._build(self._pieces(name, handle))
        self._layout.enter(name)
        self._change_stage(name)
        if name in self._buildings:
            self._buildings[name].go_on()

    def _change_stage(self, name: str) -> None:
        for other, room in self._rooms.items():
            if isinstance(room, Staged):
                (room.entered if other == name else room.left)()

    def _pieces(self, name: str, handle: ExperimentHandle) -> Pieces:
        yield from self._rooms[name].pieces()
        self._layout.furnished(name)
        self._rooms[name].show(handle.latest)

    def show(self, snapshot: Snapshot) -> None:
        """Pass a snapshot to the complete panels."""
        for name, room in self._rooms.items():
            if self._buildings[name].done:
                room.show(snapshot)

    def end(self) -> None:
        """The visitor has left."""
        for building in list(self._buildings.values()):
            building.end()

"""The panels that a visitor has opened: each is built once, when its tab is first opened."""

import functools
from collections.abc import Callable, Iterable

from app.page.buttons import Presses
from app.page.diagnosis_bar import Prompt
from app.page.layout import Layout
from app.panels import PANELS, PanelWithRun, SidebarPanel
from app.panels.lessons import LESSON_TAB, Lessons
from app.server.piecewise_build import Building, Pieces
from engine import ExperimentHandle, LessonAnswer, Snapshot


class OpenPanels:
    """Builds the open panel, and stops building when another one is opened."""

    def __init__(
        self,
        layout: Layout,
        presses: Presses,
        build: Callable[[Pieces], Building],
        prompt: Callable[[Prompt | None], None],
        rest: Callable[[bool], None],
    ) -> None:
        self._layout, self._presses, self._build, self._prompt = layout, presses, build, prompt
        self._rest = rest  # called with whether there is no run to steer
        self._covered: set[str] = set()  # panels that show no run of theirs just now
        self._panels: dict[str, SidebarPanel] = {}
        self._buildings: dict[str, Building] = {}

    def __getitem__(self, name: str) -> SidebarPanel:
        return self._panels[name]

    @property
    def lesson(self) -> str:
        """The slug of the lesson that is open; empty if none has been opened."""
        lessons = self._panels.get(LESSON_TAB)
        return lessons.slug if isinstance(lessons, Lessons) else ""

    @property
    def answers(self) -> Iterable[LessonAnswer]:
        """What the visitor has answered in lessons."""
        lessons = self._panels.get(LESSON_TAB)
        return lessons.answers.values() if isinstance(lessons, Lessons) else ()

    def enter(self, name: str, handle: ExperimentHandle) -> None:
        """Show the panel of a tab of the sidebar; a browser may name any."""
        if name not in self._layout.panels:
            return
        for other in self._buildings.keys() - {name}:
            self._buildings[other].stop()
        if name in PANELS and name not in self._panels:
            panel = self._panels[name] = PANELS[name].make(handle, handle.latest, self._presses)
            panel.leave = self._layout.leave
            if isinstance(panel, PanelWithRun):
                panel.cover = functools.partial(self._cover, name)
                panel.prompt = self._prompt
            self._layout.add_panel(name, panel.sidebar, panel.main)
            self._buildings[name] = self._build(self._pieces(name, handle))
        self._layout.enter(name)
        self._change_run(name)
        if name in self._buildings:
            self._buildings[name].go_on()

    def _cover(self, name: str, covered: bool) -> None:
        (self._covered.add if covered else self._covered.discard)(name)
        self._layout.cover(name, covered)
        self._rest(self._layout.panel in self._covered)

    def _change_run(self, name: str) -> None:
        self._rest(name in self._covered)
        for other, panel in self._panels.items():
            if isinstance(panel, PanelWithRun):
                (panel.entered if other == name else panel.left)()

    def _pieces(self, name: str, handle: ExperimentHandle) -> Pieces:
        yield from self._panels[name].pieces()
        self._layout.complete_panel(name)
        self._panels[name].show(handle.latest)

    def show(self, snapshot: Snapshot) -> None:
        """Pass a snapshot to the complete panels."""
        for name, panel in self._panels.items():
            if self._buildings[name].done:
                panel.show(snapshot)

    def end(self) -> None:
        """The visitor has left."""
        for building in list(self._buildings.values()):
            building.end()

    def forget(self) -> None:
        """The page is closed: drop all panels."""
        self._panels, self._buildings = {}, {}

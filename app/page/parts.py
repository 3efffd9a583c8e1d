"""The parts of a visitor's page, wired to one another and to the run that the visitor steers."""

from collections.abc import Callable
from typing import Protocol

from param import Parameterized

from app.explained_step.dialog import ExplainedStepDialog
from app.explanations.question_mark import QuestionMark
from app.page.bridge import Bridge
from app.page.buttons import Presses
from app.page.diagnosis_bar import DiagnosisBar
from app.page.dialogs import Dialogs
from app.page.display_mode import DisplayMode
from app.page.keyboard import Keyboard, Keys
from app.page.layout import TAB, Layout
from app.page.timeline import LOOK, Timeline
from app.page.transport import Transport
from app.panel_document import document_of_now, notify
from app.panels.course_navigation import NEXT_LESSON, PREVIOUS_LESSON
from app.panels.lessons import LESSON_TAB
from app.panels.open_panels import OpenPanels
from app.server.piecewise_build import Building, Pieces
from app.settings.component import SettingsComponent
from app.settings.settings import Settings
from app.sharing import run_links
from app.sharing.export import Export
from app.sharing.pinned import Runs
from app.sharing.run_links import PageLink
from app.sharing.share_dialog import Sharing
from app.sharing.upload import Data, Found, Uploads
from engine import SETTINGS, Command, ExperimentHandle, Reading, RunConfig, Snapshot, Upload

SHORTLY = 6000  # milliseconds for which a page shows why an action is refused


class Steered(Protocol):
    """What the parts need of the visit whose run they steer."""

    refuses: Callable[[str, str, str], str]  # why it refuses an action; empty: it does not

    @property
    def handle(self) -> ExperimentHandle:
        """The place of the visitor's own run with the conductor."""

    def send(self, command: Command) -> None:
        """Send a command to the visitor's own run."""

    def seen(self) -> Snapshot:
        """The latest snapshot of the run that the page shows."""

    def learn_from(self, upload: Upload, reading: Reading) -> None:
        """Train on data that the visitor has uploaded."""


class PageParts:
    """All that is on the page, and what each press, key and change of a setting does."""

    def __init__(
        self,
        link: PageLink,
        visit: Steered,
        uploads: Uploads,
        build: Callable[[Pieces], Building],
    ) -> None:
        self._visit, self._uploads = visit, uploads
        self.bridge = bridge = Bridge()
        self.presses = presses = Presses(bridge.do)
        first = link.recording.config if link.recording else RunConfig()
        self._timeline = timeline = Timeline(visit.send, lambda: visit.handle, presses)
        self.settings = Settings(timeline.send_change, first)
        hides = {path for path in SETTINGS if run_links.name_of(path) in link.hidden}
        self._knobs = SettingsComponent(self.settings, hides)
        self.transport = transport = Transport(visit.send, lambda: visit.handle, presses)
        timeline.on_target = lambda: self._knobs.follow(timeline.config)
        self.diagnosis_bar = DiagnosisBar(visit.send, presses)
        self._dialogs = self._make_dialogs()
        display_mode = DisplayMode(bridge, presses)
        self.layout = Layout(
            link.hidden,
            self._knobs,
            transport,
            timeline,
            self.diagnosis_bar,
            self._dialogs,
            display_mode,
            bridge,
            QuestionMark(bridge, visit.seen),
            only=link.only,
            bare=link.bare,
        )
        self.panels = OpenPanels(
            self.layout, presses, build, self.diagnosis_bar.prompt, transport.rest
        )
        keyboard = Keyboard(
            transport, timeline, self._turn_rate, self._step_lesson, display_mode, self._dialogs
        )
        self._on("press", presses.press)
        self._on("key", keyboard.press)
        self._on(LOOK, lambda name, step: timeline.look(step))
        self._on("set", self._knobs.set_from_browser)
        bridge.on(TAB, lambda panel, value: self.panels.enter(panel, visit.handle))

    def _make_dialogs(self) -> Dialogs:
        def later(found: Found) -> Found:
            return document_of_now().locked_callback(found)

        def used(upload: Upload, reading: Reading) -> None:
            self._visit.learn_from(upload, reading)
            self._dialogs.close()

        visit = self._visit
        return Dialogs(
            {
                "Data": ("table_view", lambda: Data(visit.handle, self._uploads, used, later)),
                "Runs": ("stacked_line_chart", lambda: Runs(visit.handle)),
                "Export": (
                    "download",
                    lambda: Export(visit.handle, lambda: self.layout.views, self.bridge),
                ),
                "Share": ("share", lambda: Sharing(visit.handle, self.bridge)),
                "Keys": ("keyboard", Keys),
                "Explain": (
                    "",
                    lambda: ExplainedStepDialog(visit.handle, self.bridge, self.presses),
                ),
            },
            self.presses,
        )

    def _on(self, kind: str, act: Callable[[str, str], None]) -> None:
        """Handle a kind of actions of the visitor, unless they are refused for now."""

        def act_unless_refused(name: str, value: str) -> None:
            refusal = self._visit.refuses(kind, name, value) or self.transport.refuses(kind, name)
            if not refusal:
                act(name, value)
            elif kind == "set":
                self._knobs.refuse(name, refusal)
            else:
                notify(refusal, SHORTLY)

        self.bridge.on(kind, act_unless_refused)

    def _turn_rate(self, by: int) -> None:
        """Move the learning rate's slider by so many stops."""
        self.settings.nudge("learning_rate", by)

    def _step_lesson(self, by: int) -> None:
        """Go on by so many lessons, or to the lessons from elsewhere on the page."""
        if self.layout.panel == LESSON_TAB:
            self.presses.press(NEXT_LESSON if by > 0 else PREVIOUS_LESSON)
        else:
            self.bridge.do("open_tab", LESSON_TAB)

    @property
    def components(self) -> list[Parameterized]:
        """What holds all components of the page."""
        return [self.layout.page, self.settings, self._knobs]

    def forget(self) -> None:
        """The page is closed: drop what its browser could call."""
        self.bridge.forget()
        self.presses.forget()
        self._dialogs.forget()
        self.panels.forget()
        self._timeline.on_target = lambda: None

    def show(self, snapshot: Snapshot) -> None:
        """Show the visitor's own run."""
        # While commands wait, controls keep the values that were set, not those of the run.
        if self._visit.handle.settled:
            self._knobs.follow(self._timeline.config)
        self.diagnosis_bar.show(snapshot)
        self.panels.show(snapshot)
        self._dialogs.show(snapshot)

    def show_other(self, snapshot: Snapshot) -> None:
        """Show another visitor's run, which the parts cannot steer."""
        self._knobs.follow(snapshot.config)
        self.diagnosis_bar.show_other(snapshot)

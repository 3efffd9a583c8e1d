"""One visitor: an experiment, the page that shows it, and the end of both."""

import threading
from collections.abc import Callable, Hashable, Set
from typing import Any

import panel as pn
from bokeh.document import Document
from bokeh.events import ClientReconnected, ConnectionLost
from bokeh.models import CustomJS
from panel.io.resources import get_dist_path

from app import theme
from app.explained.dialog import Explanation
from app.limits import LIMITS
from app.page.bridge import Bridge
from app.page.buttons import Presses
from app.page.diagnosis_bar import DiagnosisBar
from app.page.dialogs import Dialogs
from app.page.display_mode import DisplayMode
from app.page.keyboard import KEYS, Keyboard, Keys
from app.page.layout import TAB, Layout
from app.page.timeline import LOOK, Timeline
from app.page.transport import Transport
from app.panel_document import FAILED, arguments_of, document_of_now, guarded, report, tell
from app.panels.lessons import LESSON_TAB, NEXT_LESSON, PREVIOUS_LESSON
from app.panels.open_panels import OpenRooms
from app.plots.updates import WHILE_DRAGGED
from app.server.build_queue import BuildQueue
from app.server.capacity import Presence, Visits
from app.server.cpu_affinity import CORE
from app.server.loop_lag import LATENESS
from app.server.memory import MEMORY
from app.server.piecewise_build import Building, Pieces
from app.server.workarounds import forget_notifications, token_of
from app.settings.component import SettingsComponent
from app.settings.settings import Settings
from app.sharing import run_links
from app.sharing.export import Export
from app.sharing.pinned import Runs
from app.sharing.reconnect import Reconnect
from app.sharing.run_links import Wish
from app.sharing.share_dialog import Sharing
from app.sharing.shared_run import SharedRun
from app.sharing.upload import Data, Found, Uploads, learn_from
from app.stylesheets import css
from engine import (
    SETTINGS,
    Command,
    Conductor,
    Experiment,
    ExperimentHandle,
    FileReader,
    Pause,
    Play,
    Reading,
    RunConfig,
    Snapshot,
    Status,
    Upload,
)

VISITS: Visits["Visit"] = Visits(LIMITS.visitors)
PIECES = BuildQueue(lambda: not VISITS.somebody_comes)  # of what visitors open
SETTING_UP = threading.Lock()  # experiments: at once they would all be there at the end
FILE_READER = FileReader(CORE.allowed)
CONDUCTOR = Conductor(
    LIMITS.frame_rate,
    gives_way=lambda: (
        (LATENESS.behind and len(VISITS) > 1) or VISITS.somebody_comes or PIECES.waited_for
    ),
)
NAME = 8  # characters of a session's name by which the log calls its visitor; they open nothing
FULL = "There is no room just now: all places of this laboratory are taken."

START = """
export default async (given) => {
  const base = window.location.pathname.replace(/\\/$/, "")
  const {open} = await import(new URL(`${base}/static/page.js`, window.location.href).href)
  open(base, given)
}
"""


def open_page() -> None:
    """Answer a request for the page; what fails is told in it."""
    pn.extension(
        reconnect=True,
        notifications=True,
        lazy_resources=False,
        exception_handler=report,
        apply_signatures=False,  # of all components, for notebooks: 10 ms for each visitor
    )
    document = document_of_now()
    guarded(_build_page)(document)
    if not document.roots:
        pn.pane.HTML(FAILED).servable()


def _build_page(document: Document) -> None:
    if not VISITS.make_room():  # a full server answers without a page; only a socket gets here
        pn.pane.HTML(FULL).servable()
        return
    # Panel knows this only once it answers a request for the page. A session that a socket brings
    # back after the server forgot it would take its styles from the internet (Panel 1.10.0).
    document.template_variables["dist_url"] = get_dist_path()
    visit = Visit(run_links.read(arguments_of(document)))
    document.theme = theme.OWN_AXES
    visit.layout.page.servable()
    context: Any = document.session_context
    if context is None:  # rendered without a server: nobody will ever connect
        return
    visit.name = context.id[:NAME]
    VISITS[context.id] = visit
    visit.belong_to(document)
    # The page proves with the session's token, which Bokeh gives it too, whose frames it asks for.
    known = {
        **{"token": token_of(context), "keys": list(KEYS), "narrowest": theme.TABLET + 1},
        **{"slider": "learning_rate", "dragged": CustomJS(code=WHILE_DRAGGED)},
        **{"bar": css("way_back"), "hall": theme.HALL},
    }
    document.js_on_event("document_ready", CustomJS(code=START, args=known))
    pn.state.onload(visit.arrive)


class Visit:
    """A visitor's experiment and page."""

    def __init__(self, wish: Wish) -> None:
        self._wish = wish
        self._lock = threading.Lock()
        self._setting_up = threading.Lock()
        self._handle: ExperimentHandle | None = None
        self._arrival: SharedRun | None = None
        self._started = False
        self._lost_running = False
        self._closed = False
        self.name = ""  # for the operator
        self.presence = Presence()
        self.way_back = Reconnect()
        self._uploads = Uploads(FILE_READER)
        self._bridge = bridge = Bridge()
        self._presses = presses = Presses(bridge.do)
        first = wish.recording.config if wish.recording else RunConfig()
        self._timeline = timeline = Timeline(self._send, lambda: self.handle, presses)
        self._settings = Settings(timeline.turn, first)
        hides = {path for path in SETTINGS if run_links.name_of(path) in wish.hidden}
        self._knobs = SettingsComponent(self._settings, hides)
        transport = Transport(self._send, lambda: self.handle, presses)
        timeline.on_target = lambda: self._knobs.follow(timeline.config)
        self._lane = DiagnosisBar(self._send, lambda view: bridge.do("point_at", view), presses)
        self._dialogs = self._make_dialogs()
        look = DisplayMode(bridge, presses)
        self.layout = Layout(
            wish.hidden,
            self._knobs,
            transport,
            timeline,
            self._lane,
            self._dialogs,
            look,
            bridge,
            only=wish.only,
            bare=wish.bare,
        )
        self._rooms = OpenRooms(self.layout, presses, self._begin)
        keyboard = Keyboard(
            transport, timeline, self._turn_rate, self._step_lesson, look, self._dialogs
        )
        bridge.on("press", presses.press)
        bridge.on("key", lambda key, value: keyboard.press(key))
        bridge.on(LOOK, lambda name, step: timeline.look(step))
        bridge.on("set", self._knobs.turn)
        bridge.on(TAB, lambda room, value: self._rooms.enter(room, self.handle))

    def belong_to(self, document: Document) -> None:
        """Hear what happens to this page, and be able to change it from other threads."""
        self._tell = document.locked_callback(tell)
        self._news = document.locked_callback(guarded(self._show), policy="latest")
        self._locked = document.locked_callback
        document.on_event(ConnectionLost, self.lose)
        document.on_event(ClientReconnected, self.regain)
        document.on_session_destroyed(self.close)
        document.on_session_destroyed(lambda context: forget_notifications(document))

    def _send(self, command: Command) -> None:
        self.handle.send(command)

    def _turn_rate(self, by: int) -> None:
        """Turn the learning rate by so many stops."""
        self._settings.nudge("learning_rate", by)

    def _step_lesson(self, by: int) -> None:
        """Go on by so many lessons, or to the lessons from elsewhere on the page."""
        if self.layout.room == LESSON_TAB:
            self._presses.press(NEXT_LESSON if by > 0 else PREVIOUS_LESSON)
        else:
            self._bridge.do("open_tab", LESSON_TAB)

    @property
    def handle(self) -> ExperimentHandle:
        """The experiment's place with the conductor; the first to ask sets the experiment up."""
        with self._lock:
            if self._handle is None:
                if self._closed:
                    raise RuntimeError("the visitor has left")
                with SETTING_UP:
                    self._handle = CONDUCTOR.add(
                        Experiment(RunConfig(), room=LIMITS.checkpoints), self.name, self._wish.pace
                    )
            return self._handle

    @property
    def stands(self) -> bool:
        """Whether the experiment has been set up, and there is something to see."""
        return self._arrival is not None

    def set_up(self) -> None:
        """Set the experiment up as the visitor's link wishes it, once; this takes a moment."""
        with self._setting_up:
            if self._arrival is None and not self._closed:
                self.handle.on_news = self._news
                self._arrival = SharedRun(self._wish, self.handle, self._tell)

    def watch(
        self,
        who: Hashable,
        version: int,
        deliver: Callable[[Snapshot, int], None],
        looks: Set[str],
    ) -> bool:
        """Deliver the first snapshot newer than `version`, unless the visit is over; say if so.

        Training starts when somebody looks for the first time.
        """
        if self._arrival is None or self._closed:
            return False
        self.start()
        self._arrival.play()
        self.handle.wait(who, version, deliver, looks)
        return True

    def forget(self, who: Hashable) -> None:
        """Somebody who watched has gone; when nobody else does, train no further."""
        if self._handle:
            self._handle.forget(who)
            if not self._handle.watched:
                self.lose(None)

    def start(self) -> None:
        """Begin to train, once."""
        if not self._started:
            self._started = True
            if not (self._arrival and self._arrival.awaits):
                self.handle.send(Play())

    def arrive(self) -> None:
        """A browser is there to see the page."""
        self.presence.arrive()
        MEMORY.keep()

    def _begin(self, pieces: Pieces) -> Building:
        """What builds this a piece at a time; whatever fails is reported."""
        return Building(pieces, PIECES, lambda build: self._locked(guarded(build)))

    def _make_dialogs(self) -> Dialogs:
        def later(found: Found) -> Found:
            return document_of_now().locked_callback(found)

        def used(upload: Upload, reading: Reading) -> None:
            if not (self._arrival and self._arrival.brought(self._uploads.names)):
                learn_from(self.handle, upload, reading)
            self._dialogs.close()

        return Dialogs(
            {
                "Data": ("table_view", lambda: Data(self.handle, self._uploads, used, later)),
                "Runs": ("stacked_line_chart", lambda: Runs(self.handle)),
                "Export": (
                    "download",
                    lambda: Export(self.handle, lambda: self.layout.views, self._bridge),
                ),
                "Share": ("share", lambda: Sharing(self.handle, self._bridge)),
                "Keys": ("keyboard", Keys),
                "Explain": ("", lambda: Explanation(self.handle, self._bridge, self._presses)),
            },
            self._presses,
        )

    def _show(self, snapshot: Snapshot) -> None:
        # While commands wait, controls stand where they were turned to, not where the run still is.
        if self.handle.settled:
            self._knobs.follow(self._timeline.config)
        self._lane.show(snapshot)
        self._rooms.show(snapshot)
        self._dialogs.show(snapshot)
        if not self.handle.on_stage:  # what is restored is the visitor's own run
            self.way_back.follow(self.handle, snapshot)
        if self._arrival:
            self._arrival.show(snapshot)

    def lose(self, event: object) -> None:
        """The page is gone, perhaps to come back: train no further."""
        self.presence.leave()
        if self._handle and self._handle.latest.status is Status.RUNNING:
            self._lost_running = True
            self._handle.send(Pause())

    def regain(self, event: object) -> None:
        """The page is back: go on where it was."""
        self.presence.arrive()
        if self._handle and self._lost_running:
            self._lost_running = False
            self._handle.send(Play())

    def close(self, context: Any) -> None:
        """The session is over: nothing of the visit stays."""
        VISITS.pop(context.id, None)
        self.end()

    def end(self) -> None:
        """Give back what the visit takes of the machine; the session may live on."""
        parameters = 0
        with self._lock:
            self._closed = True
            if self._handle:
                CONDUCTOR.remove(self._handle)
                parameters = self._handle.parameters
        self._uploads.close()
        self._rooms.end()
        MEMORY.owe(parameters)

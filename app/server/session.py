"""One visitor: an experiment, the page that shows it, and the end of both."""

import contextlib
import threading
from collections.abc import Callable, Hashable, Iterable, Set
from concurrent.futures import CancelledError, Future
from typing import Any

import panel as pn
from bokeh.document import Document
from bokeh.events import ClientReconnected, ConnectionLost
from param import Parameterized

from app.limits import LIMITS
from app.page.parts import PageParts
from app.panel_document import guarded
from app.panels import PANELS
from app.panels.lessons import LESSON_TAB
from app.server.build_queue import BuildQueue
from app.server.capacity import Presence, Visits
from app.server.cpu_affinity import CORE
from app.server.loop_lag import LATENESS
from app.server.memory import MEMORY
from app.server.page_access import PageAccess
from app.server.piecewise_build import Building, Pieces
from app.server.shown_run import ShownRun, WatchedRun
from app.server.workarounds.closed_components import components_beside, cut_components
from app.server.workarounds.closed_documents import forget_notifications
from app.server.workarounds.sessions import connected, forgetting
from app.sharing import run_links
from app.sharing.challenge_run import ChallengeRun
from app.sharing.reconnect import Reconnect
from app.sharing.run_links import PageLink
from app.sharing.shared_run import UNSEEN, SharedRun
from app.sharing.upload import Uploads, learn_from
from engine import (
    Command,
    Conductor,
    Experiment,
    ExperimentHandle,
    FileReader,
    LessonAnswer,
    PastRun,
    Pause,
    Play,
    Reading,
    RunConfig,
    RunTransfer,
    Snapshot,
    Status,
    Upload,
)

VISITS: Visits["Visit"] = Visits(LIMITS.visitors)
PIECES = BuildQueue(lambda: not VISITS.page_requested)  # of what visitors open
SETTING_UP = threading.Lock()  # one at a time: side by side, all would be ready last
FILE_READER = FileReader(CORE.allowed)
CONDUCTOR = Conductor(
    LIMITS.frame_rate,
    must_yield=lambda: (
        (LATENESS.behind and len(VISITS) > 1) or VISITS.page_requested or PIECES.waited_for
    ),
    checkpoints=LIMITS.checkpoints,
)
STEERING = frozenset(PANELS) - {LESSON_TAB}  # panels whose own buttons steer the visitor's run


class Visit:
    """A visitor's experiment and page."""

    def __init__(self, link: PageLink) -> None:
        self._link = link
        self._adopted: ShownRun | None = None  # which a class watches already
        self._lock = threading.Lock()
        self._setting_up = threading.Lock()
        self._ahead: Experiment | None = None  # with which its run will begin
        self._run: ShownRun | None = None
        self._shared_run: SharedRun | None = None
        self._challenge_run: ChallengeRun | None = None
        self._state = b""  # of the link's run, as its browser has sent it
        self._started = False
        self._watchers: set[Hashable] = set()
        self._watched: WatchedRun | None = None
        self.on_other_run: set[Callable[[], None]] = set()  # called when the page shows another run
        # Why an action of the visitor is refused; empty: it is not.
        self.refuses: Callable[[str, str, str], str] = lambda kind, name, value: ""
        self._lost_running = False
        self._closed = False
        self._lesson = ""  # when the visit ended
        self._answers: tuple[LessonAnswer, ...] = ()
        self._forget: Callable[[], None] = lambda: None
        self._is_connected: Callable[[], bool] = lambda: False
        self.name = ""  # for the operator
        self._beside: list[Parameterized] = []  # what Panel has added to the page
        self.presence = Presence()
        self.reconnect_link = Reconnect()
        self._uploads = Uploads(FILE_READER)
        self.parts = PageParts(link, self, self._uploads, self._begin)

    def prepare(self) -> None:
        """Build the first experiment ahead of the request for the page."""
        self._ahead = Experiment(RunConfig())
        self._ahead.snapshot()  # measures what the first frame shows

    def request(self, link: PageLink) -> None:
        """The page, which was built ahead, is requested by this link."""
        self._link = link
        self.presence = Presence()

    def attach(self, document: Document) -> None:
        """Handle the events of this page, and be able to change it from other threads."""
        MEMORY.page_requested()
        self._beside = components_beside(document)
        self.page = PageAccess(document, self.parts.bridge, self.parts.presses)
        self._show_soon = document.locked_callback(guarded(self._show), policy="latest")
        document.on_event(ConnectionLost, self.disconnect)
        document.on_event(ClientReconnected, self.reconnect)
        document.on_session_destroyed(self.close)
        document.on_session_destroyed(lambda context: forget_notifications(document))
        self._forget, self._is_connected = forgetting(document), connected(document)

    def send(self, command: Command) -> None:
        """Send a command to the visitor's own run."""
        if isinstance(command, Pause):
            self._started = True  # a run that has not begun yet does not begin by itself
        self.handle.send(command)

    def learn_from(self, upload: Upload, reading: Reading) -> None:
        """Train on data that the visitor has uploaded, or repeat the link's run that awaits it."""
        if not (self._shared_run and self._shared_run.brought(self._uploads.names)):
            learn_from(self.handle, upload, reading)

    @property
    def run(self) -> ShownRun:
        """The visitor's run; the experiment is set up when it is first used."""
        with self._lock:
            if self._run is None:
                if self._closed:
                    raise RuntimeError("the visitor has left")
                self._run = self._adopted or self._new_run()
                self._run.own(self)
            return self._run

    def _new_run(self) -> ShownRun:
        with SETTING_UP:
            experiment, self._ahead = self._ahead or Experiment(RunConfig()), None
            if self._link.recording:
                experiment.number_after(UNSEEN - 1)
            return ShownRun(CONDUCTOR, CONDUCTOR.add(experiment, self.name, self._link.pace))

    @property
    def handle(self) -> ExperimentHandle:
        """The experiment's place with the conductor."""
        return self.run.handle

    @property
    def is_set_up(self) -> bool:
        """Whether the experiment has been set up, so that there are snapshots."""
        return self._shared_run is not None

    def adopt(self, run: ShownRun) -> None:
        """Show and steer an existing run, unless this page has set up its own."""
        with self._lock:
            if self._run is None:
                self._adopted, self._started = run, True
                self._link = PageLink(hidden=self._link.hidden)

    def bring(self, state: str) -> None:
        """Take the state that the link carries, before the experiment is set up."""
        if state and self._shared_run is None:
            self._state = run_links.carried(state)

    def set_up(self) -> None:
        """Set the experiment up once, with the run of the visitor's link; this takes a moment."""
        with self._setting_up:
            if self._shared_run is None and not self._closed:
                with contextlib.suppress(CancelledError):  # the visitor leaves meanwhile
                    self._set_up()

    def _set_up(self) -> None:
        self.run.subscribe(self, self._show_soon)
        self._shared_run = SharedRun(self._link, self.handle, self.page.notify, self._state)
        if challenge := self._link.challenge:
            tell = self.parts.diagnosis_bar.tell
            self._challenge_run = ChallengeRun(challenge, self.handle, self.page.remark, tell)
        if self._adopted:
            self._show_soon(self.handle.latest)

    def watch(
        self,
        who: Hashable,
        version: int,
        deliver: Callable[[Snapshot, int], None],
        requested: Set[str],
        other: WatchedRun | None = None,
    ) -> bool:
        """Deliver the first snapshot newer than `version`; False if the visit is over.

        It is of the visitor's run, or of another.
        """
        if self._closed:
            return False
        self.attend(who)
        if other:
            other.handle.wait(who, version, deliver, requested)
            return True
        if self._shared_run is None:
            return False
        self.handle.wait(who, version, deliver, requested)
        return True

    def attend(self, who: Hashable) -> None:
        """Count a watcher who is there, even if it asks for nothing: a hidden tab does not."""
        self._watchers.add(who)

    def stop_watching(self, who: Hashable, other: WatchedRun | None) -> None:
        """Stop sending snapshots of a run to a watcher, whose page shows another one now."""
        if run := other or self._run:
            run.handle.forget(who)

    def forget(self, who: Hashable) -> None:
        """Remove a watcher; after the last one the run is paused."""
        self.stop_watching(who, None)
        self._watchers.discard(who)
        if not self._watchers:
            self._pause_alone()
            if not self._is_connected():
                self.presence.disconnect()

    @property
    def is_watched(self) -> bool:
        """Whether the page has a channel for frames."""
        return bool(self._watchers)

    # ---- another visitor's run ------------------------------------------------------------------

    @property
    def watched(self) -> WatchedRun | None:
        """The other visitor's run that the page shows; None: it shows its own."""
        return self._watched if self._watched and not self._watched.over else None

    def shown(self, other: WatchedRun | None) -> Snapshot:
        """The latest of this run, or of the visitor's own."""
        return (other or self.run).handle.latest

    def seen(self) -> Snapshot:
        """The latest snapshot of the run that the page shows."""
        return self.shown(self.watched)

    def watch_other(self, other: WatchedRun | None) -> None:
        """Show another visitor's run, which this page cannot steer, or its own again."""
        other = None if other is self._run else other
        before, self._watched = self._watched, other
        if before is other:
            return
        blocked = STEERING if other else frozenset[str]()
        self.page.change(lambda: self.parts.layout.block(blocked))
        if before:
            before.unsubscribe(self)
        if other:
            other.subscribe(self, self._show_soon)
            if not (self._run and self._run.hosted):  # a class goes on while its teacher looks
                self._wait()
        for call in list(self.on_other_run):
            call()
        if other or self._run:
            self._show_soon(self.shown(other))

    def _wait(self) -> None:
        """Pause the visitor's own run, or keep it from starting."""
        self._started = True
        if self._run:
            self._run.handle.send(Pause())

    def take_up(self, run: RunTransfer) -> None:
        """Continue a transferred run as the visitor's own, in place of the current one."""
        self._started = True  # like the run that it was copied from
        self.set_up()
        self.handle.send(run)

    @property
    def unseen(self) -> bool:
        """Whether no browser has connected to the page."""
        return not (self._closed or self._run or self.presence.came)

    @property
    def over(self) -> bool:
        """Whether the visitor has left for good."""
        return self._closed

    @property
    def lesson(self) -> str:
        """The slug of the lesson that is open; empty if none has been opened."""
        return self._lesson if self._closed else self.parts.panels.lesson

    @property
    def answers(self) -> Iterable[LessonAnswer]:
        """What has been answered in lessons."""
        return self._answers if self._closed else tuple(self.parts.panels.answers)

    def own_pinned(self) -> Future[tuple[PastRun, ...]]:
        """The runs pinned in the visitor's own experiment, also while a lesson is shown."""
        return self.handle.submit(lambda slot: slot.own.pinned)

    def start(self) -> None:
        """Begin to train, once, after the page has drawn the first state of the run."""
        if not self._started:
            self._started = True
            if not (self._shared_run and self._shared_run.awaits):
                # Not a command: beside a lesson, that would be for the lesson's run.
                self.handle.submit(lambda slot: slot.own.apply(Play()))
            if self.watched:  # it joined a class meanwhile: its own run waits
                self.handle.send(Pause())
        if self._shared_run:
            self._shared_run.play()

    def _begin(self, pieces: Pieces) -> Building:
        """What builds this a piece at a time; whatever fails is reported."""
        return Building(pieces, PIECES, self.page.callback)

    def _show(self, snapshot: Snapshot) -> None:
        with pn.io.hold():  # all that changes on the page in one message
            self._show_at_once(snapshot)

    def _show_at_once(self, snapshot: Snapshot) -> None:
        if other := self.watched:
            self.parts.show_other(other.handle.latest)
            return
        if self._challenge_run:
            self._challenge_run.show(snapshot)
        self.parts.show(snapshot)
        self.reconnect_link.follow(self.handle, snapshot)
        if self._shared_run:
            self._shared_run.show(snapshot)

    def disconnect(self, event: object) -> None:
        """The connection is lost: pause the run, since the page may reconnect."""
        self.presence.disconnect()
        self._pause_alone()

    def _pause_alone(self) -> None:
        """Pause a run that nobody sees, until its page reconnects."""
        run = self._run
        if run and not run.hosted and run.handle.latest.status is Status.RUNNING:
            self._lost_running = True
            run.handle.send(Pause())

    def reconnect(self, event: object) -> None:
        """The page is connected, or its frame channel is: continue where it was."""
        self.presence.connect()
        if self._run and self._lost_running:
            self._lost_running = False
            self._run.handle.send(Play())

    def watch_nothing(self) -> None:
        """The visit is over."""
        watched, self._watched = self._watched, None
        if watched:
            watched.unsubscribe(self)

    def close(self, context: Any) -> None:
        """The session has ended: free everything."""
        VISITS.pop(context.id, None)
        self.end()
        MEMORY.left(self._cut)

    def _cut(self) -> None:
        """Break the reference cycles of the page, which nothing uses any more."""
        parts = self.parts
        del self.parts, self.refuses
        self.on_other_run.clear()
        cut_components([*parts.components, *self._beside])
        parts.forget()

    def end(self) -> None:
        """Free the memory and the threads of the visit; its session ends soon, if it has not."""
        self._forget()
        self._lesson, self._answers = self.lesson, tuple(self.answers)
        with self._lock:
            self._closed = True
            if self._run:
                self._run.disown(self)
        self.watch_nothing()
        self._uploads.close()
        self.parts.panels.end()

"""One visitor: an experiment, the page that shows it, and the end of both."""

import dataclasses
import threading
from collections.abc import Callable, Hashable, Set
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import panel as pn
from bokeh.document import Document
from bokeh.events import ClientReconnected, ConnectionLost
from bokeh.models import CustomJS
from panel.io.resources import get_dist_path
from panel.io.state import set_curdoc

from app import share, theme
from app.arrival import Arrival
from app.controls import Controls
from app.dialogs import Dialogs
from app.document import arguments_of, document_of_now, forget, guarded, report, tell
from app.export import Export
from app.keyboard import KEYS, Keyboard, KeyPressed, Keys
from app.lane import Lane
from app.limits import LIMITS
from app.look import Look
from app.page import Layout
from app.rooms import ROOMS, Room
from app.runs import Runs
from app.share import Wish
from app.sharing import Sharing
from app.transport import Transport
from app.upload import Data, Found, Uploads, learn_from
from app.views.updates import WHILE_DRAGGED
from app.visits import Presence, Visits
from app.way_back import WayBack
from engine import Conductor, Experiment, Pause, Play, RunConfig, Seat, Snapshot, Status, Upload

CONDUCTOR = Conductor(LIMITS.frame_rate)
# One after the other: at once they would all be there at the end.
SETTING_UP = threading.Lock()  # experiments
BUILDING = threading.Lock()  # pages
BUILDER = ThreadPoolExecutor(1, "builder")  # waits for a page; those whose turn it is not do not
VISITS: Visits["Visit"] = Visits(LIMITS.visitors)
LEARNING_RATE = "optimization.learning_rate"
FULL = "There is no room just now: all places of this laboratory are taken."

START = """
export default async (given) => {
  const base = window.location.pathname.replace(/\\/$/, "")
  const {open} = await import(new URL(`${base}/static/page.js`, window.location.href).href)
  open(base, given)
}
"""


def open_page() -> None:
    """Answer a request for the page: a skeleton now, the rest when a browser is there to see it."""
    pn.extension(
        reconnect=True,
        notifications=True,
        lazy_resources=False,
        exception_handler=report,
        apply_signatures=False,  # of all components, for notebooks: 10 ms for each visitor
    )
    document = document_of_now()
    if not VISITS.make_room():  # the door is closed, but a socket may bring a session back
        pn.pane.HTML(FULL).servable()
        return
    # Panel knows this only once it answers a request for the page. A session that a socket brings
    # back after the server forgot it would take its styles from the internet (Panel 1.10.0).
    document.template_variables["dist_url"] = get_dist_path()
    context: Any = document.session_context
    said = document.locked_callback(tell) if context else tell
    visit = Visit(share.read(arguments_of(document)), said)
    document.theme = theme.OWN_AXES
    visit.layout.page.servable()
    if context is None:  # rendered without a server: nobody will ever connect
        return
    VISITS[context.id] = visit
    document.on_session_destroyed(visit.close)
    document.on_session_destroyed(lambda context: forget(document))
    # The page proves with the session's token, which Bokeh gives it too, whose frames it asks for.
    known = {
        **{"token": context._token, "keys": list(KEYS), "narrowest": theme.PHONE + 1},
        **{"slider": LEARNING_RATE, "dragged": CustomJS(code=WHILE_DRAGGED)},
        **{"bar": theme.BAR_CSS, "hall": [theme.PROJECTOR_TYPE, theme.IN_HALL]},
    }
    document.js_on_event("document_ready", CustomJS(code=START, args=known))
    document.on_event(ConnectionLost, visit.lose)
    document.on_event(ClientReconnected, visit.regain)
    build = document.locked_callback(visit.build_in_turn)
    pn.state.onload(lambda: visit.arrive(build))


def build_ahead(document: Document) -> None:
    """Build a page that nobody has asked for yet."""
    context: Any = document.session_context
    visit = VISITS[context.id]
    visit.presence.wait()
    pn.state._thread_id_[document] = threading.get_ident()  # as Panel does while it builds
    with set_curdoc(document), BUILDING:
        visit.build()


def hand_over(session: str) -> None:
    """A page that was built ahead has found its visitor."""
    VISITS[session].presence.come()


class Visit:
    """A visitor's experiment and page."""

    def __init__(self, wish: Wish, tell: Callable[[str], None]) -> None:
        self._wish = wish
        self._tell = tell
        self._arrival: Arrival | None = None
        self._uploads = Uploads()
        self.layout = Layout(wish.hidden)
        self._lock = threading.Lock()
        self._setting_up = threading.Lock()
        self._seat: Seat | None = None
        self._started = self._built = False
        self._ready = threading.Event()  # the page is complete, or its visitor has left
        self._lost_running = False
        self._closed = False
        self.presence = Presence()
        self.way_back = WayBack()

    @property
    def seat(self) -> Seat:
        """The experiment's place with the conductor; the first to ask sets the experiment up."""
        with self._lock:
            if self._seat is None:
                if self._closed:
                    raise RuntimeError("the visitor has left")
                with SETTING_UP:
                    self._seat = CONDUCTOR.add(Experiment(RunConfig()))
            return self._seat

    @property
    def stands(self) -> bool:
        """Whether the experiment has been set up, and there is something to see."""
        return self._arrival is not None

    def set_up(self) -> None:
        """Set the experiment up as the visitor's link wishes it, once; this takes a moment."""
        with self._setting_up:
            if self._arrival is None and not self._closed:
                self._arrival = Arrival(self._wish, self.seat, self._tell)

    def watch(
        self,
        who: Hashable,
        version: int,
        deliver: Callable[[Snapshot, int], None],
        looks: Set[str],
    ) -> None:
        """Deliver the first snapshot newer than `version`; training starts when first looked at."""
        if self._arrival and not self._closed:
            self.start()
            self._arrival.play()
            self.seat.wait(who, version, deliver, looks)

    def forget(self, who: Hashable) -> None:
        """Somebody who watched has gone."""
        if self._seat:
            self._seat.forget(who)

    def start(self) -> None:
        """Begin to train, once."""
        if not self._started:
            self._started = True
            if not (self._arrival and self._arrival.awaits):
                self.seat.send(Play())

    def arrive(self, build: Callable[[], None]) -> None:
        """A browser is there to see the page: `build` the rest of it when it is its turn."""
        self.presence.arrive()
        if not self._built:
            BUILDER.submit(self._await_turn, build)

    def _await_turn(self, build: Callable[[], None]) -> None:
        build()
        self._ready.wait()

    def build_in_turn(self) -> None:
        """Fill the page; then it is the next one's turn."""
        try:
            with BUILDING:
                guarded(self.build)()
        finally:
            self._ready.set()
        if self._arrival and not self._arrival.awaits:
            self.start()

    def build(self) -> None:
        """Fill the page, beside the plots, and keep it in step with the experiment."""
        self._built = True
        self.set_up()
        document, seat = document_of_now(), self.seat
        snapshot = seat.latest
        if not snapshot.step:
            # As it will be in a moment: a widget that changes while the browser is still putting it
            # together may miss the change (Panel 1.10.0).
            snapshot = dataclasses.replace(snapshot, status=Status.RUNNING)
        self._transport = Transport(seat.send, snapshot)
        self._controls = Controls(seat.send, snapshot.config)
        self._lane = Lane(seat.send, self.layout.point_at, snapshot)
        self._rooms: dict[str, Room] = {}  # those that have been opened
        self._dialogs = self._make_dialogs(seat, document)
        look = Look(self.layout.browser)
        self.layout.fill(self._transport, self._controls, self._lane, self._dialogs, look)
        self.layout.sidebar.param.watch(lambda event: self._enter(), "active")
        seat.on_news = document.locked_callback(guarded(self._show), policy="latest")
        if seat.latest.step:  # it has gone on meanwhile
            seat.on_news(seat.latest)
        rate = self._controls.slider(LEARNING_RATE).stops
        keyboard = Keyboard(self._transport, rate, look, self._dialogs)
        document.on_event(KeyPressed, keyboard.press)

    def _make_dialogs(self, seat: Seat, document: Document) -> Dialogs:
        def later(found: Found) -> Found:
            return document.locked_callback(found)

        def used(upload: Upload) -> None:
            if not (self._arrival and self._arrival.brought(self._uploads.names)):
                learn_from(seat, upload)
            self._dialogs.close()

        return Dialogs(
            {
                "Data": ("table_view", lambda: Data(seat, self._uploads, used, later)),
                "Runs": ("stacked_line_chart", lambda: Runs(seat)),
                "Export": ("download", lambda: Export(seat, lambda: self.layout.views)),
                "Share": ("share", lambda: Sharing(seat)),
                "Keys": ("keyboard", Keys),
            }
        )

    def _show(self, snapshot: Snapshot) -> None:
        self._transport.show(snapshot)
        self._controls.show(snapshot.config)
        self._lane.show(snapshot)
        for room in self._rooms.values():
            room.show(snapshot)
        self._dialogs.show(snapshot)
        self.way_back.follow(self.seat, snapshot)
        if self._arrival:
            self._arrival.show(snapshot)

    def _enter(self) -> None:
        """Show the room whose tab of the sidebar has been opened."""
        name = self.layout.room
        if name in ROOMS and name not in self._rooms:
            self._rooms[name] = ROOMS[name].make(self.seat, self.seat.latest)
            self._rooms[name].leave = self.layout.leave
        room = self._rooms.get(name)
        self.layout.enter(name, room.sidebar if room else [], room.main if room else None)

    def lose(self, event: object) -> None:
        """The page is gone, perhaps to come back: train no further."""
        self.presence.leave()
        if self._seat and self._seat.latest.status is Status.RUNNING:
            self._lost_running = True
            self._seat.send(Pause())

    def regain(self, event: object) -> None:
        """The page is back: go on where it was."""
        self.presence.arrive()
        if self._seat and self._lost_running:
            self._lost_running = False
            self._seat.send(Play())

    def close(self, context: Any) -> None:
        """The session is over: nothing of the visit stays."""
        VISITS.pop(context.id, None)
        self.end()

    def end(self) -> None:
        """Give back what the visit takes of the machine; the session may live on."""
        with self._lock:
            self._closed = True
            if self._seat:
                CONDUCTOR.remove(self._seat)
        self._uploads.close()
        self._ready.set()

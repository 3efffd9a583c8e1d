"""The class channel: what a page says to its room, and what it is told of it.

JSON text both ways. First the page sends `{"token": ...}`, as on the frame channel; then messages
of `app/classroom/messages.py`. It is told `{"room": ...}` whenever what it may see has changed,
`{"key": ...}` when it has been given one, `{"wall": ...}` each second if it is a teacher's that
wants it, and `{"refused": ...}` in one sentence. A key, not the connection, says who somebody is.
"""

import asyncio
import functools
import logging
from base64 import b64encode
from collections.abc import Callable
from typing import Any, ClassVar

import msgspec
import segno
from bokeh.server.contexts import ApplicationContext
from bokeh.server.urls import per_app_patterns
from bokeh.server.views.ws import WSHandler
from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from app.classroom import messages as m
from app.classroom.participant import Participant
from app.classroom.refused import Refused
from app.classroom.results import as_csv, as_json
from app.classroom.room import Room
from app.classroom.rooms import Rooms
from app.classroom.saved import as_file, from_file, reopen
from app.limits import LIMITS
from app.panels.classroom.live_room import LiveRoom
from app.panels.classroom.remote_room import RemoteRoom
from app.panels.classroom.seat import Seat, TeacherSeat
from app.panels.lesson_list import whole_course
from app.server.class_cluster import CLUSTER
from app.server.connection_limits import Budget
from app.server.frame_channel import FORBIDDEN, PINGED_EVERY, UNREADABLE, Hello, heard, visit_of
from app.server.password import Attempts
from app.server.session import Visit
from app.server.teacher_word import WORD
from engine import LESSONS, open_lesson

log = logging.getLogger(__name__)

TOGETHER = 0.1  # seconds in which changes of a room are told together
TICK = 1.0  # seconds from one look at all runs to the next
LONGEST = 20_000  # bytes of a message
LONGEST_SAVED = 2 * m.MOST_SAVED  # ... of one who may open a room, which may be a saved one
ENDED = "This room is not open: it was closed, or it ended with its server."
SAVED, RATE = 60, 20  # messages that a page may send at once, and per second after that
TRIES = 300  # at the same time from one address: a class sits behind one
MOVED = "The room goes on with another process of the server: join again with the same code."
NOT_HERE = "This page is in no room."
NOT_TEACHER = "Only the teacher can do this."

ROOMS = Rooms(LIMITS.rooms, LIMITS.students, LIMITS.room_hours)
LIVE: dict[Room, LiveRoom] = {}
ATTEMPTS = Attempts(waiting=TRIES)  # at words and codes, by address


class ClassChannel(WebSocketHandler):
    """The server's end of one page's channel."""

    def initialize(
        self, application_context: ApplicationContext, bokeh_websocket_path: str
    ) -> None:
        self._context = application_context
        self._visit: Visit | None = None
        self._live: LiveRoom | None = None
        self._key = ""
        self._seat: Seat | TeacherSeat | None = None
        self._may_open = False  # it has shown the teacher's word
        self.wants_wall = False
        self._told = ""
        self._budget = Budget(SAVED, RATE)

    check_origin = WSHandler.check_origin
    ping_interval = PINGED_EVERY
    ping_timeout = PINGED_EVERY

    def open(self) -> None:
        self.set_nodelay(True)

    async def on_message(self, message: str | bytes) -> None:
        await asyncio.sleep(self._budget.spend(1))
        if len(message) > (LONGEST_SAVED if self._may_open else LONGEST):
            self.close(UNREADABLE, "too long")
        elif self._visit is None:
            self._greet(heard(message, Hello))
        else:
            await self._hear(heard(message, m.Request))  # type: ignore[arg-type]

    def _greet(self, said: Hello | str) -> None:
        if isinstance(said, Hello):
            self._visit = visit_of(self.application, self._context, said.token)
        if self._visit is None:
            self.close(FORBIDDEN, "unknown token")

    async def _hear(self, said: m.Request | str) -> None:
        try:
            if isinstance(said, str):
                raise Refused(f"The room does not know this message: {said}.")
            if act := self._ACTS.get(type(said)):
                await act(self, said)
            else:
                await self._pass_on(said)  # type: ignore[arg-type]
        except Refused as error:
            self.say({"refused": str(error)})

    async def _pass_on(self, message: m.Message) -> None:
        """To the room, which decides by the key."""
        live = self._room
        if live.room.is_teacher(self._key):
            await live.prepare(message)
        live.hear(self._key, message)
        if live.room.closed:
            close(live)

    @property
    def _room(self) -> LiveRoom:
        if self._live is None:
            raise Refused(NOT_HERE)
        return self._live

    def _check_teacher(self) -> LiveRoom:
        if not self._room.room.is_teacher(self._key):
            raise Refused(NOT_TEACHER)
        return self._room

    @property
    def _page(self) -> Visit:
        if self._visit is None:
            raise Refused(NOT_HERE)
        return self._visit

    # ---- coming in -----------------------------------------------------------------------------

    async def _check[T](self, right: Callable[[], T]) -> T:
        """What is guessed at takes longer and longer."""
        who = str(self.request.remote_ip)
        pause = ATTEMPTS.wait(who)
        if pause is None:
            raise Refused("Too many wrong words or codes come from this network: wait a moment.")
        found: T | None = None
        try:
            await asyncio.sleep(pause)
            found = right()
            return found
        finally:
            ATTEMPTS.end(who, found is not None)

    async def _teach(self, said: m.Teach) -> None:
        def right() -> bool:
            if not WORD.opens(said.word):
                raise Refused("This is not the teacher's word.")
            return True

        self._may_open = await self._check(right)
        self.say({"may_open": True})

    async def _open_room(self, said: m.OpenRoom) -> None:
        await self._open_under(said.code, lambda room: None)

    async def _reopen(self, said: m.Reopen) -> None:
        self._check_may_open()
        saved = from_file(said.room)
        await self._open_under(saved.code, lambda room: reopen(room, saved))

    def _check_may_open(self) -> None:
        if not self._may_open:
            raise Refused("Only who knows the teacher's word can open a room.")
        if self._live:
            raise Refused("This page is in a room already.")

    async def _open_under(self, code: str, fill: Callable[[Room], None]) -> None:
        self._check_may_open()
        visit = self._page
        await asyncio.to_thread(visit.set_up)
        room = ROOMS.open(whole_course().places, code)
        try:
            fill(room)
        except Refused:
            room.closed = True
            raise
        if CLUSTER and not await CLUSTER.claim(room):
            room.closed = True
            raise Refused(f"The code {room.code} is in use by another class.")
        live = _begin_room(room, visit)
        self._come_in(live, room.teacher_key, live.welcome_teacher(visit))

    async def _join(self, said: m.Join) -> None:
        if self._live:
            raise Refused("This page is in a room already.")
        live = await self._find(said.code)
        visit = self._page
        if isinstance(live, RemoteRoom):
            student = await live.join(said.name)
        else:
            student = live.room.join(said.name)
        self._come_in(live, student.key, live.seat(student, visit))

    async def _find(self, code: str) -> LiveRoom:
        """The room of a code, of this process or another."""
        await self._look_elsewhere(code)

        def found() -> LiveRoom:
            remote = CLUSTER.remote(code) if CLUSTER else None
            return remote or LIVE[ROOMS.find(code)]

        return await self._check(found)

    async def _look_elsewhere(self, code: str) -> None:
        """Learn of another process's room, before it is looked for."""
        if CLUSTER and not ROOMS.has(code) and (live := await CLUSTER.look_for(code, ROOMS)):
            LIVE[live.room] = live
            live.changed = lambda: _tell_soon(live)

    async def _enter(self, said: m.Enter) -> None:
        if self._live:
            raise Refused("This page is in a room already.")
        try:
            live = await self._find(said.code)
        except Refused:
            if WORD.opens(said.key):  # a teacher names the room that is to be opened
                self._may_open = True
                self.say({"may_open": True})
            else:
                self.say({"gone": ENDED, "again": True})
            return
        student = live.room.student(said.key)
        if live.room.is_teacher(said.key):
            await self._enter_as_teacher(live, said.key)
        elif student:
            self._come_in(live, said.key, live.seat(student, self._page))
        else:
            self.say({"gone": "The teacher has removed you from the room."})

    async def _enter_as_teacher(self, live: LiveRoom, key: str) -> None:
        visit = self._page
        if live.run:
            visit.adopt(live.run)
        await asyncio.to_thread(visit.set_up)
        if isinstance(live, RemoteRoom):
            live = await _take_over(live, visit)
        if visit.run is not live.run:  # this page has a run of its own already
            self.say({"teach": key})
            return
        self._come_in(live, key, live.welcome_teacher(visit))

    def _come_in(self, live: LiveRoom, key: str, seat: Seat | TeacherSeat) -> None:
        self._live, self._key, self._seat = live, key, seat
        CHANNELS.setdefault(live, set()).add(self)
        self.say({"key": key, "code": live.room.code})
        if isinstance(seat, TeacherSeat):
            self.say({"lessons": lessons()})
        self.tell()

    # ---- of a teacher --------------------------------------------------------------------------

    async def _want_wall(self, said: m.Wall) -> None:
        live = self._check_teacher()
        self.wants_wall = said.on
        if said.on:
            self.say({"wall": live.wall()})

    async def _results(self, said: m.Results) -> None:
        live = self._check_teacher()
        room = live.room
        if said.kind == "hand-ins":
            packed, missing = await live.hand_ins()
            self.say({"file": f"hand-ins-{room.code}.zip", "base64": b64encode(packed).decode()})
            if missing:
                self.say({"refused": f"Not in it, as their pages are not here: {missing}."})
            return
        texts = {"json": as_json, "csv": as_csv, "room": as_file}
        suffix = {"room": "room.json"}.get(said.kind, said.kind)
        self.say({"file": f"class-{room.code}.{suffix}", "text": texts[said.kind](room)})

    async def _code(self, said: m.Code) -> None:
        self._check_teacher()
        try:
            rows = segno.make(said.address, error="m", micro=False).matrix
        except (ValueError, UnicodeError):
            raise Refused("This address is too long for a QR code.") from None
        self.say({"qr": ["".join(map(str, row)) for row in rows]})

    # ---- what it is told -----------------------------------------------------------------------

    def tell(self) -> None:
        """Tell the page what it may see of its room, if that has changed."""
        live = self._live
        if live is None:
            return
        student: Participant | None = live.room.student(self._key)
        if live.room.is_teacher(self._key):
            self._tell(live.teacher_sees())
        elif student:
            self._tell(live.student_sees(student))
        else:
            self.put_out("You are not in the room any more.")

    def _tell(self, sees: object) -> None:
        text = msgspec.json.encode({"room": sees}).decode()
        if text != self._told:
            self._told = text
            self.send(text)

    def move(self, live: LiveRoom) -> None:
        """Its room is another process's no more, but this one's."""
        student = live.room.student(self._key)
        if student:
            self._live, self._seat = live, live.seat(student, self._page)

    def put_out(self, why: str) -> None:
        """The page is in no room any more."""
        if self._live:
            CHANNELS.get(self._live, set()).discard(self)
        self._live, self._seat, self._key, self._told = None, None, "", ""
        self.wants_wall = False
        self.say({"gone": why})

    def say(self, words: object) -> None:
        """Send a message."""
        self.send(msgspec.json.encode(words).decode())

    def send(self, text: str) -> None:
        """Send text, unless the page has left."""
        try:
            self.write_message(text).add_done_callback(_hear_the_end)
        except WebSocketClosedError:
            log.debug("the page has left")

    def on_close(self) -> None:
        live, seat = self._live, self._seat
        if live is None:
            return
        CHANNELS.get(live, set()).discard(self)
        self._live = None
        if isinstance(seat, Seat):
            live.stand_up(seat)
        elif seat:
            live.dismiss_teacher(seat)

    _ACTS: ClassVar[dict[type, Any]] = {
        m.Enter: _enter,
        m.Teach: _teach,
        m.OpenRoom: _open_room,
        m.Reopen: _reopen,
        m.Join: _join,
        m.Wall: _want_wall,
        m.Results: _results,
        m.Code: _code,
    }


@functools.cache
def lessons() -> list[dict[str, object]]:
    """The lessons for a teacher's menus, with the questions that they ask."""
    known = map(open_lesson, LESSONS)
    return [
        {
            "slug": lesson.slug,
            "title": lesson.title,
            "question": lesson.question.text,
            "options": lesson.question.shuffled,
        }
        for lesson in known
    ]


def _hear_the_end(sent: asyncio.Future[None]) -> None:
    if not sent.cancelled():
        sent.exception()  # a page that has left meanwhile


CHANNELS: dict[LiveRoom, set[ClassChannel]] = {}
SOON: set[LiveRoom] = set()  # rooms whose pages will be told


def _begin_room(room: Room, visit: Visit) -> LiveRoom:
    """A room of this process, with the run of its teacher."""
    live = LIVE[room] = LiveRoom(room, visit.run)
    live.changed = lambda: _tell_soon(live)
    if CLUSTER:
        CLUSTER.share(live)
    return live


async def _take_over(remote: RemoteRoom, visit: Visit) -> LiveRoom:
    """The process of a room has ended: its teacher goes on with this one, with all who are here."""
    if CLUSTER is None or not await CLUSTER.claim(remote.room):
        raise Refused(
            "The run of your class is with another process of this server:"
            f" open the address with ?room={remote.room.code}."
        )
    await CLUSTER.recall(remote)
    room, channels = remote.room, CHANNELS.pop(remote, set())
    CLUSTER.leave(remote)
    del LIVE[room]
    for student in room.students.values():
        student.pages = student.elsewhere = 0  # they are counted again
    live = _begin_room(ROOMS.adopt(room), visit)
    CHANNELS[live] = channels
    for channel in channels:
        channel.move(live)
    live.update()
    return live


def _tell_soon(live: LiveRoom) -> None:
    if live not in SOON:
        SOON.add(live)
        IOLoop.current().call_later(TOGETHER, _tell_all, live)


def _tell_all(live: LiveRoom) -> None:
    SOON.discard(live)
    if CLUSTER:
        CLUSTER.tell(live)
    for channel in list(CHANNELS.get(live, ())):
        channel.tell()


def close(live: LiveRoom, why: str = "The room is closed.") -> None:
    """Delete a room: its pages are told, and it is forgotten."""
    if CLUSTER:
        CLUSTER.leave(live)
    live.end()
    LIVE.pop(live.room, None)
    ROOMS.close_old()
    for channel in list(CHANNELS.pop(live, ())):
        channel.put_out(why)


def _tick() -> None:
    """Look at all runs, and close the rooms that have had their hours."""
    ROOMS.close_old()
    for live in [live for room, live in LIVE.items() if room.closed]:
        close(live)
    for live in list(LIVE.values()):
        channels = CHANNELS.get(live, set())
        if CLUSTER and CLUSTER.lacks(live):
            close(live, MOVED)
            continue
        live.update()
        live.rest()
        if any(channel.wants_wall for channel in channels):
            wall = msgspec.json.encode({"wall": live.wall()}).decode()
            for channel in channels:
                if channel.wants_wall:
                    channel.send(wall)
        else:
            live.tiles()
        if CLUSTER:
            CLUSTER.tick(live)


TICKS: list[PeriodicCallback] = []


def begin() -> None:
    """Begin to look at the rooms; called on the thread of the event loop."""
    TICKS.append(PeriodicCallback(_tick, 1000 * TICK))
    TICKS[-1].start()
    if CLUSTER:
        CLUSTER.begin()
    WORD.announce()


def end() -> None:
    """The server stops: so do all rooms."""
    for tick in TICKS:
        tick.stop()
    TICKS.clear()
    for live in list(LIVE.values()):
        close(live)


def install() -> None:
    """Register the route `<app>/class`; called before the server builds its routes."""
    route = (r"/class", ClassChannel)
    if route not in per_app_patterns:
        per_app_patterns.append(route)

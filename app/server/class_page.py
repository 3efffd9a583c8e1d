"""One page of a class room: what its messages do, and what is sent to it."""

import asyncio
import functools
from base64 import b64encode
from collections.abc import Callable
from typing import Any, ClassVar

import msgspec
import segno

from app.classroom import messages as m
from app.classroom.participant import Participant
from app.classroom.refused import Refused
from app.classroom.results import as_csv, as_json
from app.classroom.room import Room
from app.classroom.saved import as_file, from_file, reopen
from app.panels.classroom.live_room import LiveRoom
from app.panels.classroom.remote_room import RemoteRoom
from app.panels.classroom.seat import Seat, TeacherSeat
from app.server import class_rooms
from app.server.password import Attempts
from app.server.session import Visit
from app.server.teacher_password import TEACHER_PASSWORD
from engine import LESSONS, open_lesson

ENDED = "This room is not open: it was closed, or it ended with its server."
TRIES = 300  # at the same time from one address: a class sits behind one
NOT_HERE = "This page is in no room."
NO_KEY = (
    "Your key opens nothing in this room: the teacher has removed you, or has opened the room"
    " with another key."
)
MAY_OPEN = {"may_open": True, "largest": m.MOST_SAVED}  # ... of the files of saved rooms
LEFT = "This page was closed before it had entered the room."
NOT_TEACHER = "Only the teacher can do this."

type Send = Callable[[str, str], None]  # a message, and what it tells if only the last counts

ATTEMPTS = Attempts(waiting=TRIES)  # at passwords and codes, by address


class ClassPage:
    """A page that is in a room, or may enter one; its role depends on its key alone."""

    def __init__(self, visit: Visit, address: str, send: Send) -> None:
        self._visit, self._address, self._send = visit, address, send
        self._live: LiveRoom | None = None
        self._key = ""
        self._seat: Seat | TeacherSeat | None = None
        self.may_open = False  # it has shown the teacher's password
        self.wants_wall = False
        self._closed = False  # also while one of its messages waits for something
        self._view = ""  # of the room, as it was sent last

    async def receive(self, message: m.Request | str) -> None:
        """Carry out a message; a text is the reason why it could not be decoded."""
        try:
            if isinstance(message, str):
                raise Refused(f"The room does not know this message: {message}.")
            if act := self._ACTS.get(type(message)):
                await act(self, message)
            else:
                await self._pass_on(message)  # type: ignore[arg-type]
        except Refused as error:
            self._send_message({"refused": str(error)})

    async def _pass_on(self, message: m.Message) -> None:
        """Pass the message to the room, which checks its key."""
        live = self._room
        if live.room.is_teacher(self._key):
            await live.prepare(message)
        live.receive(self._key, message)
        if live.room.closed:
            class_rooms.close(live)

    @property
    def _room(self) -> LiveRoom:
        if self._live is None:
            raise Refused(NOT_HERE)
        return self._live

    def _check_teacher(self) -> LiveRoom:
        if not self._room.room.is_teacher(self._key):
            raise Refused(NOT_TEACHER)
        return self._room

    def _check_in_no_room(self) -> None:
        if self._live:
            raise Refused("This page is in a room already.")

    def _check_not_closed(self) -> None:
        """Raise Refused if the socket was closed meanwhile; its seat would be kept for nobody."""
        if self._closed:
            raise Refused(LEFT)

    # ---- entering -----------------------------------------------------------------------------

    async def _attempt[T](self, attempt: Callable[[], T]) -> T:
        """Try a password or a code; each wrong one from an address makes the next one slower."""
        pause = ATTEMPTS.wait(self._address)
        if pause is None:
            raise Refused("Too many wrong passwords or codes from this network: wait a moment.")
        found: T | None = None
        try:
            await asyncio.sleep(pause)
            found = attempt()
            return found
        finally:
            ATTEMPTS.end(self._address, found is not None)

    async def _teach(self, message: m.Teach) -> None:
        def right() -> bool:
            if not TEACHER_PASSWORD.opens(message.password):
                raise Refused("This is not the teacher's password.")
            return True

        self.may_open = await self._attempt(right)
        self._send_message(MAY_OPEN)

    async def _open_room(self, message: m.OpenRoom) -> None:
        await self._open_under(message.code, lambda room: None)

    async def _reopen(self, message: m.Reopen) -> None:
        self._check_may_open()
        saved = from_file(message.room)
        await self._open_under(saved.code, lambda room: reopen(room, saved))

    def _check_may_open(self) -> None:
        if not self.may_open:
            raise Refused("Only who knows the teacher's password can open a room.")
        self._check_in_no_room()

    async def _open_under(self, code: str, fill: Callable[[Room], None]) -> None:
        self._check_may_open()
        visit = self._visit
        await asyncio.to_thread(visit.set_up)
        self._check_not_closed()
        live = await class_rooms.open_room(code, fill, visit)
        if self._closed:  # nobody else has the teacher's key
            class_rooms.close(live)
        self._check_not_closed()
        self._take_seat(live, live.room.teacher_key, live.connect_teacher(visit))

    async def _join(self, message: m.Join) -> None:
        self._check_in_no_room()
        live = await self._find(message.code)
        if isinstance(live, RemoteRoom):
            student = await live.join(message.name)
            if self._closed:
                live.receive(student.key, m.Leave())
            self._check_not_closed()
        else:
            student = live.room.join(message.name)
        self._take_seat(live, student.key, live.connect(student, self._visit))

    async def _find(self, code: str) -> LiveRoom:
        await class_rooms.fetch_from_elsewhere(code)
        live = await self._attempt(lambda: class_rooms.find(code))
        self._check_not_closed()
        return live

    async def _enter(self, message: m.Enter) -> None:
        self._check_in_no_room()
        try:
            live = await self._find(message.code)
        except Refused:
            if TEACHER_PASSWORD.opens(message.key):  # a teacher names the room that is to be opened
                self.may_open = True
                self._send_message(MAY_OPEN)
            else:
                self._send_message({"gone": ENDED, "again": True})
            return
        student = live.room.student(message.key)
        if live.room.is_teacher(message.key):
            await self._enter_as_teacher(live, message.key)
        elif student:
            self._take_seat(live, message.key, live.connect(student, self._visit))
        else:
            self._send_message({"gone": NO_KEY})

    async def _enter_as_teacher(self, live: LiveRoom, key: str) -> None:
        visit = self._visit
        if live.run:
            visit.adopt(live.run)
        await asyncio.to_thread(visit.set_up)
        if isinstance(live, RemoteRoom):
            live = await class_rooms.take_over(live, visit)
        self._check_not_closed()
        if visit.run is not live.run:  # this page has a run of its own already
            self._send_message({"teach": key})
            return
        self._take_seat(live, key, live.connect_teacher(visit))

    def _take_seat(self, live: LiveRoom, key: str, seat: Seat | TeacherSeat) -> None:
        self._live, self._key, self._seat = live, key, seat
        class_rooms.enter(live, self)
        self._send_message({"key": key, "code": live.room.code})
        if isinstance(seat, TeacherSeat):
            self._send_message({"lessons": lessons()})
        self.update()

    # ---- of a teacher --------------------------------------------------------------------------

    async def _want_wall(self, message: m.Wall) -> None:
        live = self._check_teacher()
        self.wants_wall = message.on
        if message.on:
            self.send(msgspec.json.encode({"wall": live.wall()}).decode(), "wall")

    async def _results(self, message: m.Results) -> None:
        live = self._check_teacher()
        room = live.room
        if message.kind == "hand-ins":
            packed, missing = await live.hand_ins()
            self._send_message(
                {"file": f"hand-ins-{room.code}.zip", "base64": b64encode(packed).decode()}
            )
            if missing:
                self._send_message(
                    {"refused": f"Not in it, as their pages are not here: {missing}."}
                )
            return
        texts = {"json": as_json, "csv": as_csv, "room": as_file}
        suffix = {"room": "room.json"}.get(message.kind, message.kind)
        self._send_message(
            {"file": f"class-{room.code}.{suffix}", "text": texts[message.kind](room)}
        )

    async def _code(self, message: m.Code) -> None:
        self._check_teacher()
        try:
            rows = segno.make(message.address, error="m", micro=False).matrix
        except (ValueError, UnicodeError):
            raise Refused("This address is too long for a QR code.") from None
        self._send_message({"qr": ["".join(map(str, row)) for row in rows]})

    # ---- what is sent to it --------------------------------------------------------------------

    def update(self) -> None:
        """Send the page what it may see of its room, if that has changed."""
        live = self._live
        if live is None:
            return
        student: Participant | None = live.room.student(self._key)
        if live.room.is_teacher(self._key):
            self._show(live.teacher_sees())
        elif student:
            self._show(live.student_sees(student))
        else:
            self.put_out("You are not in the room any more.")

    def _show(self, view: object) -> None:
        text = msgspec.json.encode({"room": view}).decode()
        if text != self._view:
            self.send(text, "room")
            self._view = text  # if it could not be sent, the next update sends it

    def send(self, text: str, state: str = "") -> None:
        """Send text; if it tells a state, in place of what waits to tell an earlier one."""
        self._send(text, state)

    def _send_message(self, message: object) -> None:
        self.send(msgspec.json.encode(message).decode())

    # ---- the end -------------------------------------------------------------------------------

    def move(self, live: LiveRoom) -> None:
        """Connect the page to this process's room, which has replaced a copy of another's."""
        student = live.room.student(self._key)
        if student:
            self._live, self._seat = live, live.connect(student, self._visit)

    def put_out(self, reason: str) -> None:
        """Take the page out of its room."""
        if self._live:
            class_rooms.leave(self._live, self)
        self._live, self._seat, self._key, self._view = None, None, "", ""
        self.wants_wall = False
        self._send_message({"gone": reason})

    def disconnect(self) -> None:
        """The socket is closed: leave the room, to which the page may reconnect."""
        self._closed = True
        live, seat = self._live, self._seat
        if live is None:
            return
        class_rooms.leave(live, self)
        self._live = None
        if isinstance(seat, Seat):
            live.disconnect(seat)
        elif seat:
            live.disconnect_teacher(seat)

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
    """The lessons for a teacher's menus, with their questions."""
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

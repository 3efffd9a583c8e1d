"""A room of another process, for the students who are connected to this one.

It is a copy, to which messages from here that are not acknowledged yet are applied already: whoever
votes sees the vote at once, also while the other process cannot be reached. Each second they are
sent again.
"""

import asyncio
import itertools
import time
from collections.abc import Callable

import msgspec

from app.classroom import messages as m
from app.classroom.participant import Participant, new_key
from app.classroom.refused import Refused
from app.classroom.relayed import (
    FromRoom,
    JoinRequest,
    Notes,
    RelayedMessage,
    Report,
    StudentMessage,
    ToRoom,
)
from app.classroom.room import Room
from app.classroom.saved import SavedRoom, restore
from app.classroom.views import StudentSees
from app.panels.classroom.live_room import LiveRoom
from app.panels.classroom.run_mirrors import RunMirrors
from app.panels.classroom.seat import Seat
from app.panels.classroom.shared_room import channel
from app.server.exchange import ME, Exchange
from app.server.session import Visit
from app.server.shown_run import ShownRun, WatchedRun

SILENT = 4.0  # seconds without a message, after which the room's process is lost
PATIENCE = 5.0  # seconds for the answer to a request to join
NUMBERS = itertools.count(1)


class RemoteRoom(LiveRoom):
    """A copy of a room, for the pages of this process."""

    def __init__(
        self, room: Room, exchange: Exchange, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(room)
        self._exchange, self._clock = exchange, clock
        self._state: FromRoom | None = None
        self.received_at = clock()  # when its process sent its last message
        self.unacknowledged: dict[int, RelayedMessage] = {}
        self._waiting: dict[int, asyncio.Future[None]] = {}  # for the answer
        self.mirrors: RunMirrors = RunMirrors(room.code, exchange, self._run_that_is_here)
        exchange.subscribe(channel(room.code, "of"), self._receive)
        exchange.subscribe(channel(room.code, "of run"), self._receive_request)

    def _run_that_is_here(self, who: str) -> ShownRun | None:
        return self.run_here(who) if who else None

    @property
    def last_received(self) -> SavedRoom | None:
        """The room as it was received last."""
        return self._state.room if self._state else None

    @property
    def lost(self) -> bool:
        """Whether the room's process cannot be reached."""
        return self._exchange.lost or self._clock() - self.received_at > SILENT

    # ---- messages of the room's process ---------------------------------------------------------

    def _receive(self, raw: bytes) -> None:
        try:
            state = msgspec.json.decode(raw, type=FromRoom)
        except ValueError:
            return
        self._state, self.received_at = state, self._clock()
        handled = state.handled.get(ME, 0)
        for number in [number for number in self.unacknowledged if number <= handled]:
            del self.unacknowledged[number]
            self._answer(number, state.refused.get(ME, {}).get(number, ""))
        if state.closed:
            self.room.closed = True  # its pages are informed at the next second
            return
        self._copy(state)
        self._serve()
        self.update()

    def _copy(self, state: FromRoom) -> None:
        """Bring the copy up to date, and apply again what is not acknowledged yet."""
        restore(self.room, state.room)
        for student in state.room.students:
            known = self.room.students[student.number]
            known.elsewhere = max(0, int(student.here) - known.pages)
        self.do_again()

    def do_again(self) -> None:
        """Apply the messages of pages here that are not acknowledged yet."""
        for relayed in self.unacknowledged.values():
            if isinstance(relayed.content, StudentMessage):
                self._do(relayed.key, relayed.content)

    def _do(self, key: str, sent: StudentMessage) -> None:
        try:
            self.room.receive(key, sent.message)
        except Refused:
            return  # the room's process will refuse it, too

    def _answer(self, number: int, refusal: str) -> None:
        waiting = self._waiting.pop(number, None)
        if waiting and not waiting.done():
            if refusal:
                waiting.set_exception(Refused(refusal))
            else:
                waiting.set_result(None)

    def _receive_request(self, raw: bytes) -> None:
        try:
            message = msgspec.json.decode(raw, type=ToRoom)
        except ValueError:
            return
        if message.wanted:
            self.mirrors.answer(message.wanted.run)

    # ---- messages of pages here -----------------------------------------------------------------

    async def join(self, name: str) -> Participant:
        """A new student, as the room's process decides."""
        key = new_key()
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        number = self._post(key, JoinRequest(name), waiting)
        try:
            await asyncio.wait_for(waiting, PATIENCE)
        except TimeoutError:
            self.unacknowledged.pop(number, None)
            self._waiting.pop(number, None)
            raise Refused("The process of this room does not answer: try again.") from None
        student = self.room.student(key)
        if student is None:
            raise Refused("The process of this room does not answer: try again.")
        return student

    def receive(self, key: str, message: m.Message) -> None:
        """Apply a student's message here, and send it to the room's process."""
        if not isinstance(message, m.STUDENTS):
            raise Refused("Only the teacher can do this.")
        if isinstance(message, m.TakeWheel) and self.lost:
            raise Refused("The teacher's server is out of reach: try again once it is back.")
        asked, question = len(self.room.asked), self.room.question
        sent = StudentMessage(message, asked, question.phase if question else None)
        super().receive(key, message)
        self._post(key, sent)

    def _post(
        self,
        key: str,
        content: JoinRequest | StudentMessage,
        waiting: asyncio.Future[None] | None = None,
    ) -> int:
        relayed = RelayedMessage(ME, next(NUMBERS), key, content)
        self.unacknowledged[relayed.number] = relayed
        if waiting:
            self._waiting[relayed.number] = waiting
        self._send(ToRoom(relayed=relayed))
        return relayed.number

    def _send(self, message: ToRoom) -> None:
        self._exchange.publish(channel(self.room.code, "to"), msgspec.json.encode(message))

    # ---- each second ----------------------------------------------------------------------------

    def rest(self) -> None:
        """Report who is connected, and resend what is not acknowledged."""
        tiles = self.tiles()
        here = {x.number: x for x in self.room.students.values() if x.pages}
        notes = {
            number: Notes(
                student.lessons, student.best, next(reversed(student.trials.values()), None)
            )
            for number, student in here.items()
        }
        pages = {number: student.pages for number, student in here.items()}
        order = self.room.order.number
        report = Report(ME, pages, dict(tiles), notes, self.mirrors.requested, order)
        self._send(ToRoom(report=report))
        for relayed in list(self.unacknowledged.values()):
            self._send(ToRoom(relayed=relayed))
        self._serve()

    def _serve(self) -> None:
        """Publish a run of this process, if other processes show it."""
        watched = self.room.shown or self.room.looked_at
        self.mirrors.serve(watched if self.run_here(watched) else None, frozenset())

    @property
    def deserted(self) -> bool:
        """Whether no page of this process is in the room any more."""
        return not any(seat.connected for seat in self.seats) and not self._waiting

    # ---- what is seen ---------------------------------------------------------------------------

    def _guide_run(self) -> None:
        """Do nothing: the run is in another process."""

    def _run_of_teacher(self) -> WatchedRun | None:
        return self.mirrors.of("")

    @property
    def teacher_here(self) -> bool:
        """Whether a page of the teacher's is connected, to the other process."""
        return self._state.teacher_here if self._state else False

    @property
    def truth(self) -> list[tuple[int, float]]:
        """How the loss went where the class drew it."""
        return self._state.truth if self._state else []

    def student_sees(self, student: Participant) -> StudentSees:
        """What a student sees of the room, and whether it is outdated."""
        return msgspec.structs.replace(super().student_sees(student), lost=self.lost)

    def connect(self, student: Participant, visit: Visit) -> Seat:
        """Connect a student's page."""
        seat = super().connect(student, visit)
        self.rest()
        return seat

    def disconnect_room(self) -> None:
        """Stop sending and receiving."""
        self._exchange.unsubscribe(channel(self.room.code, "of"))
        self._exchange.unsubscribe(channel(self.room.code, "of run"))
        self.mirrors.end()

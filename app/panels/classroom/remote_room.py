"""A room of another process, and the students whose pages are with this one.

It is a copy, in which what was said here and not answered yet is done already: whoever votes sees
the vote at once, also while the other process cannot be reached. It is said again each second.
"""

import asyncio
import itertools
import time
from collections.abc import Callable

import msgspec

from app.classroom import messages as m
from app.classroom.participant import Participant, new_key
from app.classroom.refused import Refused
from app.classroom.relayed import FromRoom, Joins, Letter, Notes, Report, Says, ToRoom
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

SILENT = 4.0  # seconds without a word, after which the room's process is lost
PATIENCE = 5.0  # seconds for the answer to a request to join
LETTERS = itertools.count(1)


class RemoteRoom(LiveRoom):
    """The copy of a room, with the pages of this process."""

    def __init__(
        self, room: Room, exchange: Exchange, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(room)
        self._exchange, self._clock = exchange, clock
        self._told: FromRoom | None = None
        self.heard_at = clock()  # when its process was heard last
        self.unanswered: dict[int, Letter] = {}  # that are not answered yet
        self._waiting: dict[int, asyncio.Future[None]] = {}  # for the answer
        self.mirrors: RunMirrors = RunMirrors(room.code, exchange, self._run_that_is_here)
        exchange.listen(channel(room.code, "of"), self._hear)
        exchange.listen(channel(room.code, "of run"), self._hear_wanted)

    def _run_that_is_here(self, who: str) -> ShownRun | None:
        return self.run_here(who) if who else None

    @property
    def told(self) -> SavedRoom | None:
        """The room as it was received last."""
        return self._told.room if self._told else None

    @property
    def lost(self) -> bool:
        """Whether the room's process cannot be reached."""
        return self._exchange.lost or self._clock() - self.heard_at > SILENT

    # ---- messages of the room's process ---------------------------------------------------------

    def _hear(self, told: bytes) -> None:
        try:
            heard = msgspec.json.decode(told, type=FromRoom)
        except ValueError:
            return
        self._told, self.heard_at = heard, self._clock()
        dealt_with = heard.heard.get(ME, 0)
        for number in [number for number in self.unanswered if number <= dealt_with]:
            del self.unanswered[number]
            self._answer(number, heard.refused.get(ME, {}).get(number, ""))
        if heard.closed:
            self.room.closed = True  # its pages are informed at the next second
            return
        self._copy(heard)
        self._serve()
        self.update()

    def _copy(self, heard: FromRoom) -> None:
        """Bring the copy up to date, and do again what is not answered yet."""
        restore(self.room, heard.room)
        for student in heard.room.students:
            known = self.room.students[student.number]
            known.elsewhere = max(0, int(student.here) - known.pages)
        self.do_again()

    def do_again(self) -> None:
        """Apply the messages of pages here that are not answered yet."""
        for letter in self.unanswered.values():
            if isinstance(letter.content, Says):
                self._do(letter.key, letter.content)

    def _do(self, key: str, said: Says) -> None:
        try:
            self.room.hear(key, said.message)
        except Refused:
            return  # its process will refuse it, too

    def _answer(self, number: int, refusal: str) -> None:
        waiting = self._waiting.pop(number, None)
        if waiting and not waiting.done():
            if refusal:
                waiting.set_exception(Refused(refusal))
            else:
                waiting.set_result(None)

    def _hear_wanted(self, told: bytes) -> None:
        try:
            message = msgspec.json.decode(told, type=ToRoom)
        except ValueError:
            return
        if message.wanted:
            self.mirrors.answer(message.wanted.run)

    # ---- messages of pages here -----------------------------------------------------------------

    async def join(self, name: str) -> Participant:
        """A new student, as the room's process decides."""
        key = new_key()
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        number = self._post(key, Joins(name), waiting)
        try:
            await asyncio.wait_for(waiting, PATIENCE)
        except TimeoutError:
            self.unanswered.pop(number, None)
            self._waiting.pop(number, None)
            raise Refused("The process of this room does not answer: try again.") from None
        student = self.room.student(key)
        if student is None:
            raise Refused("The process of this room does not answer: try again.")
        return student

    def hear(self, key: str, message: m.Message) -> None:
        """Apply a student's message here, and send it to the room's process."""
        if not isinstance(message, m.STUDENTS):
            raise Refused("Only the teacher can do this.")
        if isinstance(message, m.TakeWheel) and self.lost:
            raise Refused("The teacher's server is out of reach: try again once it is back.")
        asked, question = len(self.room.asked), self.room.question
        said = Says(message, asked, question.phase if question else None)
        super().hear(key, message)
        self._post(key, said)

    def _post(
        self, key: str, content: Joins | Says, waiting: asyncio.Future[None] | None = None
    ) -> int:
        letter = Letter(ME, next(LETTERS), key, content)
        self.unanswered[letter.number] = letter
        if waiting:
            self._waiting[letter.number] = waiting
        self._send(ToRoom(letter=letter))
        return letter.number

    def _send(self, message: ToRoom) -> None:
        self._exchange.tell(channel(self.room.code, "to"), msgspec.json.encode(message))

    # ---- each second ----------------------------------------------------------------------------

    def rest(self) -> None:
        """Say who is here, and again what is not answered; the run is another process's."""
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
        report = Report(ME, pages, dict(tiles), notes, self.mirrors.looks, order)
        self._send(ToRoom(report=report))
        for letter in list(self.unanswered.values()):
            self._send(ToRoom(letter=letter))
        self._serve()

    def _serve(self) -> None:
        """Tell others of a run that is here, if they see it."""
        watched = self.room.shown or self.room.looked_at
        self.mirrors.serve(watched if self.run_here(watched) else None, frozenset())

    @property
    def deserted(self) -> bool:
        """Whether no page here is in the room any more."""
        return not any(seat.here for seat in self.seats) and not self._waiting

    # ---- what is seen ---------------------------------------------------------------------------

    def _guide_run(self) -> None:
        """The run is another process's."""

    def _run_of_teacher(self) -> WatchedRun | None:
        return self.mirrors.of("")

    @property
    def teacher_here(self) -> bool:
        """Whether a page of the teacher's is connected, to the other process."""
        return self._told.teacher_here if self._told else False

    @property
    def truth(self) -> list[tuple[int, float]]:
        """How the loss went where the class drew it."""
        return self._told.truth if self._told else []

    def student_sees(self, student: Participant) -> StudentSees:
        """What a student sees of the room, and whether that is old."""
        return msgspec.structs.replace(super().student_sees(student), lost=self.lost)

    def seat(self, student: Participant, visit: Visit) -> Seat:
        """A student's page has come."""
        seat = super().seat(student, visit)
        self.rest()
        return seat

    def part(self) -> None:
        """Send and receive nothing more."""
        self._exchange.ignore(channel(self.room.code, "of"))
        self._exchange.ignore(channel(self.room.code, "of run"))
        self.mirrors.end()

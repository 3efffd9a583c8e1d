"""A room with its pages and runs: after each change every page is brought in line with the room.

All of this happens on the thread of the event loop. Runs are steered by commands.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping

from app.classroom import messages as m
from app.classroom.participant import Participant
from app.classroom.refused import Refused
from app.classroom.room import Room
from app.classroom.tiles import Tile, axes_of, curve_between, note, order_of, tile_of, trials_of
from app.classroom.views import StudentSees, TeacherSees, student_sees, teacher_sees
from app.panels.classroom.run_mirrors import RunMirrors
from app.panels.classroom.seat import Seat, TeacherSeat
from app.server.mirrored_run import packed_run
from app.server.session import Visit
from app.server.shown_run import HOSTED, ShownRun, WatchedRun
from engine import HandIn, Pause, Play, Snapshot, Status, archive, hand_in

PATIENCE = 2.0  # seconds within which the engine returns the run's state


NOTHING = "Nobody here has answered a lesson or pinned a run yet."
EMPTY = 60  # seconds without anybody, after which the run is paused
NEWER = sys.maxsize  # than any version: asks for the next snapshot


def _ignore_snapshot(snapshot: Snapshot, version: int) -> None:
    """Ignore the snapshot: only that one is published matters."""


class LiveRoom:
    """A room, the run that its class watches, and the pages that are connected.

    Without a run, it is that of another process (remote_room.py).
    """

    def __init__(self, room: Room, run: ShownRun | None = None) -> None:
        self.room, self.run = room, run
        self.seats: dict[Seat, Participant] = {}
        self.teachers: set[TeacherSeat] = set()
        self.changed: Callable[[], None] = lambda: None
        self.mirrors: RunMirrors | None = None  # mirrors of runs in other processes
        self.tiles_elsewhere: Mapping[str, Tile] = {}  # ... and their tiles on the wall
        self._packed = b""  # the class's run as it was last requested, packed
        self._empty = 0  # seconds for which nobody has been connected
        self._predicting = False  # whether the run waits for predictions
        self._resumes = False  # ... and was running before
        room.packed_run = lambda: self._packed
        if run:
            room.axes = lambda steps: axes_of(run.handle.latest, steps)
            run.host(True)
            HOSTED[room.teacher_key] = run

    async def prepare(self, message: m.Message) -> None:
        """Request the state that a message needs; the engine answers between two steps."""
        if isinstance(message, m.GoToState):
            class_run = self.class_run
            if class_run is None:
                raise Refused("There is no run to bring the class to.")
            asked = asyncio.shield(asyncio.wrap_future(class_run.transfer()))
            try:
                transfer = await asyncio.wait_for(asked, PATIENCE)
            except (TimeoutError, asyncio.CancelledError):
                raise Refused("The run is busy: try again in a moment.") from None
            self._packed = await asyncio.to_thread(packed_run, transfer)

    # ---- connections ---------------------------------------------------------------------------

    def connect(self, student: Participant, visit: Visit) -> Seat:
        """Connect a student's page."""
        self.seats = {x: y for x, y in self.seats.items() if x.visit is not visit}
        seat = Seat(self.room, student, visit)
        self.seats[seat] = student
        self.room.page_opened(student)
        self.update()
        return seat

    def disconnect(self, seat: Seat) -> None:
        """Note that a student's page has lost its connection; it may reconnect."""
        if seat.connected:
            seat.connected = False
            self.room.page_closed(seat.student)
            self.update()

    def connect_teacher(self, visit: Visit) -> TeacherSeat:
        """Connect a page of the teacher's."""
        self.teachers = {x for x in self.teachers if x.visit is not visit}
        seat = TeacherSeat(self.room, visit)
        self.teachers.add(seat)
        self.update()
        return seat

    def disconnect_teacher(self, seat: TeacherSeat) -> None:
        """Note that a page of the teacher's has lost its connection; the class's run goes on."""
        seat.connected = False
        self.update()

    # ---- messages ------------------------------------------------------------------------------

    def receive(self, key: str, message: m.Message) -> None:
        """Apply a message; Refused says why not."""
        student = self.room.student(key)
        suggestion = student.suggestion if student else None
        self.room.receive(key, message)
        if isinstance(message, m.Settle) and message.accept and suggestion:
            for seat in self._seats_of(student):
                seat.accept(suggestion)
        self.update()

    def _seats_of(self, student: Participant | None) -> list[Seat]:
        return [seat for seat, who in self.seats.items() if who is student]

    def update(self) -> None:
        """Bring all pages in line with the room."""
        self._forget_the_left()
        for seat in self.seats:
            seat.follow(self.class_run)
        looked_at = self._run_of(self.room.looked_at)
        for teacher in self.teachers:
            teacher.follow(looked_at)
        self._guide_run()
        self.changed()

    def rest(self) -> None:
        """Pause the run once the room has been empty for a minute; called once a second."""
        pages: list[Seat | TeacherSeat] = [*self.seats, *self.teachers]
        here = any(seat.connected for seat in pages) or bool(self.room.present)
        self._empty = 0 if here else self._empty + 1
        if self._empty == EMPTY and self.run:
            self.run.handle.send(Pause())

    def _forget_the_left(self) -> None:
        """Give removed students their own page back, and drop closed pages."""
        self.teachers = {seat for seat in self.teachers if not seat.visit.over}
        for seat, student in list(self.seats.items()):
            removed = self.room.students.get(student.number) is not student
            if removed or seat.visit.over:
                del self.seats[seat]
                seat.visit.stop_watching(self, None)
                if not seat.visit.over:
                    seat.leave()

    def _guide_run(self) -> None:
        """Pause the run while the class predicts, and resume it afterwards."""
        if self.run is None:
            return
        holds, handle = self.room.holds, self.run.handle
        handle.wait(self, NEWER, _ignore_snapshot)  # an unwatched run publishes nothing
        if holds and not self._predicting:
            self._resumes = handle.latest.status is Status.RUNNING
            handle.send(Pause())
        elif self._predicting and not holds and (self.room.question or self._resumes):
            handle.send(Play())
        self._predicting = holds

    # ---- runs ----------------------------------------------------------------------------------

    @property
    def plays(self) -> bool:
        """Whether the class's run is running, or will be once the question is closed."""
        if self._predicting:
            return self._resumes
        return self.run is not None and self.run.handle.latest.status is Status.RUNNING

    @property
    def class_run(self) -> WatchedRun | None:
        """The run that the class sees; None until its first snapshot."""
        return self._run_of(self.room.shown) or self._run_of_teacher()

    def _run_of_teacher(self) -> WatchedRun | None:
        return self.run

    def _run_of(self, number: str | None) -> WatchedRun | None:
        """A student's own run, if there is one and a page of the student is connected."""
        student = self.room.students.get(number or "")
        if student is None:
            return None
        here = self.run_here(student.number)
        if here or not (self.mirrors and student.elsewhere):
            return here
        return self.mirrors.of(student.number)

    def run_here(self, number: str | None) -> ShownRun | None:
        """The run of a student whose page is with this process."""
        student = self.room.students.get(number or "")
        seats = self._seats_of(student) if student else []
        return next((seat.visit.run for seat in seats if seat.visit.is_set_up), None)

    def tiles(self) -> Mapping[str, Tile]:
        """The tiles of all who work on their own, by number, also after their pages have closed."""
        tiles = dict(self.tiles_elsewhere)
        for seat, student in self.seats.items():
            if student.admitted and seat.works:
                handle = seat.visit.handle
                # The run of a hidden page publishes nothing unless somebody waits.
                handle.wait(self, NEWER, _ignore_snapshot)
                snapshot = handle.latest
                tiles[student.number] = tile_of(snapshot)
                note(student, snapshot)
        return tiles

    def wall(self) -> dict[str, object]:
        """What the teacher's wall shows."""
        tiles = self.tiles()
        here = self.room.present
        here.sort(key=lambda student: order_of(tiles.get(student.number), student.hand))
        return {
            "tiles": [
                {"number": x.number, "name": x.name, "tile": tiles.get(x.number)} for x in here
            ],
            "trials": trials_of(here),
        }

    async def hand_ins(self) -> tuple[bytes, str]:
        """All students' hand-ins as one archive, and who is connected to another process."""
        made: dict[str, HandIn] = {}
        for seat, student in self.seats.items():
            if student.admitted and not seat.visit.over:
                pinned = asyncio.wrap_future(seat.visit.own_pinned())
                try:
                    runs = await asyncio.wait_for(pinned, PATIENCE)
                except (TimeoutError, asyncio.CancelledError):
                    raise Refused("The runs are busy: try again in a moment.") from None
                made[student.name] = hand_in(student.name, seat.visit.answers, runs)
        if not any(one.answers or one.runs for one in made.values()):
            raise Refused(NOTHING)
        missing = [x.name for x in self.room.students.values() if x.name not in made]
        return archive(made), ", ".join(missing)

    # ---- what pages are sent -------------------------------------------------------------------

    def student_sees(self, student: Participant) -> StudentSees:
        """What a student sees of the room."""
        return student_sees(self.room, student, self.teacher_here, self.truth)

    @property
    def teacher_here(self) -> bool:
        """Whether a page of the teacher's is connected."""
        return any(seat.connected for seat in self.teachers)

    def teacher_sees(self) -> TeacherSees:
        """What the teacher sees of it."""
        return teacher_sees(self.room, self.truth)

    @property
    def truth(self) -> list[tuple[int, float]]:
        """The true loss curve beside those that the class drew."""
        question = self.room.question
        if self.run is None or question is None or question.axes is None or question.holds:
            return []
        axes = question.axes
        return curve_between(self.run.handle.latest.curves, axes.step, axes.step + axes.steps)

    def end(self) -> None:
        """Close the room: give all pages back, and keep nothing."""
        self.room.closed = True
        self.room.students.clear()
        for seat in self.seats:
            seat.visit.stop_watching(self, None)
            seat.leave()
        for teacher in self.teachers:
            teacher.leave()
        self.seats.clear()
        self.teachers.clear()
        if self.run:
            HOSTED.pop(self.room.teacher_key, None)
            self.run.handle.forget(self)
            self.run.host(False)

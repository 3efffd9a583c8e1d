"""A room of this process that other processes show, too: it sends state and receives messages.

Only the process with the teacher's run changes the room. It applies a message that arrives twice
once, and counts an answer that arrives late for the question to which it was given.
"""

import asyncio
import time
from collections.abc import Callable, Mapping

import msgspec

from app.classroom.participant import Participant
from app.classroom.refused import Refused
from app.classroom.relayed import (
    FromRoom,
    JoinRequest,
    Notes,
    RelayedMessage,
    Report,
    StoredRun,
    StudentMessage,
    ToRoom,
)
from app.classroom.room import Room
from app.classroom.saved import SavedRoom, save
from app.classroom.tiles import Tile
from app.panels.classroom.live_room import LiveRoom
from app.panels.classroom.run_mirrors import RunMirrors
from app.server.exchange import Exchange
from app.server.mirrored_run import packed_run
from app.server.shown_run import ShownRun

SILENT = 5.0  # seconds without a report, after which a process counts as lost
STORED_EVERY = 5.0  # seconds between two copies of the run
PER_SECOND = 1e6  # bytes of such copies, if they are large
REFUSALS = 50  # that are kept for each process, to be sent again


def channel(code: str, what: str) -> str:
    """The name of the channel for one kind of message about a room."""
    return f"babysit:{code}:{what}"


class SharedRoom:
    """A room of this process, with students who are connected to other processes."""

    def __init__(
        self, live: LiveRoom, exchange: Exchange, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.live, self._exchange, self._clock = live, exchange, clock
        self._code = live.room.code
        self._reports: dict[str, tuple[Report, float]] = {}
        self._handled: dict[str, int] = {}
        self.refused: dict[str, dict[int, str]] = {}
        self.taken_over = False  # by another process, while this one did not respond
        self._tasks: set[asyncio.Task[None]] = set()
        self._storing = asyncio.Lock()
        self._kept: tuple[object, ...] = ()  # the state of the run when it was last copied
        self._store_at = 0.0
        self._mirrors = live.mirrors = RunMirrors(self._code, exchange, self._run_here)
        exchange.subscribe(channel(self._code, "to"), self._receive)

    @property
    def _room(self) -> Room:
        return self.live.room

    def _run_here(self, who: str) -> ShownRun | None:
        return self.live.run_here(who) if who else self.live.run

    # ---- messages of other processes ----------------------------------------------------------

    def _receive(self, raw: bytes) -> None:
        try:
            message = msgspec.json.decode(raw, type=ToRoom)
        except ValueError:
            return
        if message.relayed:
            self._handle(message.relayed)
        if message.report:
            self._note(message.report)
        if message.wanted:
            self._mirrors.answer(message.wanted.run)

    def _handle(self, relayed: RelayedMessage) -> None:
        """Apply a message, unless it was applied before, and publish the room."""
        if relayed.number > self._handled.get(relayed.process, 0):
            self._handled[relayed.process] = relayed.number
            try:
                self._act(relayed)
            except Refused as error:
                refused = self.refused.setdefault(relayed.process, {})
                refused[relayed.number] = str(error)
                for number in list(refused)[:-REFUSALS]:
                    del refused[number]
            self.live.update()
        self.publish()

    def _act(self, relayed: RelayedMessage) -> None:
        content = relayed.content
        if isinstance(content, JoinRequest):
            if self._room.student(relayed.key) is None:
                self._room.join(content.name, relayed.key)
        else:
            self._receive_from_student(relayed.key, content)

    def _receive_from_student(self, key: str, sent: StudentMessage) -> None:
        """Apply a student's message; an answer counts if the student's process got it in time."""
        student, question = self._room.student(key), None
        if sent.asked and sent.phase and sent.asked <= len(self._room.asked):
            question = self._room.asked[sent.asked - 1]
        if student and question and sent.phase and question.phase is not sent.phase:
            self._room.answer_late(student, question, sent.phase, sent.message)
        else:
            self._room.receive(key, sent.message)

    def _note(self, report: Report) -> None:
        self._reports[report.process] = report, self._clock()
        for number, notes in report.notes.items():
            if student := self._room.students.get(number):
                store_notes(student, notes)
        self._count()
        self._mirrors.serve(self._watched(), self._requested)

    def _count(self) -> None:
        """Record who is connected to a process, and which runs it has."""
        before = [student.elsewhere for student in self._room.students.values()]
        now = self._clock()
        self._reports = {
            name: (report, at)
            for name, (report, at) in self._reports.items()
            if now - at < SILENT or self._exchange.lost
        }
        reports = [report for report, _ in self._reports.values()]
        for student in self._room.students.values():
            student.elsewhere = sum(report.here.get(student.number, 0) for report in reports)
        self.live.tiles_elsewhere = _merged([report.tiles for report in reports])
        if before != [student.elsewhere for student in self._room.students.values()]:
            self.live.update()

    @property
    def _requested(self) -> frozenset[str]:
        reports = [report for report, _ in self._reports.values()]
        return frozenset(name for report in reports for name in report.requested)

    def _watched(self) -> str | None:
        """The run of this process that others show; None if there is none."""
        if not self._reports:
            return None
        shown = self._room.shown or ""
        return shown if self._run_here(shown) else None

    # ---- messages to other processes ----------------------------------------------------------

    def publish(self) -> None:
        """Send the changed room to all processes."""
        orders = self._room.order.number
        known = all(report.order >= orders for report, _ in self._reports.values())
        state = FromRoom(
            _lean(self._room, with_order=not known),
            self._handled,
            self.refused,
            orders,
            self.live.teacher_here,
            list(self.live.truth),
            self._room.closed,
        )
        self._exchange.publish(channel(self._code, "of"), msgspec.json.encode(state))

    def tick(self, seconds: int) -> None:
        """Once a second: renew the claim on the room, store it for so long, and send it again."""
        self._count()
        self._mirrors.serve(self._watched(), self._requested)
        self.publish()
        for work in (self._stay(seconds), self._store_run(seconds)):
            task = asyncio.ensure_future(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _stay(self, seconds: int) -> None:
        self.taken_over = not await self._exchange.claim(self._code)
        if self.taken_over:
            return
        room = msgspec.json.encode(save(self._room))
        await self._exchange.store(self._code, "room", room, seconds)

    async def _store_run(self, seconds: int) -> None:
        """Store a copy of the run every few seconds, from which another process can take over."""
        run = self.live.run
        if run is None or self._storing.locked() or self._clock() < self._store_at:
            return
        async with self._storing:
            now, plays = run.handle.latest, self.live.plays
            stands = now.run, now.step, now.config, plays
            if stands == self._kept or self.taken_over:
                return
            try:
                transfer = await asyncio.shield(asyncio.wrap_future(run.transfer()))
            except asyncio.CancelledError:  # the run has ended
                return
            raw = await asyncio.to_thread(packed_run, transfer)
            kept = msgspec.msgpack.encode(StoredRun(raw, plays))
            await self._exchange.store(self._code, "run", kept, seconds)
            self._kept = stands
            self._store_at = self._clock() + max(STORED_EVERY, len(kept) / PER_SECOND)

    async def end(self) -> None:
        """Close the room for all processes, unless another one has taken it over."""
        self._exchange.unsubscribe(channel(self._code, "to"))
        self._mirrors.end()
        if not self.taken_over:
            self.publish()
            await self._exchange.forget(self._code)


def store_notes(student: Participant, notes: Notes) -> None:
    """Store the notes on a run of another process."""
    student.lessons |= notes.lessons
    if notes.last:
        student.note_trial(notes.last)
    if notes.best:
        student.note_run(*notes.best)


def _merged(tiles: list[dict[str, Tile]]) -> Mapping[str, Tile]:
    return {number: tile for some in tiles for number, tile in some.items()}


def _lean(room: Room, *, with_order: bool) -> SavedRoom:
    """The part of a room that followers need: without results and closed questions."""
    saved = save(room)
    students = [
        msgspec.structs.replace(student, predictions=[], best=None, trials=[])
        for student in saved.students
    ]
    over = [msgspec.structs.replace(x, answers={}) for x in saved.questions[:-1]]
    return msgspec.structs.replace(
        saved,
        students=students,
        questions=[*over, *saved.questions[-1:]],
        order=saved.order if with_order else None,
    )

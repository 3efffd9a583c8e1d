"""Messages between the process of a room and the others: what students send, reports, the room."""

import msgspec

from app.classroom import messages as m
from app.classroom.participant import Trial
from app.classroom.question import Phase
from app.classroom.saved import SavedRoom
from app.classroom.tiles import Tile
from engine import RunConfig


class JoinRequest(msgspec.Struct, frozen=True, tag="join"):
    """A request to join under a nickname; the key was made up where the page is."""

    name: str


class StudentMessage(msgspec.Struct, frozen=True, tag="message"):
    """A student's message; an answer is one to the last question that was known there."""

    message: m.OfStudent
    asked: int  # questions until then
    phase: Phase | None


class RelayedMessage(msgspec.Struct, frozen=True):
    """A message for the room, sent again until it is answered; each has its number."""

    process: str
    number: int
    key: str
    content: JoinRequest | StudentMessage


class Notes(msgspec.Struct, frozen=True):
    """What a student's run has shown, for the room to keep."""

    lessons: dict[str, bool]
    best: tuple[float, RunConfig] | None
    last: Trial | None


class Report(msgspec.Struct, frozen=True):
    """What is with another process, each second."""

    process: str
    here: dict[str, int]  # pages of students, by number
    tiles: dict[str, Tile]
    notes: dict[str, Notes]
    requested: list[str]  # statistics that those who watch request in addition
    order: int  # the number of the last order that is known there


class StoredRun(msgspec.Struct, frozen=True):
    """The class's run, for the process that has to go on with it."""

    run: bytes
    plays: bool  # whether it was running


class Wanted(msgspec.Struct, frozen=True):
    """What it takes to go on with a run: a student's; empty: the teacher's."""

    run: str


class ToRoom(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message to the process of a room; also to any that has the run that is wanted."""

    relayed: RelayedMessage | None = None
    report: Report | None = None
    wanted: Wanted | None = None


class FromRoom(msgspec.Struct, frozen=True, omit_defaults=True):
    """The room as it is, without what only its results need."""

    room: SavedRoom
    handled: dict[str, int]  # the last message of each process that was handled
    refused: dict[str, dict[int, str]]  # ... and why some were not acted on
    orders: int  # their number, also if the last is known and left out
    teacher_here: bool
    truth: list[tuple[int, float]]
    closed: bool = False

"""The messages of a page to its room. A key decides which: a teacher's and a student's differ."""

from typing import Annotated, Literal

import msgspec

MOST_OPTIONS = 6
MOST_SAVED = 2_000_000  # characters of a saved room
MOST_POINTS = 60  # of a curve drawn by hand

type Word = Annotated[str, msgspec.Meta(max_length=40)]
type Line = Annotated[str, msgspec.Meta(max_length=300)]
type Option = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
type Unit = Annotated[float, msgspec.Meta(ge=0, le=1)]
type Steps = Annotated[int, msgspec.Meta(ge=10, le=100_000)]


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do"):
    """A message to a room."""


# ---- of anybody, to the server --------------------------------------------------------------


class Enter(Said, frozen=True, tag="enter"):
    """Come back to a room by its code, with the key that was given."""

    code: Word
    key: Word


class Teach(Said, frozen=True, tag="teach"):
    """Show the word by which rooms are opened."""

    word: Line


class OpenRoom(Said, frozen=True, tag="open"):
    """Open a room, if that word was right; under a code of one's own, or one that is made up."""

    code: Word = ""


class Reopen(Said, frozen=True, tag="reopen"):
    """Open a room that was saved, under its code and with all who were in it."""

    room: Annotated[str, msgspec.Meta(max_length=MOST_SAVED)]


class Join(Said, frozen=True, tag="join"):
    """Join a room by its code, under a nickname."""

    code: Word
    name: Line


class Wall(Said, frozen=True, tag="wall"):
    """See the runs of all students, or not any more: a teacher's."""

    on: bool


class Results(Said, frozen=True, tag="results"):
    """Take the results home: a teacher's."""

    kind: Literal["json", "csv", "room", "hand-ins"]


class Code(Said, frozen=True, tag="code"):
    """A QR code of the address at which students join: a teacher's."""

    address: Annotated[str, msgspec.Meta(max_length=300)]


# ---- of a student -------------------------------------------------------------------------------


class Choose(Said, frozen=True, tag="choose"):
    """Answer the question that is open with one of its options, counted from 0."""

    option: Annotated[int, msgspec.Meta(ge=0, lt=MOST_OPTIONS)]


class Draw(Said, frozen=True, tag="draw"):
    """Answer with a curve: points from left to right, 0 to 1 along each axis."""

    points: Annotated[
        tuple[tuple[Unit, Unit], ...], msgspec.Meta(min_length=2, max_length=MOST_POINTS)
    ]


class TakeWheel(Said, frozen=True, tag="take wheel"):
    """Go on with a run of one's own from the step that the class sees."""


class Follow(Said, frozen=True, tag="follow"):
    """Go back to the run of the class."""


class Hand(Said, frozen=True, tag="hand"):
    """Raise the hand, with one's run attached, or lower it."""

    up: bool


class Settle(Said, frozen=True, tag="settle"):
    """Accept what the teacher suggests, or turn it down."""

    accept: bool


class Leave(Said, frozen=True, tag="leave"):
    """Leave the room for good."""


# ---- of a teacher -------------------------------------------------------------------------------


class Admit(Said, frozen=True, tag="admit"):
    """Let a student in who waits; None: all who wait."""

    who: Word | None = None


class Welcome(Said, frozen=True, tag="welcome"):
    """Let students in at once when they join, or one by one."""

    everybody: bool


class Remove(Said, frozen=True, tag="remove"):
    """Remove a student, whose key opens nothing any more."""

    who: Word


class Ask(Said, frozen=True, tag="ask"):
    """Hold the run and ask what will happen; with no options: to draw the loss of so many steps."""

    question: Line
    options: Annotated[tuple[Option, ...], msgspec.Meta(max_length=MOST_OPTIONS)] = ()
    steps: Steps = 500


class CloseQuestion(Said, frozen=True, tag="close question"):
    """Count the answers, show them, and let the run go on."""


class AskSeen(Said, frozen=True, tag="ask seen"):
    """Ask the same again: what did you see?"""


class DropQuestion(Said, frozen=True, tag="drop question"):
    """Take the question and its answers off all screens."""


class SetMode(Said, frozen=True, tag="mode"):
    """Everybody follows, works freely, or waits."""

    mode: Literal["follow", "free", "pause"]


class GoToLesson(Said, frozen=True, tag="lesson"):
    """Bring everybody to a lesson, on runs of their own."""

    lesson: Word


class GoToState(Said, frozen=True, tag="state"):
    """Bring everybody to the state of the class's run, as runs of their own."""


class Limit(Said, frozen=True, tag="limit"):
    """Students may go as far as this lesson; None: wherever they like."""

    lesson: Word | None = None


class Look(Said, frozen=True, tag="look"):
    """Look at a student's run, which only the teacher sees; None: back to the class's own."""

    who: Word | None = None


class ShowToAll(Said, frozen=True, tag="show"):
    """Show a student's run to everybody who follows; None: that of the teacher again."""

    who: Word | None = None
    named: bool = False


class Suggest(Said, frozen=True, tag="suggest"):
    """Send a student a suggestion; with a setting it can be accepted by a press."""

    who: Word
    words: Line = ""
    path: Word = ""
    value: float | Line = ""


class Point(Said, frozen=True, tag="point"):
    """Point at a plot on a student's page."""

    who: Word
    view: Word


class CloseRoom(Said, frozen=True, tag="close room"):
    """End the lesson: the room and all that is in it are deleted."""


type OfStudent = Choose | Draw | TakeWheel | Follow | Hand | Settle | Leave
type OfTeacher = (
    Admit | Welcome | Remove | Ask | CloseQuestion | AskSeen | DropQuestion | SetMode | GoToLesson
    | GoToState | Limit | Look | ShowToAll | Suggest | Point | CloseRoom
)  # fmt: skip
type Message = OfStudent | OfTeacher
type ToServer = Enter | Teach | OpenRoom | Reopen | Join | Wall | Results | Code
type Request = Message | ToServer

STUDENTS = (Choose, Draw, TakeWheel, Follow, Hand, Settle, Leave)

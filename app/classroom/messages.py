"""The messages of a page to its room. The page's key decides which of them it may send."""

from typing import Annotated, Literal

import msgspec

MOST_OPTIONS = 6
MOST_SAVED = 4_000_000  # characters of a saved room
MOST_POINTS = 60  # of a curve drawn by hand

type ShortText = Annotated[str, msgspec.Meta(max_length=40)]
type Line = Annotated[str, msgspec.Meta(max_length=300)]
type Option = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
type Unit = Annotated[float, msgspec.Meta(ge=0, le=1)]
type Steps = Annotated[int, msgspec.Meta(ge=10, le=100_000)]
type Options = Annotated[tuple[Option, ...], msgspec.Meta(max_length=MOST_OPTIONS)]
type OptionNumber = Annotated[int, msgspec.Meta(ge=0, lt=MOST_OPTIONS)]  # counted from 0
type Points = Annotated[
    tuple[tuple[Unit, Unit], ...], msgspec.Meta(min_length=2, max_length=MOST_POINTS)
]


class ClassMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do"):
    """A message to a room."""


# ---- of anybody, to the server --------------------------------------------------------------


class Enter(ClassMessage, frozen=True, tag="enter"):
    """Return to a room by its code, with the key that the page got there before."""

    code: ShortText
    key: ShortText


class Teach(ClassMessage, frozen=True, tag="teach"):
    """Enter the teacher's password, which allows to open rooms."""

    password: Line


class OpenRoom(ClassMessage, frozen=True, tag="open"):
    """Open a room, once the password was right; under a chosen code, or one that is made up."""

    code: ShortText = ""


class Reopen(ClassMessage, frozen=True, tag="reopen"):
    """Open a room that was saved, under its code and with all who were in it."""

    room: Annotated[str, msgspec.Meta(max_length=MOST_SAVED)]


class Join(ClassMessage, frozen=True, tag="join"):
    """Join a room by its code, under a nickname."""

    code: ShortText
    name: Line


class Wall(ClassMessage, frozen=True, tag="wall"):
    """Show the runs of all students on the teacher's wall, or stop showing them."""

    on: bool


class Results(ClassMessage, frozen=True, tag="results"):
    """Download the results; for a teacher alone."""

    kind: Literal["json", "csv", "room", "hand-ins"]


class Code(ClassMessage, frozen=True, tag="code"):
    """Request a QR code of the address at which students join; for a teacher alone."""

    address: Annotated[str, msgspec.Meta(max_length=300)]


# ---- of a student -------------------------------------------------------------------------------


class Choose(ClassMessage, frozen=True, tag="choose"):
    """Answer the question that is open with one of its options."""

    option: OptionNumber


class Draw(ClassMessage, frozen=True, tag="draw"):
    """Answer with a curve: points from left to right, 0 to 1 along each axis."""

    points: Points


class TakeWheel(ClassMessage, frozen=True, tag="take wheel"):
    """Go on with a run of one's own from the step that the class sees."""


class Follow(ClassMessage, frozen=True, tag="follow"):
    """Go back to the run of the class."""


class Hand(ClassMessage, frozen=True, tag="hand"):
    """Raise the hand, with one's run attached, or lower it."""

    up: bool


class Settle(ClassMessage, frozen=True, tag="settle"):
    """Accept what the teacher suggests, or turn it down."""

    accept: bool


class Leave(ClassMessage, frozen=True, tag="leave"):
    """Leave the room for good."""


# ---- of a teacher -------------------------------------------------------------------------------


class Admit(ClassMessage, frozen=True, tag="admit"):
    """Let a student in who waits; None: all who wait."""

    who: ShortText | None = None


class Welcome(ClassMessage, frozen=True, tag="welcome"):
    """Let students in at once when they join, or one by one."""

    everybody: bool


class Remove(ClassMessage, frozen=True, tag="remove"):
    """Remove a student, whose key opens nothing any more."""

    who: ShortText


class Ask(ClassMessage, frozen=True, tag="ask"):
    """Hold the run and ask what will happen; with no options: to draw the loss of so many steps."""

    question: Line
    options: Options = ()
    steps: Steps = 500


class CloseQuestion(ClassMessage, frozen=True, tag="close question"):
    """Count the answers, show them, and let the run go on."""


class AskSeen(ClassMessage, frozen=True, tag="ask seen"):
    """Ask the same again: what did you see?"""


class DropQuestion(ClassMessage, frozen=True, tag="drop question"):
    """Take the question and its answers off all screens."""


class SetMode(ClassMessage, frozen=True, tag="mode"):
    """Everybody follows, works freely, or waits."""

    mode: Literal["follow", "free", "pause"]


class GoToLesson(ClassMessage, frozen=True, tag="lesson"):
    """Bring everybody to a lesson, on runs of their own."""

    lesson: ShortText


class GoToState(ClassMessage, frozen=True, tag="state"):
    """Bring everybody to the state of the class's run, as runs of their own."""


class Limit(ClassMessage, frozen=True, tag="limit"):
    """Students may go as far as this lesson; None: wherever they like."""

    lesson: ShortText | None = None


class LookAtStudent(ClassMessage, frozen=True, tag="look"):
    """Look at a student's run, which only the teacher sees; None: back to the class's own."""

    who: ShortText | None = None


class ShowToAll(ClassMessage, frozen=True, tag="show"):
    """Show a student's run to everybody who follows; None: that of the teacher again."""

    who: ShortText | None = None
    named: bool = False


class Suggest(ClassMessage, frozen=True, tag="suggest"):
    """Send a student a suggestion; with a setting it can be accepted by a press."""

    who: ShortText
    text: Line = ""
    path: ShortText = ""
    value: float | Line = ""


class Point(ClassMessage, frozen=True, tag="point"):
    """Point at a plot on a student's page."""

    who: ShortText
    view: ShortText


class CloseRoom(ClassMessage, frozen=True, tag="close room"):
    """End the lesson: the room and all that is in it are deleted."""


type OfStudent = Choose | Draw | TakeWheel | Follow | Hand | Settle | Leave
type OfTeacher = (
    Admit | Welcome | Remove | Ask | CloseQuestion | AskSeen | DropQuestion | SetMode | GoToLesson
    | GoToState | Limit | LookAtStudent | ShowToAll | Suggest | Point | CloseRoom
)  # fmt: skip
type Message = OfStudent | OfTeacher
type ToServer = Enter | Teach | OpenRoom | Reopen | Join | Wall | Results | Code
type Request = Message | ToServer

STUDENTS = (Choose, Draw, TakeWheel, Follow, Hand, Settle, Leave)

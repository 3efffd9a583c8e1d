"""A class room as plain values: a teacher's file, and a message between processes.

Without its runs, which are the engine's, and without what only lives while a page is connected.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from app.classroom import messages as m
from app.classroom.nicknames import nickname
from app.classroom.participant import Participant, Prediction, Suggestion, Trial
from app.classroom.question import Axes, Phase, Question
from app.classroom.refused import Refused
from app.classroom.room import Order, Room, check_suggestion
from engine import RunConfig, counted

type Number = Annotated[str, msgspec.Meta(pattern=r"^s[0-9]{1,18}$")]
type Answer = m.OptionNumber | m.Points


class SavedStudent(msgspec.Struct, omit_defaults=True):
    """A student, with the key by which its browser comes back."""

    number: Number
    name: str
    admitted: bool
    key: m.ShortText
    wheel: bool = False
    hand: float | None = None
    suggestion: Suggestion | None = None
    pointed_at: str = ""
    lessons: dict[str, bool] = {}
    predictions: list[Prediction] = []
    best: tuple[float, RunConfig] | None = None
    trials: list[Trial] = []
    here: bool = False  # when it was written


class SavedQuestion(msgspec.Struct, omit_defaults=True):
    """A question with the answers of the class."""

    text: m.Line = msgspec.field(name="words")  # in files that were saved before, too
    options: m.Options
    phase: Phase
    axes: Axes | None = None
    answers: dict[Phase, dict[Number, Answer]] = {}


class SavedRoom(msgspec.Struct, omit_defaults=True):
    """A room; without the teacher's key in a file."""

    code: str
    students: list[SavedStudent] = []
    questions: list[SavedQuestion] = []
    asks: bool = False  # whether the last question is on the screens
    came: int = 0
    everybody_welcome: bool = True
    mode: Literal["follow", "free", "pause"] = "follow"
    limit: str | None = None
    shown: str | None = None
    shown_named: bool = False
    looked_at: str | None = None
    order: Order | None = None
    teacher_key: str = ""
    opened: float = 0.0


def save(room: Room) -> SavedRoom:
    """The room as plain values."""
    return SavedRoom(
        code=room.code,
        students=[_student(student) for student in room.students.values()],
        questions=[_question(question) for question in room.asked],
        asks=room.question is not None,
        came=room.came,
        everybody_welcome=room.everybody_welcome,
        mode=room.mode,
        limit=room.limit,
        shown=room.shown,
        shown_named=room.shown_named,
        looked_at=room.looked_at,
        order=room.order,
        teacher_key=room.teacher_key,
        opened=room.opened,
    )


def as_file(room: Room) -> str:
    """The file by which a teacher opens the room again, also on another server."""
    kept = msgspec.structs.replace(save(room), teacher_key="", order=None)
    return msgspec.json.encode(kept).decode()  # a class of 200 fits in one message


def from_file(text: str | bytes) -> SavedRoom:
    """The room in such a file; Refused says what is wrong with any other."""
    try:
        saved = msgspec.json.decode(text, type=SavedRoom)
    except (ValueError, RecursionError) as error:
        why = str(error)[:100]
        raise Refused(f"This file holds no room that was saved here: {why}.") from None
    numbers = [student.number for student in saved.students]
    keys = [student.key for student in saved.students]
    if len(set(numbers)) < len(numbers) or len(set(keys)) < len(keys) or not all(keys):
        raise Refused("This file holds no room that was saved here: two students share a key.")
    _check(saved)
    return saved


def _check(saved: SavedRoom) -> None:
    """Refuse what no room here can have asked, answered or suggested."""
    try:
        for question in saved.questions:
            _check_question(question)
        for student in saved.students:
            if student.suggestion and student.suggestion.path:
                check_suggestion(student.suggestion.path, student.suggestion.value)
    except Refused as error:
        raise Refused(f"This file holds no room that was saved here: {error}") from None


def _check_question(saved: SavedQuestion) -> None:
    if bool(saved.options) == bool(saved.axes):
        raise Refused("A question has either options or axes.")
    question = _asked(saved)
    for given in saved.answers.values():
        for answer in given.values():
            question.check(answer)


def restore(room: Room, saved: SavedRoom) -> None:
    """Bring a room to what was saved; students who are in it stay the same objects."""
    known = {student.key: student for student in room.students.values()}
    room.students.clear()
    for student in saved.students:
        room.students[student.number] = _restored(student, known.get(student.key))
    room.asked = [_asked(question) for question in saved.questions]
    room.question = room.asked[-1] if saved.asks and room.asked else None
    room.came = max(saved.came, *(_count(student.number) for student in saved.students), 0)
    room.everybody_welcome, room.mode = saved.everybody_welcome, saved.mode
    room.limit = saved.limit if saved.limit in room.lessons else None
    room.shown = saved.shown if saved.shown in room.students else None
    room.looked_at = saved.looked_at if saved.looked_at in room.students else None
    room.shown_named = saved.shown_named
    room.order = saved.order or room.order
    room.changes += 1


def with_results(received: SavedRoom, kept: SavedRoom) -> SavedRoom:
    """A room as it was received last, with the results that only the kept one has."""
    known = {student.key: student for student in kept.students}
    students = [
        msgspec.structs.replace(
            student,
            predictions=known[student.key].predictions,
            best=known[student.key].best,
            trials=known[student.key].trials,
        )
        if student.key in known
        else student
        for student in received.students
    ]
    over = kept.questions[: max(0, len(received.questions) - 1)]
    questions = [*over, *received.questions[len(over) :]]
    order = received.order or kept.order
    return msgspec.structs.replace(received, students=students, questions=questions, order=order)


def reopen(room: Room, saved: SavedRoom) -> None:
    """Restore a room from a teacher's file: everybody follows, until the teacher changes that."""
    if len(saved.students) > room.most:
        students = counted(len(saved.students), "students")
        raise Refused(f"This room has {students}, and here {room.most} fit in.")
    named = _with_clean_names(saved.students)
    restore(
        room,
        msgspec.structs.replace(saved, students=named, order=None, shown=None, looked_at=None),
    )
    room.mode = "follow"
    for student in room.students.values():
        student.wheel, student.hand = False, None


def _with_clean_names(students: Sequence[SavedStudent]) -> list[SavedStudent]:
    """The students under names that everybody can be shown: those of rooms from here stay."""
    found: list[SavedStudent] = []
    for student in students:
        name = nickname(student.name, [other.name for other in found])
        found.append(msgspec.structs.replace(student, name=name))
    return found


def _student(student: Participant) -> SavedStudent:
    return SavedStudent(
        student.number, student.name, student.admitted, student.key, student.wheel, student.hand,
        student.suggestion, student.pointed_at, student.lessons, student.predictions,
        student.best, list(student.trials.values()), student.here,
    )  # fmt: skip


def _restored(saved: SavedStudent, known: Participant | None) -> Participant:
    student = known or Participant(saved.number, saved.name, saved.admitted, saved.key)
    student.number, student.name, student.admitted = saved.number, saved.name, saved.admitted
    student.wheel, student.hand = saved.wheel, saved.hand
    student.suggestion, student.pointed_at = saved.suggestion, saved.pointed_at
    student.lessons, student.predictions = dict(saved.lessons), list(saved.predictions)
    student.best = saved.best
    student.trials.clear()
    for trial in saved.trials:
        student.note_trial(trial)
    return student


def _question(question: Question) -> SavedQuestion:
    answers = {phase: dict(given) for phase, given in question.answers.items()}
    return SavedQuestion(question.text, question.options, question.phase, question.axes, answers)


def _asked(saved: SavedQuestion) -> Question:
    question = Question(saved.text, saved.options, saved.axes)
    question.phase = saved.phase
    for phase, given in saved.answers.items():
        question.restore(phase, given)
    return question


def _count(number: str) -> int:
    """How many students had come with the one of this number."""
    return int(number[1:]) if number[1:].isdecimal() else 0

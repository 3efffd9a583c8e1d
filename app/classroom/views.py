"""What each may see of a room, as plain values for a page."""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from app.classroom.participant import Participant
from app.classroom.question import Answer, Axes, Curve, Phase, Question
from app.classroom.room import Room
from engine import SETTINGS

MOST_CURVES = 60  # drawn curves that are shown at once


class QuestionSeen(msgspec.Struct, omit_defaults=True):
    """A question; tallies only once they are closed."""

    text: str
    options: tuple[str, ...]
    phase: Phase
    answered: int
    of: int
    axes: Axes | None = None
    mine: Answer | None = None  # the student's own answer to what is open
    predicted: Answer | None = None  # ... and its prediction
    before: tuple[int, ...] | None = None  # the tally of the predictions
    after: tuple[int, ...] | None = None  # ... and of what was seen
    curves: tuple[Curve, ...] = ()
    truth: Sequence[tuple[int, float]] = ()  # how the loss went


class SuggestionSeen(msgspec.Struct, omit_defaults=True):
    """A teacher's suggestion."""

    text: str
    setting: str = ""
    value: str = ""


class StudentSees(msgspec.Struct, omit_defaults=True):
    """The room as one student sees it."""

    role: Literal["student"]
    code: str
    name: str
    admitted: bool
    mode: str
    follows: bool
    teacher_here: bool
    shown: str = ""  # whose run the class sees, if not the teacher's
    on_show: bool = False  # whether it is the student's own
    lost: bool = False  # whether all this is old, as the room's process cannot be reached
    hand: bool = False
    limit: str | None = None
    question: QuestionSeen | None = None
    suggestion: SuggestionSeen | None = None


class Row(msgspec.Struct, omit_defaults=True):
    """A student as the teacher sees it."""

    number: str
    name: str
    here: bool
    admitted: bool
    wheel: bool
    hand: float | None = None
    suggested: bool = False
    lessons: int = 0


class TeacherSees(msgspec.Struct, omit_defaults=True):
    """The room as its teacher sees it."""

    role: Literal["teacher"]
    code: str
    mode: str
    students: list[Row]
    everybody_welcome: bool
    limit: str | None = None
    shown: str | None = None
    shown_named: bool = False
    looked_at: str | None = None
    question: QuestionSeen | None = None


type Truth = Sequence[tuple[int, float]]


def student_sees(
    room: Room, student: Participant, teacher_here: bool, truth: Truth = ()
) -> StudentSees:
    """What a student sees."""
    inside = student.admitted
    question = room.question if inside else None
    shown = room.students.get(room.shown or "") if inside else None
    return StudentSees(
        role="student",
        code=room.code,
        name=student.name,
        admitted=inside,
        mode=room.mode,
        follows=room.follows(student),
        teacher_here=teacher_here,
        shown=(shown.name if room.shown_named else "a student") if shown else "",
        on_show=shown is student,
        hand=student.hand is not None,
        limit=room.limit,
        question=_question(room, question, student, truth),
        suggestion=_suggestion(student),
    )


def teacher_sees(room: Room, truth: Truth = ()) -> TeacherSees:
    """What the teacher sees."""
    return TeacherSees(
        role="teacher",
        code=room.code,
        mode=room.mode,
        students=[_row(student) for student in room.students.values()],
        everybody_welcome=room.everybody_welcome,
        limit=room.limit,
        shown=room.shown,
        shown_named=room.shown_named,
        looked_at=room.looked_at,
        question=_question(room, room.question, None, truth),
    )


def _row(student: Participant) -> Row:
    return Row(
        student.number,
        student.name,
        student.here,
        student.admitted,
        student.wheel,
        student.hand,
        student.suggestion is not None,
        len(student.lessons),
    )


def _suggestion(student: Participant) -> SuggestionSeen | None:
    made = student.suggestion
    if made is None:
        return None
    setting = SETTINGS[made.path].label if made.path else ""
    return SuggestionSeen(made.text, setting, str(made.value) if made.path else "")


def _question(
    room: Room, question: Question | None, student: Participant | None, truth: Truth
) -> QuestionSeen | None:
    if question is None:
        return None
    present = [one.number for one in room.present]
    seen = QuestionSeen(
        question.text,
        question.options,
        question.phase,
        question.answered(present),
        len(present),
        question.axes,
        before=question.tally(Phase.PREDICT),
        after=question.tally(Phase.SEEN),
        curves=question.curves[:MOST_CURVES],
    )
    if question.axes and not question.holds:
        seen.truth = truth
    if student:
        seen.predicted = question.answer_of(student.number, Phase.PREDICT)
        if question.takes_answers:
            seen.mine = question.answer_of(student.number, question.phase)
    return seen


def best_first(students: Mapping[str, Participant]) -> list[Participant]:
    """The students, those with the best runs first."""
    return sorted(students.values(), key=lambda one: -(one.best[0] if one.best else -1.0))

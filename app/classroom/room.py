"""One class room: what each message changes. It uses no page, no thread and no experiment.

A role is a key: the teacher's opens everything, a student's only its own answers and hand. Whatever
a page must do, such as to pause its run, follows from the state here, so that whoever comes late or
comes back stands where the others are.
"""

import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from app.classroom import messages as m
from app.classroom.nicknames import nickname
from app.classroom.participant import Participant, Prediction, Suggestion, new_key
from app.classroom.question import Axes, Phase, Question
from app.classroom.refused import Refused
from engine import SETTINGS, Choice, Range, RunConfig, Stack

type Place = int  # of a lesson in the lecture's order

WHEEL_AGAIN = 3.0  # seconds from one run of one's own to the next, which costs the server work
MOST_QUESTIONS = 100  # that are kept for the export


@dataclass(frozen=True)
class Order:
    """Where everybody is brought to, once: a lesson, or the class's run as it stood."""

    number: int = 0  # counts the orders; a page follows each once
    lesson: str = ""
    run: bytes = b""  # as it was packed for all who go on with it


class Room:
    """A teacher's lesson with its students."""

    def __init__(
        self,
        code: str,
        most: int,
        lessons: Mapping[str, Place],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.code, self.teacher_key = code, new_key()
        self.opened = clock()
        self.most = most
        self.lessons = lessons  # the place of each, by slug
        self.students: dict[str, Participant] = {}  # by number, in the order in which they came
        self.everybody_welcome = True
        self.mode: Literal["follow", "free", "pause"] = "follow"
        self.order = Order()
        self.limit: str | None = None  # the last lesson that is open
        self.shown: str | None = None  # the student whose run the class sees; None: the teacher's
        self.shown_named = False
        self.looked_at: str | None = None  # the student whose run the teacher looks at
        self.question: Question | None = None
        self.asked: list[Question] = []
        self.closed = False
        self.changes = 0  # how often it has changed
        self._clock = clock
        self.came = 0  # students so far
        # Set by the live room, which has the experiments:
        self.axes: Callable[[int], Axes] = lambda steps: Axes(0, steps, 0.01, 10.0, 1.0)
        self.packed_run: Callable[[], bytes] = lambda: b""

    # ---- keys -----------------------------------------------------------------------------------

    def is_teacher(self, key: str) -> bool:
        """Whether a key is the teacher's."""
        return _same(key, self.teacher_key)

    def student(self, key: str) -> Participant | None:
        """The student whose key this is."""
        return next((x for x in self.students.values() if _same(key, x.key)), None)

    # ---- joining --------------------------------------------------------------------------------

    def join(self, proposed: str, key: str = "") -> Participant:
        """A new student under a nickname, who waits to be let in unless everybody is welcome.

        The key is made up, unless another process has done so.
        """
        if len(self.students) >= self.most and not self._drop_one_who_left():
            raise Refused(f"All {self.most} places of this room are taken.")
        name = nickname(proposed, [student.name for student in self.students.values()])
        self.came += 1
        student = Participant(f"s{self.came}", name, self.everybody_welcome, key or new_key())
        self.students[student.number] = student
        self.changes += 1
        return student

    def _drop_one_who_left(self) -> bool:
        """Give up the place of somebody who has left and done nothing; whether there was any.

        Else one page that joins again and again would fill the room with nobody.
        """
        left = (student for student in self.students.values() if not student.here)
        found = next((student for student in left if not self._has_done_anything(student)), None)
        if found:
            self._drop(found)
        return found is not None

    def _has_done_anything(self, student: Participant) -> bool:
        answered = (answers for question in self.asked for answers in question.answers.values())
        kept = student.lessons, student.predictions, student.trials, student.best
        return any(kept) or any(student.number in answers for answers in answered)

    def page_opened(self, student: Participant) -> None:
        """A page of a student is connected."""
        student.pages += 1
        self.changes += 1

    def page_closed(self, student: Participant) -> None:
        """A page of a student is gone."""
        student.pages -= 1
        self.changes += 1

    @property
    def present(self) -> list[Participant]:
        """The students who are let in and connected."""
        return [student for student in self.students.values() if student.admitted and student.here]

    # ---- messages -------------------------------------------------------------------------------

    def receive(self, key: str, message: m.Message) -> None:
        """Apply a message, if its key allows that; else Refused says why not."""
        if self.closed:
            raise Refused("This room is closed.")
        if self.is_teacher(key):
            act = self._OF_TEACHER.get(type(message))
            if act is None:
                raise Refused("Only students do this.")
            act(self, message)
        else:
            self._receive_from_student(key, message)
        self.changes += 1

    def _receive_from_student(self, key: str, message: m.Message) -> None:
        student = self.student(key)
        if student is None:
            raise Refused("This key opens nothing here: the teacher may have removed you.")
        act = self._OF_STUDENT.get(type(message))
        if act is None:
            raise Refused("Only the teacher can do this.")
        if not student.admitted and not isinstance(message, m.Leave):
            raise Refused("The teacher has not let you in yet.")
        act(self, student, message)

    # ---- of students ----------------------------------------------------------------------------

    def _choose(self, student: Participant, message: m.Choose) -> None:
        self._open_question.answer(student.number, message.option)

    def answer_late(
        self, student: Participant, question: Question, phase: Phase, message: m.OfStudent
    ) -> None:
        """Count an answer that another process took in time, and could not send before."""
        if isinstance(message, m.Choose):
            question.answer_late(student.number, phase, message.option)
        elif isinstance(message, m.Draw):
            question.answer_late(student.number, phase, message.points)
        else:
            self.receive(student.key, message)
        self.changes += 1

    def _draw(self, student: Participant, message: m.Draw) -> None:
        question = self._open_question
        if question.phase is Phase.SEEN or question.options:
            raise Refused("This question asks for one of its options.")
        question.answer(student.number, message.points)

    @property
    def _open_question(self) -> Question:
        if self.question is None or not self.question.takes_answers:
            raise Refused("No question is open.")
        return self.question

    def _take_wheel(self, student: Participant, message: m.TakeWheel) -> None:
        if self.mode == "pause":
            raise Refused("Your teacher has paused the class.")
        if self.question and self.question.holds:
            raise Refused("The class is asked what will happen: answer first.")
        if not student.wheel and self._clock() - student.took_wheel < WHEEL_AGAIN:
            raise Refused("You had the wheel a moment ago: try again in a few seconds.")
        student.wheel, student.took_wheel = True, self._clock()

    def _follow(self, student: Participant, message: m.Follow) -> None:
        student.wheel = False

    def _raise_hand(self, student: Participant, message: m.Hand) -> None:
        student.hand = (student.hand or self._clock()) if message.up else None

    def _settle(self, student: Participant, message: m.Settle) -> None:
        if student.suggestion is None:
            raise Refused("There is no suggestion to answer.")
        student.suggestion = None
        student.pointed_at = ""

    def _leave(self, student: Participant, message: m.Leave) -> None:
        self._drop(student)

    def _drop(self, student: Participant) -> None:
        del self.students[student.number]
        if self.question:
            self.question.forget(student.number)
        self.shown = None if self.shown == student.number else self.shown
        self.looked_at = None if self.looked_at == student.number else self.looked_at

    # ---- of the teacher -------------------------------------------------------------------------

    def _student(self, number: str) -> Participant:
        if number not in self.students:
            raise Refused("This student is not in the room any more.")
        return self.students[number]

    def _inside(self, number: str) -> Participant:
        student = self._student(number)
        if not student.admitted:
            raise Refused(f"{student.name} has not been let in yet.")
        return student

    def _admit(self, message: m.Admit) -> None:
        chosen = [self._student(message.who)] if message.who else list(self.students.values())
        for student in chosen:
            student.admitted = True

    def _welcome(self, message: m.Welcome) -> None:
        self.everybody_welcome = message.everybody

    def _remove(self, message: m.Remove) -> None:
        self._drop(self._student(message.who))

    def _ask(self, message: m.Ask) -> None:
        if len(message.options) == 1 or len(set(message.options)) < len(message.options):
            raise Refused("A question has at least two different options, or asks for a curve.")
        if not message.question.strip():
            raise Refused("A question needs a text.")
        if self.question and self.question.takes_answers:
            raise Refused("Another question is open: close it first.")
        axes = None if message.options else self.axes(message.steps)
        self.question = Question(message.question.strip(), message.options, axes)
        self.asked = [*self.asked, self.question][-MOST_QUESTIONS:]
        if self.mode == "pause":
            self.mode = "follow"

    def _close_question(self, message: m.CloseQuestion) -> None:
        question = self._open_question
        self._note_predictions(question)
        question.close()

    def _note_predictions(self, question: Question) -> None:
        phase = question.phase
        for number, student in self.students.items():
            answer = question.answer_of(number, phase)
            if answer is not None:
                text = question.options[answer] if isinstance(answer, int) else answer
                student.predictions.append(Prediction(question.text, phase, text))

    def _ask_seen(self, message: m.AskSeen) -> None:
        if self.question is None:
            raise Refused("No question has been asked.")
        self.question.ask_again()

    def _drop_question(self, message: m.DropQuestion) -> None:
        self.question = None

    def _set_mode(self, message: m.SetMode) -> None:
        self.mode = message.mode
        if message.mode == "follow":
            for student in self.students.values():
                student.wheel = False

    def _go_to_lesson(self, message: m.GoToLesson) -> None:
        self._check_lesson(message.lesson)
        self.order = Order(self.order.number + 1, lesson=message.lesson)
        self.mode = "free"

    def _go_to_state(self, message: m.GoToState) -> None:
        run = self.packed_run()
        if not run:
            raise Refused("There is no run to bring the class to.")
        self.order = Order(self.order.number + 1, run=run)
        self.mode = "free"

    def _set_limit(self, message: m.Limit) -> None:
        if message.lesson is not None:
            self._check_lesson(message.lesson)
        self.limit = message.lesson

    def _check_lesson(self, lesson: str) -> None:
        if lesson not in self.lessons:
            raise Refused(f"There is no lesson called “{lesson}”.")

    def _look_at_student(self, message: m.LookAtStudent) -> None:
        self.looked_at = self._inside(message.who).number if message.who else None

    def _show(self, message: m.ShowToAll) -> None:
        self.shown = self._inside(message.who).number if message.who else None
        self.shown_named = message.named and message.who is not None

    def _suggest(self, message: m.Suggest) -> None:
        student = self._inside(message.who)
        if message.path:
            check_suggestion(message.path, message.value)
        elif not message.text.strip():
            raise Refused("A suggestion needs a text or a setting.")
        student.suggestion = Suggestion(message.text.strip(), message.path, message.value)
        student.hand = None

    def _point(self, message: m.Point) -> None:
        self._inside(message.who).pointed_at = message.view

    def _close(self, message: m.CloseRoom) -> None:
        self.closed = True
        self.students.clear()
        self.question, self.asked = None, []

    # ---- what follows from it -------------------------------------------------------------------

    def may_open(self, lesson: str) -> bool:
        """Whether students may open a lesson."""
        limit = self.limit
        return limit is None or self.lessons.get(lesson, 0) <= self.lessons[limit]

    def follows(self, student: Participant) -> bool:
        """Whether a student's page shows the run of the class."""
        if not student.admitted or self.shown == student.number:
            return False
        return self.mode != "free" and not student.wheel

    @property
    def holds(self) -> bool:
        """Whether the run of the class waits for predictions."""
        return self.question is not None and self.question.holds

    _OF_STUDENT: ClassVar[Mapping[type, Callable[[Any, Participant, Any], None]]] = {
        m.Choose: _choose,
        m.Draw: _draw,
        m.TakeWheel: _take_wheel,
        m.Follow: _follow,
        m.Hand: _raise_hand,
        m.Settle: _settle,
        m.Leave: _leave,
    }
    _OF_TEACHER: ClassVar[Mapping[type, Callable[[Any, Any], None]]] = {
        m.Admit: _admit,
        m.Welcome: _welcome,
        m.Remove: _remove,
        m.Ask: _ask,
        m.CloseQuestion: _close_question,
        m.AskSeen: _ask_seen,
        m.DropQuestion: _drop_question,
        m.SetMode: _set_mode,
        m.GoToLesson: _go_to_lesson,
        m.GoToState: _go_to_state,
        m.Limit: _set_limit,
        m.LookAtStudent: _look_at_student,
        m.ShowToAll: _show,
        m.Suggest: _suggest,
        m.Point: _point,
        m.CloseRoom: _close,
    }


def _same(key: str, known: str) -> bool:
    """Whether two keys are the same, in a time that does not depend on where they differ."""
    return hmac.compare_digest(key.encode(errors="replace"), known.encode())


def check_suggestion(path: str, value: float | str) -> None:
    """Refuse a setting that no run can have."""
    if path not in SETTINGS:
        raise Refused(f"There is no setting called “{path}”.")
    try:
        RunConfig().replace(path, value_of(path, value))
    except ValueError as error:
        raise Refused(f"{str(error)[:1].upper()}{str(error)[1:]}.") from None


def value_of(path: str, value: float | str) -> Any:
    """A value as a command has it: an entry of a menu by its name."""
    values = SETTINGS[path].values
    return value if isinstance(values, Range | Stack) else Choice(str(value))

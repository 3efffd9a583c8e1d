"""One student's page in a room: it follows, waits or works by the state of the room."""

import logging
import sys
from concurrent.futures import Future

from app.classroom.participant import Participant, Suggestion
from app.classroom.room import Order, Room, value_of
from app.panels import KNOBS
from app.panels.course_navigation import NEXT_LESSON, PREVIOUS_LESSON
from app.panels.lessons import LESSON_TAB
from app.server.mirrored_run import run_in
from app.server.session import Visit
from app.server.shown_run import WatchedRun
from engine import Pause, RunTransfer, SetKnob

log = logging.getLogger(__name__)

FOLLOWS = "You follow the class. Press “Take the wheel” to go on with a run of your own."
WAITS = "Your teacher has paused the class."
FAR = "Your teacher has not opened this lesson yet."
FREE_KEYS = ("p", "?")
PLAYLISTS = ("place", "playlist", "playlist packed")  # presses that lead to any lesson
# What does not steer a run.
FREE_PRESSES = (
    *("class", "projector", "show", "dialog Keys"),
    *("lesson", "lessons done", NEXT_LESSON, PREVIOUS_LESSON),
    *(*PLAYLISTS, "whole course"),
)


class Seat:
    """What a student's page shows, updated after each change of the room."""

    def __init__(self, room: Room, student: Participant, visit: Visit) -> None:
        self._room, self.student, self.visit = room, student, visit
        self._wheel = student.wheel
        self._ordered = 0  # the number of the last order that was followed
        self._pointed_at = ""
        self._accepted: Suggestion | None = None  # an accepted suggestion that is not set yet
        self._paused = False
        self.connected = True  # whether the page is connected
        visit.refuses = self._refuse

    def follow(self, shown: WatchedRun | None) -> None:
        """Follow the room; `shown` is the run that the class sees, once it is known."""
        follows = self._room.follows(self.student)
        if self.student.wheel and not self._wheel and shown:
            self._fork(shown)
        self._wheel = self.student.wheel
        self.visit.watch_other(shown if follows else None)
        self._hold()
        self._obey(self._room.order)
        self._set_accepted()
        self._point()

    def _hold(self) -> None:
        """Pause the student's own run while the class is paused."""
        paused = self.student.admitted and self._room.mode == "pause"
        if paused and not self._paused and self.visit.is_set_up:
            self.visit.handle.send(Pause())
        self._paused = paused

    def _obey(self, order: Order) -> None:
        if order.number <= self._ordered or not self.student.admitted:
            return
        self._ordered = order.number
        if self._room.mode != "free":
            return  # the class has moved on since
        if order.run:
            self._go_to_run(order.run)
        else:
            self.visit.page.do("show_address", "lesson", order.lesson)
            self.visit.page.do("turn_to_tab", LESSON_TAB)
            self.visit.page.press("lesson", order.lesson)

    def _go_to_run(self, packed: bytes) -> None:
        try:
            self._go_on_with(run_in(packed))
        except ValueError as error:  # another process wrote it
            log.warning("a class cannot go to a run: %s", error)

    def _fork(self, shown: WatchedRun) -> None:
        """Fork the class's run at the step that is shown, to the bit, as the student's own."""
        shown.transfer().add_done_callback(self._take_up)

    def _take_up(self, future: Future[RunTransfer]) -> None:
        if not future.cancelled() and not future.exception():
            self._go_on_with(future.result())

    def _go_on_with(self, run: RunTransfer) -> None:
        if self.visit.over:
            return
        if self.visit.parts.layout.panel == LESSON_TAB:  # the lesson is paused
            self.visit.page.do("turn_to_tab", KNOBS)
        self.visit.page.change(lambda: self.visit.take_up(run))

    def _point(self) -> None:
        view = self.student.pointed_at
        if view != self._pointed_at:
            self._pointed_at = view
            self.visit.page.do("point_at", view)

    def accept(self, suggestion: Suggestion) -> None:
        """Apply the teacher's suggestion to the student's own run."""
        if suggestion.path:
            self._accepted = suggestion
            self._set_accepted()

    def _set_accepted(self) -> None:
        """Apply it, unless the run is still being repeated: a change would make it another run."""
        if self._accepted is None or not self.visit.is_set_up:
            return
        handle = self.visit.handle
        # An unwatched run publishes nothing.
        handle.wait(self, sys.maxsize, lambda snapshot, version: None)
        looking = handle.latest.looking_back
        if looking is None or looking.verified is None:
            accepted, self._accepted = self._accepted, None
            handle.send(SetKnob(accepted.path, value_of(accepted.path, accepted.value)))
            handle.forget(self)

    def leave(self) -> None:
        """The student has left the room: show the student's own run again."""
        self.visit.refuses = lambda kind, name, value: ""
        self.visit.watch_other(None)
        self.visit.page.do("point_at", "")

    @property
    def works(self) -> bool:
        """Whether the page shows a run of the student's own."""
        return self.visit.is_set_up and self.visit.watched is None

    # ---- what is refused -----------------------------------------------------------------------

    def _refuse(self, kind: str, name: str, value: str) -> str:
        if kind == "press" and name == "lesson" and not self._room.may_open(value):
            return FAR
        if kind == "press" and name in PLAYLISTS and self._room.limit is not None:
            return FAR
        if (kind, name) in GOES_TO_NEXT and not self._may_go_on():
            return FAR
        if not self._room.follows(self.student):
            return WAITS if self._paused and not _harmless(kind, name) else ""
        return "" if _harmless(kind, name) else WAITS if self._paused else FOLLOWS

    def _may_go_on(self) -> bool:
        return self._room.limit is None or self.visit.lesson != self._room.limit


class TeacherSeat:
    """A teacher's page: it may show a student's run, and pauses while the class predicts."""

    def __init__(self, room: Room, visit: Visit) -> None:
        self._room, self.visit = room, visit
        self.connected = True
        visit.refuses = self._refuse

    def follow(self, looked_at: WatchedRun | None) -> None:
        """Show a student's run, or the teacher's own."""
        self.visit.watch_other(looked_at)

    def leave(self) -> None:
        """The room is closed: show the teacher's own run again."""
        self.visit.refuses = lambda kind, name, value: ""
        self.visit.watch_other(None)

    def _refuse(self, kind: str, name: str, value: str) -> str:
        if self.visit.watched and not _harmless(kind, name):
            return "This is a student's run, to look at only: go back to your own first."
        if self._room.holds and (kind, name) in GOES_ON:
            return "The class is asked what will happen: close the question first."
        return ""


GOES_TO_NEXT = {("press", NEXT_LESSON), ("key", "n")}
GOES_ON = {
    *(("press", name) for name in ("play", "step", "epoch", "continue")),
    *(("key", name) for name in (" ", ".", ">", "e")),
}


def _harmless(kind: str, name: str) -> bool:
    """Whether an action on a page steers no run."""
    return (kind == "press" and name in FREE_PRESSES) or (kind == "key" and name in FREE_KEYS)

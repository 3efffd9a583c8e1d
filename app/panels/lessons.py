"""The lessons: predict, watch the run, say what was seen, read the verdict, then vary it.

While the panel is open, the page shows an experiment of the lesson. The visitor's own run waits.
"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec
from panel.layout import Column
from panel.pane import HTML
from panel.viewable import Viewable

from app import palette
from app.limits import LIMITS
from app.page.buttons import Presses
from app.panels.lesson_figures import pictures
from app.panels.lesson_list import playlist_named, whole_course
from app.panels.panel import PANELS
from app.sharing.hand_in_form import HandInForm
from app.stylesheets import css
from app.templates import render
from engine import (
    FAILS,
    HOLDS,
    LESSONS,
    MOST_WORDS,
    Experiment,
    ExperimentHandle,
    Lesson,
    LessonAnswer,
    LessonProgress,
    RunConfig,
    Snapshot,
    Variation,
    figures_of,
    open_lesson,
    play_live,
    to_compare,
)

LESSON_TAB = "Lessons"
NEXT_LESSON, PREVIOUS_LESSON = "next lesson", "previous lesson"  # buttons


class Played(NamedTuple):
    """What is played: a lesson or one of its variations, and what the learner expects of it."""

    lesson: Lesson
    by: Variation | None
    predicted: str
    reason: str

    @property
    def right(self) -> str | None:
        """The right prediction; None: the verdict decides it."""
        return None if self.by else self.lesson.question.answer


class RunKey(NamedTuple):
    """A run in the legend: its title, and its colour in the plots."""

    title: str
    colour: str


@PANELS.register(LESSON_TAB)
class Lessons:
    """The lecture's claims, one lesson each: predict, watch, say what you saw, vary it."""

    main: Viewable | None

    def __init__(self, handle: ExperimentHandle, snapshot: Snapshot, presses: Presses) -> None:
        self._handle, self._presses = handle, presses
        self._course = whole_course()
        self._lesson = open_lesson(next(iter(LESSONS)))
        self._played: Played | None = None
        self._since = math.inf  # the number of the first run of what is played
        self._scene: LessonProgress | None = None  # the last that was shown
        self._reason = ""  # what the learner writes behind "because"
        self._saw = ""  # what the learner says to have seen
        self._done: set[str] = set()  # slugs of lessons whose verdict was seen
        self.answers: dict[tuple[str, str], LessonAnswer] = {}  # by lesson and variation
        self.cover: Callable[[bool], None] = lambda covered: None
        self.sidebar = Column(sizing_mode="stretch_width")
        self._board = _html("board")
        self._pictures = Column(sizing_mode="stretch_width")
        self.main = Column(
            self._board, self._pictures, stylesheets=[css("main")], sizing_mode="stretch_both"
        )
        self._listen()

    def _listen(self) -> None:
        on = self._presses.on_value
        on("lesson", self._go_to)
        on("playlist", self._follow)
        on("lessons done", self._recall)
        on("answers kept", self._recall_answer)
        on("reason", self._write)
        on("predict", self._predict)
        on("saw", self._say)
        on("vary", self._vary)
        self._presses.on("again", lambda: self._open(self._lesson.name))
        self._presses.on(NEXT_LESSON, lambda: self._step(1))
        self._presses.on(PREVIOUS_LESSON, lambda: self._step(-1))

    def pieces(self) -> Iterator[None]:
        """The list; then the lesson."""
        self._list = _html("course")
        self._words, self._told, self._variations = _html(), _html("course"), _html("course")
        self._open(self._lesson.name)
        self.sidebar.append(self._list)
        yield
        self.sidebar.extend([self._words, self._told, self._variations])
        yield
        self.sidebar.append(HandInForm(self._handle, self.answers).view)
        self._presses.do("recall_lessons")

    # ---- the stage ------------------------------------------------------------------------------

    def entered(self) -> None:
        """Show the lesson as it was left; the visitor's own run waits."""
        self._handle.do(lambda experiment: self._handle.return_to_stage())

    def left(self) -> None:
        """Give the visitor's own run back as it was."""
        self._presses.do("point_at", "")
        self._handle.do(lambda experiment: self._handle.leave_stage())

    def _clear_stage(self) -> None:
        """Show nothing of any run until something is predicted."""
        stage = Experiment(RunConfig(), room=LIMITS.checkpoints)

        def clear(experiment: Experiment) -> None:
            self._handle.works.clear("lesson")
            self._handle.put_on_stage(stage)

        self._handle.do(clear)
        self.cover(True)
        self._presses.do("point_at", "")

    # ---- the list -------------------------------------------------------------------------------

    @property
    def slug(self) -> str:
        """The slug of the lesson that is open."""
        return self._lesson.slug

    @property
    def _place(self) -> int:
        return self._course.places[self._lesson.slug]

    def _follow(self, slug: str) -> None:
        """Go through a playlist from its first lesson; a link may name any."""
        course = playlist_named(slug)
        if course is None:
            self._told.object = render("no_lesson", kind="playlist", slug=slug)
            return
        self._course = course
        self._open(course.names[0])

    def _go_to(self, slug: str) -> None:
        """Open a lesson by its slug; a link may name any."""
        places = self._course.places
        if slug not in places:
            self._told.object = render("no_lesson", kind="lesson", slug=slug)
        elif places[slug] != self._place:
            self._open(self._course.names[places[slug]])

    def _step(self, by: int) -> None:
        """Go on to the next lesson, or back to the one before."""
        place = self._place + by
        if 0 <= place < len(self._course.names):
            self._open(self._course.names[place])
            self._presses.do("show_address", self._lesson.slug)

    def _recall(self, slugs: str) -> None:
        """The browser says which lessons were done before."""
        self._done |= whole_course().places.keys() & set(slugs.split())
        self._draw_list()

    def _recall_answer(self, kept: str) -> None:
        """The browser has kept an answer of an earlier visit; it may say anything."""
        try:
            answer = msgspec.json.decode(kept, type=LessonAnswer)
        except (ValueError, RecursionError):
            return
        if answer.lesson in whole_course().places:
            self.answers.setdefault((answer.lesson, answer.variation), answer)

    def _draw_list(self) -> None:
        self._list.object = self._course.listed(self._place, self._done)

    # ---- a lesson -------------------------------------------------------------------------------

    def _open(self, name: str) -> None:
        """Show a lesson from its beginning."""
        lesson = self._lesson = open_lesson(name)
        self._played = self._scene = None
        self._reason = self._saw = ""
        self._clear_stage()
        self._words.object = render("lesson", lesson=lesson, predicted="")
        self._told.object = self._variations.object = ""
        self._pictures[:] = []
        words = self._course.words.get(lesson.slug, "")
        self._board.object = render(
            "lesson_board", lesson=lesson, begun=False, words=words, most=MOST_WORDS
        )
        self._draw_list()

    def _write(self, reason: str) -> None:
        self._reason = reason[:MOST_WORDS]

    def _predict(self, words: str) -> None:
        """Keep what the learner expects, and play the lesson."""
        if words not in self._lesson.question.options:
            return  # pressed before the page had heard of another lesson
        self._words.object = render(
            "lesson", lesson=self._lesson, predicted=words, reason=self._reason
        )
        self._play(Played(self._lesson, None, words, self._reason))

    def _vary(self, said: str) -> None:
        """Play a variation; `said` is its number, and whether the claim is expected to hold."""
        number, _, expected = said.partition(" ")
        breaks = self._lesson.breaks
        if expected in (HOLDS, FAILS) and number in map(str, range(len(breaks))):
            by = breaks[int(number)]
            self._play(Played(self._lesson.broken(by), by, expected, ""))

    def _play(self, played: Played) -> None:
        handle, lesson = self._handle, self._lesson
        self._played, self._scene, self._saw, self._since = played, None, "", math.inf
        self._told.object = "<p class='quiet'>Starting …</p>"
        self._pictures[:] = []
        stage = Experiment(RunConfig(), room=LIMITS.checkpoints)

        def begin(before: Experiment) -> None:
            if played.by:
                stage.pinned = to_compare(lesson, played.lesson, before)
            handle.works.clear("lesson")
            handle.put_on_stage(stage)
            self._since = stage.run
            handle.works.begin("lesson", play_live(stage, played.lesson, handle.set_lesson_pace))

        handle.do(begin)
        self._board.object = render("lesson_board", lesson=lesson, begun=True)
        self.cover(not lesson.runs)
        if lesson.runs:
            self._presses.do("point_at", lesson.view)

    # ---- what comes of it -----------------------------------------------------------------------

    def show(self, snapshot: Snapshot) -> None:
        """Follow the lesson as far as it has come."""
        scene, played = snapshot.background.lesson, self._played
        if scene is None or played is None or scene is self._scene or snapshot.run < self._since:
            return
        if scene.exhibits and (self._scene is None or scene.exhibits != self._scene.exhibits):
            self._pictures[:] = [pictures(dict(scene.exhibits))]
        self._scene = scene
        self._tell(scene, played, _legend(snapshot, scene))

    def _tell(self, scene: LessonProgress, played: Played, runs: list[RunKey]) -> None:
        self._told.object = render(
            "lesson_progress",
            scene=scene,
            lesson=self._lesson,
            varied=played.by.label if played.by else "",
            predicted=played.predicted,
            right=played.right or (HOLDS if scene.verdict and scene.verdict.holds else FAILS),
            saw=self._saw,
            runs=runs,
        )
        self._runs = runs

    def _say(self, words: str) -> None:
        """The learner says what was seen: now the verdict can be read."""
        scene, played = self._scene, self._played
        if not (scene and played and scene.seen and scene.verdict and not self._saw):
            return
        if words in scene.seen.options:
            self._saw = words
            self._tell(scene, played, self._runs)
            self._finish(scene, played)

    def _finish(self, scene: LessonProgress, played: Played) -> None:
        """Keep the answer, tick the lesson, and offer what can be varied."""
        lesson, label = self._lesson, played.by.label if played.by else ""
        if scene.verdict is None:
            return
        answer = self.answers[lesson.slug, label] = LessonAnswer(
            lesson=lesson.slug,
            variation=label,
            predicted=played.predicted,
            reason=played.reason,
            seen=self._saw,
            holds=scene.verdict.holds,
            steered=bool(scene.note),
            figures=figures_of(scene.verdict),
        )
        self._done.add(lesson.slug)
        kept = msgspec.json.encode(answer).decode()
        self._presses.do("tick_lesson", lesson.slug)
        self._presses.do("keep_answer", f"{lesson.slug} {label}", kept)
        variations = [(n, by, lesson.changes(by)) for n, by in enumerate(lesson.breaks)]
        self._variations.object = render(
            "lesson_variations", variations=variations, holds=HOLDS, fails=FAILS
        )
        self._draw_list()


def _legend(snapshot: Snapshot, scene: LessonProgress) -> list[RunKey]:
    """The runs that are in the plots: the current one, and those beside it."""
    if not scene.shown:
        return []
    beside = [
        RunKey(past.name, palette.past(n))
        for n, past in enumerate(snapshot.pinned)
        if (past.run, past.step) != (snapshot.run, snapshot.step)
    ]
    return [*beside, RunKey(scene.shown, palette.TRAIN)]


def _html(*sheets: str) -> HTML:
    return HTML(
        "", stylesheets=[css("buttons"), css("panel", *sheets)], sizing_mode="stretch_width"
    )

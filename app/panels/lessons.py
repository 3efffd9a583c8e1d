"""The lessons: predict, watch the run, say what was seen, read the verdict, then vary it.

While the panel is open, the page shows an experiment of the lesson. The visitor's own run waits.
A playlist has shared runs and a teacher's words between its lessons.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec
import panel as pn
from panel.layout import Column
from panel.pane import HTML
from panel.viewable import Viewable

from app.explanations.explanation import explain
from app.page.buttons import Presses
from app.page.diagnosis_bar import Prompt
from app.panels.course_navigation import CourseNavigation
from app.panels.lesson_figures import pictures
from app.panels.lesson_legend import RunKey, legend
from app.panels.lesson_list import name_of, whole_course
from app.panels.lesson_player import LessonPlayer
from app.panels.panel import PANELS
from app.panels.playlist_editor import PlaylistEditor
from app.sharing.hand_in_form import HandInForm
from app.stylesheets import css
from app.templates import render
from app.weak_callback import weakly
from engine import (
    FAILS,
    HOLDS,
    MOST_WORDS,
    ExperimentHandle,
    Item,
    Lesson,
    LessonAnswer,
    LessonProgress,
    Snapshot,
    Variation,
    figures_of,
    open_lesson,
)

LESSON_TAB = "Lessons"
OPTIONS, VERDICT = "[data-press=saw]", ".holds, .fails"  # in the templates


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


@PANELS.register(LESSON_TAB)
class Lessons:
    """The lecture's claims, one lesson each: predict, watch, say what you saw, vary it."""

    main: Viewable | None

    def __init__(self, handle: ExperimentHandle, snapshot: Snapshot, presses: Presses) -> None:
        self._handle, self._presses = handle, presses
        self._player = LessonPlayer(handle)
        self._navigation = CourseNavigation(presses, weakly(self._go_on), weakly(self._refuse))
        self._lesson: Lesson | None = None  # the open one
        self._played: Played | None = None
        self._last_progress: LessonProgress | None = None  # the last that was shown
        self._reason = ""  # what the learner writes behind "because"
        self._saw = ""  # the learner's answer to what was seen
        self._done: set[str] = set()  # slugs of lessons whose verdict was seen
        self.answers: dict[tuple[str, str], LessonAnswer] = {}  # by lesson and variation
        self.cover: Callable[[bool], None] = lambda covered: None
        self._covered = True  # whether the lesson is shown in place of the plots
        self.prompt: Callable[[Prompt | None], None] = lambda prompt: None
        self._prompt: Prompt | None = None  # the line below the plots
        self.sidebar = Column(sizing_mode="stretch_width")
        self._list = _html("course")
        self._introduction = _html()
        self._progress, self._variations = _html("course"), _html("course")
        self._board = _html("board")
        self._pictures = Column(sizing_mode="stretch_width")
        self._sheet = _html("sheet")
        self._editor: PlaylistEditor | None = None
        self._refused = _html()
        self._boards = self._refused, self._board, self._pictures, self._sheet
        self._main = Column(*self._boards, stylesheets=[css("main")], sizing_mode="stretch_both")
        self.main = self._main
        self._add_handlers()

    def _add_handlers(self) -> None:
        on = self._presses.on_value
        self._presses.on("edit playlist", self._edit)
        on("lessons done", self._recall)
        on("answers kept", self._recall_answer)
        on("reason", self._write)
        on("predict", self._predict)
        on("saw", self._observe)
        on("vary", self._vary)

    def pieces(self) -> Iterator[None]:
        """The list; then the lesson, which the browser may have named already."""
        if not self._list.object:
            self._open()
        self.sidebar.append(self._list)
        yield
        self.sidebar.extend([self._introduction, self._progress, self._variations])
        yield
        self.sidebar.append(HandInForm(self._handle, self.answers).view)
        self._presses.do("recall_lessons")

    # ---- the runs -------------------------------------------------------------------------------

    def entered(self) -> None:
        """Show the lesson as it was left; the visitor's own run waits."""
        self._player.enter()
        self.prompt(self._prompt)

    def left(self) -> None:
        """Give the visitor's own run back as it was."""
        self._presses.do("point_at", "")
        self.prompt(None)
        self._player.leave()

    def _show_no_run(self, asks: Lesson | None = None) -> None:
        """Show nothing of any run until something is predicted; followers see what is asked."""
        self._player.clear(asks)
        self._cover(True)
        self._presses.do("point_at", "")

    # ---- the course -----------------------------------------------------------------------------

    @property
    def slug(self) -> str:
        """The slug of the lesson that is open; empty: a part of a playlist that is none."""
        return self._lesson.slug if self._lesson else ""

    def _refuse(self, text: str) -> None:
        """Show why a part cannot be opened: in the main area, or beside the plots."""
        (self._refused if self._covered else self._progress).object = text

    def _cover(self, covered: bool) -> None:
        self._covered = covered
        self.cover(covered)

    # ---- a playlist that is made -----------------------------------------------------------------

    def _edit(self) -> None:
        """Make a playlist in the main area, or change the one that is open."""
        if self._editor is None:
            self._editor = PlaylistEditor(self._handle, self._presses, self._navigation.follow_made)
        self._show_no_run()
        self._navigation.elsewhere = True
        self._editor.edit(self._navigation.course.playlist)
        self._main[:] = [self._editor.view]

    # ---- the list of what is done ----------------------------------------------------------------

    def _recall(self, slugs: str) -> None:
        """The browser reports which lessons were done before."""
        self._done |= whole_course().places.keys() & set(slugs.split())
        self._draw_list()

    def _recall_answer(self, kept: str) -> None:
        """The browser reports an answer of an earlier visit; it may send anything."""
        try:
            answer = msgspec.json.decode(kept, type=LessonAnswer)
        except (ValueError, RecursionError):
            return
        if answer.lesson in whole_course().places:
            self.answers.setdefault((answer.lesson, answer.variation), answer)

    def _draw_list(self) -> None:
        self._list.object = self._navigation.course.listed(self._navigation.place, self._done)

    # ---- a lesson -------------------------------------------------------------------------------

    def _go_on(self) -> None:
        self._refused.object = ""
        self._open()

    def _open(self) -> None:
        """Open the current part of the course at its beginning: a lesson, a shared run or text."""
        item = self._navigation.item
        self._lesson = open_lesson(name_of(item.lesson)) if item.lesson else None
        self._played = self._last_progress = None
        self._reason = self._saw = ""
        self._show_no_run(self._lesson)
        self._main[:] = self._boards
        self._introduction.object = self._progress.object = self._variations.object = ""
        self._pictures[:] = []
        self._ask(None)
        if self._lesson:
            self._introduce(self._lesson)
        elif item.run:
            self._play_shared(item)
        else:
            self._board.object = render("words_board", item=item, last=self._navigation.last)
        self._draw_list()

    def _introduce(self, lesson: Lesson) -> None:
        self._introduction.object = render("lesson", lesson=lesson, predicted="")
        words = self._navigation.item.words
        self._board.object = render(
            "lesson_board", lesson=lesson, begun=False, words=words, most=MOST_WORDS
        )

    def _play_shared(self, item: Item) -> None:
        """Play a shared run at once, with its text beside it."""
        self._player.play_shared(item)
        self._board.object = ""
        self._cover(False)
        self._introduction.object = render("shared_run", item=item, note="")
        self._ask(None)

    def _write(self, reason: str) -> None:
        self._reason = _without_because(reason)[:MOST_WORDS]

    def _predict(self, option: str) -> None:
        """Keep what the learner expects, and play the lesson."""
        lesson = self._lesson
        if lesson is None or option not in lesson.question.options:
            return  # pressed before the browser showed another lesson
        self._introduction.object = render(
            "lesson", lesson=lesson, predicted=option, reason=self._reason
        )
        self._play(lesson, Played(lesson, None, option, self._reason))

    def _vary(self, choice: str) -> None:
        """Play a variation; `choice` is its number, and whether the claim is expected to hold."""
        lesson, (number, _, expected) = self._lesson, choice.partition(" ")
        variations = lesson.variations if lesson else ()
        if lesson and expected in (HOLDS, FAILS) and number in map(str, range(len(variations))):
            by = variations[int(number)]
            self._play(lesson, Played(lesson.varied(by), by, expected, ""))

    def _play(self, lesson: Lesson, played: Played) -> None:
        with pn.io.hold():  # all that changes on the page in one message
            self._begin_to_play(lesson, played)

    def _begin_to_play(self, lesson: Lesson, played: Played) -> None:
        self._played, self._last_progress, self._saw = played, None, ""
        self._progress.object = "<p class='quiet'>Starting …</p>"
        self._variations.object = ""  # their keys 1, 2, ... now belong to the question
        if self._pictures:
            self._pictures[:] = []
        self._player.play(lesson, played.lesson if played.by else None)
        self._board.object = render("lesson_board", lesson=lesson, begun=True)
        self._cover(not lesson.runs)
        self._ask(None)
        if lesson.runs:
            self._presses.do("point_at", lesson.view)

    # ---- what comes of it -----------------------------------------------------------------------

    def show(self, snapshot: Snapshot) -> None:
        """Follow the lesson as far as it has come."""
        progress, played = snapshot.background.lesson, self._played
        if progress is None or progress is self._last_progress or not self._player.shows(snapshot):
            return
        if self._lesson is None:
            self._last_progress = progress
            self._introduction.object = render(
                "shared_run", item=self._navigation.item, note=progress.note
            )
            return
        if played is None:
            return
        if progress.exhibits.keys() == played.lesson.exhibits.keys() and not self._pictures:
            self._pictures[:] = [pictures(progress.exhibits.values())] if progress.exhibits else []
        self._last_progress = progress
        self._show_progress(self._lesson, progress, played, legend(snapshot, progress))
        if progress.verdict:
            self._presses.do("bring_to_sight", OPTIONS)

    def _show_progress(
        self, lesson: Lesson, progress: LessonProgress, played: Played, runs: list[RunKey]
    ) -> None:
        self._progress.object = render(
            "lesson_progress",
            progress=progress,
            lesson=lesson,
            varied=played.by.label if played.by else "",
            predicted=played.predicted,
            right=played.right or (HOLDS if progress.verdict and progress.verdict.holds else FAILS),
            saw=self._saw,
            runs=runs,
        )
        self._runs = runs
        self._ask(progress)

    def _ask(self, progress: LessonProgress | None) -> None:
        """Show in the page itself what the learner is to do: the sidebar may be closed."""
        context = {
            "progress": progress,
            "lesson": self._lesson,
            "item": self._navigation.item,
            "saw": self._saw,
        }
        sheet = render("lesson_sheet", **context) if progress and progress.verdict else ""
        covered = self._lesson is not None and not self._lesson.runs  # the line below the plots
        self._prompt = Prompt(render("lesson_line", **context), "" if covered else sheet)
        self._sheet.css_classes = ["asks"] if covered and sheet else []
        self._sheet.object = sheet if covered else ""
        self.prompt(self._prompt)

    def _observe(self, option: str) -> None:
        """Keep what the learner saw, and show the verdict."""
        lesson, progress, played = self._lesson, self._last_progress, self._played
        if not (
            lesson and progress and played and progress.seen and progress.verdict and not self._saw
        ):
            return
        if option in progress.seen.options:
            self._saw = option
            self._show_progress(lesson, progress, played, self._runs)
            self._presses.do("bring_to_sight", VERDICT)
            self._finish(lesson, progress, played)

    def _finish(self, lesson: Lesson, progress: LessonProgress, played: Played) -> None:
        """Keep the answer, tick the lesson, and offer what can be varied."""
        label = played.by.label if played.by else ""
        if progress.verdict is None:
            return
        answer = self.answers[lesson.slug, label] = LessonAnswer(
            lesson=lesson.slug,
            variation=label,
            predicted=played.predicted,
            reason=played.reason,
            seen=self._saw,
            holds=progress.verdict.holds,
            steered=bool(progress.note),
            figures=figures_of(progress.verdict),
            written=tuple(figure.text for figure in progress.verdict.figures),
            runs=progress.steered,
        )
        self._done.add(lesson.slug)
        self._player.note_answered()
        kept = msgspec.json.encode(answer).decode()
        self._presses.do("tick_lesson", lesson.slug)
        self._presses.do("store_answer", f"{lesson.slug} {label}", kept)
        variations = [(n, by, lesson.changes(by)) for n, by in enumerate(lesson.variations)]
        self._variations.object = render(
            "lesson_variations", variations=variations, holds=HOLDS, fails=FAILS
        )
        self._draw_list()


def _html(*sheets: str) -> HTML:
    return HTML(
        "", stylesheets=[css("buttons"), css("panel", *sheets)], sizing_mode="stretch_width"
    )


def _without_because(reason: str) -> str:
    """The reason without the word "because", which the form has already."""
    return re.sub(r"^\s*because\b\s*", "", reason, flags=re.IGNORECASE)


explain(
    ("tab Lessons", "panel Lessons"),
    "Lessons",
    "The claims of the lecture, one each: predict, watch, say what you saw, read the verdict, vary"
    " it. Your own run waits meanwhile, and is given back as it was.",
    shortcut="n",
)
explain(
    ("button lesson", "button place", "field Lessons All *"),
    "All lessons",
    "The lessons in the order of the lecture, each a question; a tick is one whose verdict you have"
    " read.",
)
explain(
    "button predict",
    "Your prediction",
    "What do you expect? Whoever predicts first learns more from watching, even if wrong.",
)
explain("field reason", "Because", "Your reason, in your words: it is handed in with the answer.")
explain(
    "button saw",
    "What you saw",
    "What did the plots show? Say so before you read the verdict: one observation in five is"
    " wrong.",
)
explain(
    "button vary",
    "Vary it",
    "Plays the lesson with one thing changed. Say first whether the claim will hold.",
)
explain("button whole course", "The whole course", "Goes back to all lessons of the lecture.")
explain("button again", "Start again", "Begins this lesson again, with nothing predicted.")

"""The lessons: read the question, predict, watch the run, read the verdict, then vary it."""

import functools
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from panel.layout import Column
from panel.pane import HTML
from panel.viewable import Viewable

from app.page.buttons import Presses, button
from app.panels.lesson_figures import pictures
from app.panels.panel import ROOMS
from app.stylesheets import css
from app.templates import render
from engine import (
    LESSONS,
    Experiment,
    ExperimentHandle,
    Lesson,
    LessonProgress,
    Snapshot,
    open_lesson,
    play_live,
    slug_of,
)

LESSON_TAB = "Lessons"
NEXT_LESSON, PREVIOUS_LESSON = "next lesson", "previous lesson"  # buttons
PLACES = {slug_of(name): place for place, name in enumerate(LESSONS)}  # in the lecture's order


class Entry(NamedTuple):
    """A lesson in the list of all."""

    place: int
    slug: str
    title: str
    section: str
    done: bool  # whether its verdict was seen


@ROOMS.register(LESSON_TAB)
class Lessons:
    """The lecture's claims, one lesson each: predict, watch, and then vary what was shown."""

    main: Viewable | None = None

    def __init__(self, handle: ExperimentHandle, snapshot: Snapshot, presses: Presses) -> None:
        self._handle, self._presses = handle, presses
        self._lesson = open_lesson(next(iter(LESSONS)))
        self._scene: LessonProgress | None = None  # the last that was shown
        self._varied = ""  # the label of the variation that is being played
        self._predicted = ""  # what the learner expects
        self._done: set[str] = set()  # slugs of lessons whose verdict was seen
        self.sidebar = Column(sizing_mode="stretch_width")
        presses.on_value("lesson", self._go_to)
        presses.on_value("lessons done", self._recall)
        presses.on(NEXT_LESSON, lambda: self._step(1))
        presses.on(PREVIOUS_LESSON, lambda: self._step(-1))

    def pieces(self) -> Iterator[None]:
        """The list; then the lesson."""
        self._list = _html("course")
        self._words, self._told, self._variations = _html(), _html(), _html()
        self._pictures = Column(sizing_mode="stretch_width")
        self._open(self._lesson.name)
        self.sidebar.append(self._list)
        yield
        self.sidebar.extend([self._words, self._told, self._pictures, self._variations])
        self._presses.do("recall_lessons")

    # ---- the list -------------------------------------------------------------------------------

    @property
    def _place(self) -> int:
        return PLACES[self._lesson.slug]

    def _go_to(self, slug: str) -> None:
        """Open a lesson by its slug; a link may name any."""
        if slug not in PLACES:
            self._told.object = render("no_lesson", slug=slug)
        elif PLACES[slug] != self._place:
            self._open(list(LESSONS)[PLACES[slug]])

    def _step(self, by: int) -> None:
        """Go on to the next lesson, or back to the one before."""
        place = self._place + by
        if 0 <= place < len(LESSONS):
            self._open(list(LESSONS)[place])
            self._presses.do("show_address", self._lesson.slug)

    def _recall(self, slugs: str) -> None:
        """The browser says which lessons were done before."""
        self._done |= PLACES.keys() & set(slugs.split())
        self._draw_list()

    def _draw_list(self) -> None:
        lessons = map(open_lesson, LESSONS)
        entries = [
            Entry(place, lesson.slug, lesson.title, lesson.section, lesson.slug in self._done)
            for place, lesson in enumerate(lessons)
        ]
        sections = groupby(entries, key=lambda entry: entry.section)
        self._list.object = render(
            "lessons",
            place=self._place,
            count=len(entries),
            done=len(self._done),
            sections=[(section, list(group)) for section, group in sections],
        )

    # ---- a lesson -------------------------------------------------------------------------------

    def _open(self, name: str) -> None:
        """Show a lesson from its beginning."""
        lesson = self._lesson = open_lesson(name)
        self._handle.do(lambda experiment: self._handle.works.clear("lesson"))
        options = self._buttons("predict", lesson.question.shuffled, self._predict)
        self._words.object = render("lesson", lesson=lesson, options=options)
        self._told.object = ""
        self._pictures[:] = []
        self._variations.object = ""
        self._draw_list()

    def _buttons(self, verb: str, labels: Iterable[str], press: Callable[[str], None]) -> str:
        """A button for each of the labels, as HTML: it comes and goes with what it belongs to."""
        buttons = []
        for label in labels:
            self._presses.on(f"{verb} {label}", functools.partial(press, label))
            buttons.append(button(f"{verb} {label}", label, style="outlined", word=label))
        return "".join(buttons)

    def _predict(self, words: str) -> None:
        """Keep what the learner expects, and play the lesson."""
        if words not in self._lesson.question.options:
            return  # pressed before the page had heard of another lesson
        self._predicted = words
        self._play(self._lesson)

    def _play(self, lesson: Lesson, varied: str = "") -> None:
        handle, self._varied = self._handle, varied
        self._told.object = "<p class='quiet'>Starting …</p>"

        def begin(experiment: Experiment) -> None:
            played = play_live(experiment, lesson, handle.set_lesson_pace)
            handle.works.begin("lesson", played)

        handle.do(begin)

    def _vary(self, label: str) -> None:
        for by in self._lesson.breaks:
            if by.label == label:
                self._play(self._lesson.broken(by), label)

    def show(self, snapshot: Snapshot) -> None:
        """Follow the lesson as far as it has come."""
        scene = snapshot.beside.lesson
        if scene is None or scene is self._scene or scene.lesson != self._lesson.name:
            return
        if scene.exhibits and (self._scene is None or scene.exhibits != self._scene.exhibits):
            self._pictures[:] = [pictures(dict(scene.exhibits))]
        self._scene = scene
        question = self._lesson.question
        self._told.object = render(
            "lesson_progress",
            scene=scene,
            look=self._lesson.look,
            claim=self._lesson.claim,
            varied=self._varied,
            predicted="" if self._varied else self._predicted,
            right=question.options[question.right],
        )
        if scene.verdict and not self._variations.object:
            self._finish()

    def _finish(self) -> None:
        """Tick the lesson, and offer what can be varied."""
        labels = [by.label for by in self._lesson.breaks]
        buttons = self._buttons("vary", labels, self._vary)
        self._variations.object = f"<p><b>Now vary it</b></p>{buttons}"
        self._done.add(self._lesson.slug)
        self._presses.do("tick_lesson", self._lesson.slug)
        self._draw_list()


def _html(*sheets: str) -> HTML:
    return HTML(
        "", stylesheets=[css("buttons"), css("panel", *sheets)], sizing_mode="stretch_width"
    )

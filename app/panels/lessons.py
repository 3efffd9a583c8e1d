"""The lessons: read the claim, predict, watch the run, see the verdict, then break the claim."""

import functools
import html
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from panel import ui
from panel.layout import Column
from panel.pane import HTML
from panel.viewable import Viewable

from app.page.buttons import Presses, button
from app.panels.lesson_figures import pictures
from app.panels.panel import ROOMS
from app.stylesheets import css
from engine import (
    LESSONS,
    Experiment,
    ExperimentHandle,
    Lesson,
    LessonProgress,
    Snapshot,
    Verdict,
    open_lesson,
    play_live,
)


@ROOMS.register("Lessons")
class Lessons:
    """The lecture's claims, each as an experiment to predict, watch and break."""

    main: Viewable | None = None

    def __init__(self, handle: ExperimentHandle, snapshot: Snapshot, presses: Presses) -> None:
        self._handle, self._presses = handle, presses
        self._lesson = open_lesson(next(iter(LESSONS)))
        self._scene: LessonProgress | None = None  # the last one that was shown
        self._broken = ""  # the label of the variation that is played
        self._predicted = ""  # the learner's prediction
        self.sidebar = Column(sizing_mode="stretch_width")

    def pieces(self) -> Iterator[None]:
        """The menu, then the lesson."""
        menu = ui.Select(
            label="Lesson",
            groups=_by_section(),
            value=self._lesson.name,
            size="small",
            margin=(16, 10, 5, 10),  # space for its label on the upper edge
            sizing_mode="stretch_width",
        )
        menu.param.watch(lambda event: self._open(event.new), "value")
        self._words, self._told, self._breaks = _html(), _html(), _html()
        self._pictures = Column(sizing_mode="stretch_width")
        self._open(self._lesson.name)
        self.sidebar.append(menu)
        yield
        self.sidebar.extend([self._words, self._told, self._pictures, self._breaks])

    def _open(self, name: str) -> None:
        """Show a lesson."""
        lesson = self._lesson = open_lesson(name)
        self._handle.do(lambda experiment: self._handle.works.clear("lesson"))
        self._words.object = (
            f"<h3>{_safe(lesson.claim)}</h3><p class='quiet'>{_safe(lesson.section)}"
            f" · on {_safe(lesson.data)}</p><p>{_safe(lesson.look)}</p>"
            f"<p><b>Predict, and it runs.</b> {_safe(lesson.question.text)}</p>"
            + self._buttons("predict", lesson.question.options, self._predict)
        )
        self._told.object = ""
        self._pictures[:] = []
        self._breaks.object = ""

    def _buttons(self, verb: str, labels: Iterable[str], press: Callable[[str], None]) -> str:
        """A button for each label, as HTML, so that it disappears with the text around it."""
        buttons = []
        for label in labels:
            self._presses.on(f"{verb} {label}", functools.partial(press, label))
            buttons.append(button(f"{verb} {label}", label, style="outlined", word=label))
        return "".join(buttons)

    def _predict(self, words: str) -> None:
        """Keep the learner's prediction, and play the lesson."""
        if words not in self._lesson.question.options:
            return  # pressed before the page showed the next lesson
        self._predicted = words
        self._play(self._lesson)

    def _play(self, lesson: Lesson, broken: str = "") -> None:
        handle, self._broken = self._handle, broken
        self._told.object = "<p class='quiet'>Starting …</p>"

        def begin(experiment: Experiment) -> None:
            played = play_live(experiment, lesson, handle.set_lesson_pace)
            handle.works.begin("lesson", played)

        handle.do(begin)

    def _break(self, label: str) -> None:
        for by in self._lesson.breaks:
            if by.label == label:
                self._play(self._lesson.broken(by), label)

    def show(self, snapshot: Snapshot) -> None:
        """Show the progress of the lesson."""
        scene = snapshot.beside.lesson
        if scene is None or scene is self._scene:
            return
        if scene.lesson != self._lesson.name:
            return
        if scene.exhibits and (self._scene is None or scene.exhibits != self._scene.exhibits):
            self._pictures[:] = [pictures(dict(scene.exhibits))]
        self._scene = scene
        self._told.object = self._tell(scene)
        if scene.verdict and not self._breaks.object:
            labels = [by.label for by in self._lesson.breaks]
            buttons = self._buttons("break", labels, self._break)
            self._breaks.object = f"<p><b>Now break it</b></p>{buttons}"

    def _tell(self, scene: LessonProgress) -> str:
        if scene.playing:
            return (
                f"<p>Run {scene.number} of {scene.count}: <b>{_safe(scene.playing)}</b>"
                f" – watch the plots.</p>"
            )
        note = f"<p class='quiet'>{_safe(scene.note)}</p>" if scene.note else ""
        if scene.verdict is None:
            return note
        return note + self._mark() + _verdict(scene.verdict, self._broken)

    def _mark(self) -> str:
        """Whether the prediction was right; empty for a variation."""
        question = self._lesson.question
        if self._broken:
            return ""
        right = question.options[question.right]
        if self._predicted == right:
            return f"<p>You predicted it: {_safe(right)}.</p>"
        return f"<p>You expected: {_safe(self._predicted)}. It is: {_safe(right)}.</p>"


def _verdict(verdict: Verdict, broken: str) -> str:
    word = "The claim holds here" if verdict.holds else "The claim does not hold here"
    when = f" with “{_safe(broken)}”" if broken else ""
    rows = "".join(
        f"<tr><th>{_safe(figure.label)}</th><td>{_safe(figure.text)}</td>"
        f"<td>{_safe(figure.lecture)}</td></tr>"
        for figure in verdict.figures
    )
    return (
        f"<p class='{'holds' if verdict.holds else 'fails'}' role='status'><b>{word}{when}.</b>"
        f" {_safe(verdict.sentence)}</p><table><thead><tr><th></th><td>here</td><td>lecture</td>"
        f"</tr></thead><tbody>{rows}</tbody></table>"
    )


def _by_section() -> dict[str, list[str]]:
    """The names of all lessons, by section of the lecture."""
    sections = [(open_lesson(name).section, name) for name in LESSONS]
    return {
        section: [name for _, name in group]
        for section, group in groupby(sections, key=lambda pair: pair[0])
    }


def _html(words: str = "") -> HTML:
    sheets = [css("buttons"), css("panel")]
    return HTML(words, stylesheets=sheets, sizing_mode="stretch_width")


def _safe(words: str) -> str:
    return html.escape(words)

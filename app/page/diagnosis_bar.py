"""The diagnosis bar: what is wrong, why, and two buttons: show me, and fix it."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup
from panel.pane import HTML

from app import numbers, theme
from app.explanations.explanation import explain
from app.explanations.values import found
from app.page.buttons import Presses, button
from app.settings.settings import Send
from app.stylesheets import css
from app.templates import render
from engine import (
    LESSONS,
    RULES,
    SETTINGS,
    Command,
    Finding,
    Lesson,
    LessonProgress,
    RunConfig,
    SetKnob,
    Snapshot,
    Stack,
    Status,
    lesson_of_rule,
    open_lesson,
)

AUTOPSY = "autopsy"  # the view of what broke first
MOST = 3  # findings that are listed at a time
LEARNS = (
    "These plots move because a network is learning. Turn a knob (☰): the curves answer at once,"
    " and a red line marks the change. When something is wrong, this line says what, why, and"
    " mends it."
)
CHANGED = (
    "A red line marks your change: compare what the curves do before and after it. When something"
    " is wrong, this line says what, why, and mends it."
)
CHANGED_OFTEN = (
    "Red lines mark your changes: compare what the curves do before and after each. When something"
    " is wrong, this line says what, why, and mends it."
)
WAITS = (
    "The run waits. Press Play, or make a single step: either goes on from the step that is shown,"
    " and so does a turned knob."
)
WATCHED = (
    "Somebody else steers this run: a red line marks each change. When something is wrong, this"
    " line says what and why."
)
WATCHED_WAITS = "This run waits until whoever steers it goes on."


class Prompt(NamedTuple):
    """What the learner should look at or answer, as HTML."""

    line: str  # instead of the hint, while there is no finding
    sheet: str = ""  # for a page too narrow for its sidebar; empty: none


class DiagnosisBar:
    """One line below the plots, with the findings on the run."""

    def __init__(self, send: Send, presses: Presses) -> None:
        self._send, self._do = send, presses.do
        self._snapshot: Snapshot | None = None
        self._steered = True  # whether the visitor steers the shown run
        self._undoing: list[Command] = []
        self._pointed_at = ""  # the plot that it highlights; empty: none
        self._examined = 0  # number of the last run with an autopsy; 0: none
        self._prompt: Prompt | None = None  # what the open lesson requests
        self._goal = ""  # the task of a challenge
        presses.on("show", self._show)
        presses.on("fix", self._fix)
        presses.on("undo", self._take_back)
        self.view = HTML(
            _words(LEARNS),
            stylesheets=[css("buttons"), css("diagnosis_bar"), css("sheet")],
            height=theme.DIAGNOSIS_BAR_HEIGHT,
            margin=0,
            sizing_mode="stretch_width",
        )

    def prompt(self, prompt: Prompt | None) -> None:
        """Show what a lesson requests; None: no lesson is open."""
        if prompt != self._prompt:
            self._prompt = prompt
            self.view.css_classes = ["asks"] if prompt and prompt.sheet else []
            if self._snapshot:
                self._draw(self._snapshot)

    def tell(self, goal: str) -> None:
        """Show from now on what a challenge asks for, while there is nothing wrong."""
        self._goal = goal

    def show(self, snapshot: Snapshot) -> None:
        """Show the findings of the visitor's own run."""
        self._steered = True
        self._draw(snapshot)

    def show_other(self, snapshot: Snapshot) -> None:
        """Show the findings of a run that somebody else steers: there is nothing to press."""
        self._steered = False
        self._draw(snapshot)

    def _draw(self, snapshot: Snapshot) -> None:
        before = self._snapshot
        if before and snapshot.run != before.run and snapshot.status is not Status.RUNNING:
            self._undoing = []
        self._snapshot = snapshot
        finding = self._first
        if self._pointed_at != self._seen_in:
            self._point(to="")  # the finding that was shown is gone, or another one is first
        self._leave_autopsy(snapshot)
        failed = snapshot.message and snapshot.status is not Status.DIVERGED
        self.view.object = _words(
            self._goal or _hint(snapshot) if self._steered else _hint_of_watched(snapshot),
            snapshot.message if failed else "",
            snapshot.visible_findings,
            self._prompt,
            *(
                button(name, label, icon, style="outlined", word=label)
                for name, label, icon, useful in (
                    ("show", "Show me", "visibility", finding is not None),
                    ("fix", "Fix it", "build", self._steered and bool(finding and finding.remedy)),
                    ("undo", "Undo", "undo", self._steered and bool(self._undoing)),
                )
                if useful
            ),
        )

    @property
    def _first(self) -> Finding | None:
        return (
            self._snapshot.visible_findings[0]
            if self._snapshot and self._snapshot.visible_findings
            else None
        )

    @property
    def _seen_in(self) -> str:
        """The plot in which the first finding can be seen; empty if there is none."""
        if self._snapshot is None or self._first is None:
            return ""
        return AUTOPSY if self._snapshot.autopsy else self._first.seen_in

    def _show(self) -> None:
        if self._first:
            self._point(to=self._seen_in)

    def _point(self, to: str) -> None:
        if to or self._pointed_at:
            self._pointed_at = to
            self._do("point_at", to)

    def _leave_autopsy(self, snapshot: Snapshot) -> None:
        """Leave the autopsy of a run that another one has replaced: it would be empty."""
        if snapshot.autopsy:
            self._examined = snapshot.run
        elif self._examined not in (0, snapshot.run):
            self._examined = 0
            self._do("turn_from", AUTOPSY)

    def _fix(self) -> None:
        if self._snapshot is None or self._first is None or not self._first.remedy:
            return
        config, remedy = self._snapshot.config, self._first.remedy
        turns = [command for command in remedy if isinstance(command, SetKnob)]
        self._undoing = [_setting(config, turn.path) for turn in reversed(turns)]
        for command in remedy:
            self._send(command)

    def _take_back(self) -> None:
        undoing, self._undoing = self._undoing, []
        for command in undoing:
            self._send(command)


def _setting(config: RunConfig, path: str) -> SetKnob:
    """The command that sets a setting to its value in this config."""
    value, stack = config.value(path), SETTINGS[path].values
    return SetKnob(path, stack.write(value) if isinstance(stack, Stack) else value)


def _hint(snapshot: Snapshot) -> str:
    """The text while there is nothing wrong."""
    if snapshot.status is not Status.RUNNING:
        return WAITS
    markers = (*snapshot.markers, *(snapshot.other.markers if snapshot.other else ()))
    changes = len({marker.step for marker in markers if marker.path})
    return (LEARNS, CHANGED, CHANGED_OFTEN)[min(changes, 2)]


def _hint_of_watched(snapshot: Snapshot) -> str:
    """The text while there is nothing wrong with a run that somebody else steers."""
    lesson = snapshot.background.lesson
    if lesson and lesson.lesson in LESSONS:
        return _of_watched_lesson(lesson, open_lesson(lesson.lesson))
    return WATCHED if snapshot.status is Status.RUNNING else WATCHED_WAITS


def _of_watched_lesson(progress: LessonProgress, lesson: Lesson) -> str:
    """Where a lesson is that somebody else plays, for those who predict with them."""
    if progress.playing:
        return f"Run {progress.number} of {progress.count}: {progress.playing}. {lesson.look}"
    if progress.verdict and progress.asks and lesson.runs:
        return "The runs are over. What do they show? Say so before you hear the verdict."
    if progress.verdict and not progress.asks:
        return f"{lesson.title} {progress.verdict.sentence}"
    if progress.note:
        return progress.note
    if lesson.runs:
        then = "Nothing has run yet: the plots begin once a prediction is made."
    else:
        then = "It has figures in place of runs, on the page that plays it."
    return f"A lesson asks: {lesson.question.text} What do you expect? {then}"


def _words(
    hint: str,
    message: str = "",
    findings: Sequence[Finding] = (),
    prompt: Prompt | None = None,
    *buttons: str,
) -> str:
    """A message of the run, or the most serious finding in full and the next in a line each."""
    return render(
        "diagnosis_bar",
        hint=hint,
        message=message,
        findings=findings,
        line=Markup(prompt.line) if prompt else "",
        sheet=Markup(prompt.sheet) if prompt else "",
        most=MOST,
        band=_band,
        buttons=Markup("".join(buttons)),
    )


def _in_words(snapshot: Snapshot) -> str:
    """The names of the findings."""
    if snapshot.lesson_asks:
        return "told with the verdict of the lesson"
    return "; ".join(x.rule for x in snapshot.findings) or "nothing is wrong"


def _band(band: tuple[float, float]) -> str:
    low, high = band
    if high == float("inf"):
        return f"above {numbers.number(low)}"
    if low == 0:
        return f"up to {numbers.number(high)}"
    return f"{numbers.number(low)} to {numbers.number(high)}"


explain(
    "findings",
    "Diagnosis",
    "What is wrong with the run, worst first: its number, the healthy range, the cause, and what to"
    " do. Each is a rule that was set on runs of all bundled data sets.",
    now=lambda snapshot, name: _in_words(snapshot),
    healthy="nothing here",
    moved_by="The learning rate, the first weights, the activation and the penalties, mostly.",
)
explain("button show", "Show me", "Points at the plot in which the finding can be seen.")
explain(
    "button fix",
    "Fix it",
    "Turns the knobs as the diagnosis advises. Undo turns them back, and the curves say whether it"
    " helped.",
)
explain("button undo", "Undo", "Turns the knobs back to where they were before Fix it.")


def _healthy(snapshot: Snapshot, rule: str) -> str:
    finding = found(snapshot, rule)
    return _band(finding.band) if finding else ""


def _advice(snapshot: Snapshot, rule: str) -> str:
    finding = found(snapshot, rule)
    return finding.advice if finding else ""


for _rule in RULES.values():
    explain(
        f"finding {_rule.name}",
        _rule.name.capitalize(),
        _rule.summary,
        healthy=_healthy,
        moved_by=_advice,
        lesson=lesson_of_rule(_rule.name),
    )

"""What a student hands in, from the lessons: a file for `python -m engine grade`, and a report."""

from collections.abc import Callable, Iterable, Mapping

from markupsafe import Markup
from panel import ui
from panel.layout import Column
from panel.pane import HTML

from app import numbers, palette
from app.explanations.explanation import explain
from app.sharing.file_button import NamedFile, file_button
from app.sharing.svg_charts import Line, curves
from app.stylesheets import css
from app.templates import render, sentence
from engine import (
    LESSONS,
    ExperimentHandle,
    HandIn,
    LessonAnswer,
    PastRun,
    hand_in,
    open_lesson,
    own_file,
    slug_of,
    to_bytes,
)

PATIENCE = 20.0  # seconds to wait for the engine
EXPLAINED = """
<h4>Hand in</h4>
<p class="quiet">Your answers to lessons, and the runs that you have pinned in Runs with their
notes. Runs are repeated to the bit where it is graded.</p>
"""


class HandInForm:
    """A field for the name, and the two files."""

    def __init__(
        self, handle: ExperimentHandle, answers: Mapping[tuple[str, str], LessonAnswer]
    ) -> None:
        self._handle, self._answers = handle, answers
        self._name = ui.TextInput(
            label="Your name or number",
            max_length=100,
            size="small",
            margin=(5, 10),
            sizing_mode="stretch_width",
        )
        self._status = HTML("", stylesheets=[css("panel")], sizing_mode="stretch_width")
        self._files = [
            self._file("Hand-in (JSON)", "json", to_bytes),
            self._file("Report (HTML)", "html", self._report),
        ]
        self._name.param.watch(lambda event: self._allow(), "value_input")
        self._allow()
        self.view = Column(
            HTML(EXPLAINED, stylesheets=[css("panel", "course")], sizing_mode="stretch_width"),
            self._name,
            *self._files,
            self._status,
            sizing_mode="stretch_width",
        )

    @property
    def _pinned(self) -> tuple[PastRun, ...]:
        """The runs pinned in the visitor's own experiment, also while a lesson is shown."""
        return self._handle.submit(lambda slot: slot.own.pinned).result(PATIENCE)

    def _made(self) -> HandIn:
        pinned = self._pinned
        self._status.object = sentence(_left_out(pinned))
        return hand_in(self._student, self._answers.values(), pinned)

    @property
    def _student(self) -> str:
        return str(self._name.value_input or self._name.value or "")

    def _allow(self) -> None:
        """Enable the files once there is a legal name."""
        try:
            hand_in(self._student, (), ())
        except ValueError as error:
            refusal = str(error)
        else:
            refusal = ""
        for button in self._files:
            button.disabled = bool(refusal)
        self._status.object = sentence(refusal, "quiet")

    def _file(self, label: str, suffix: str, make: Callable[[HandIn], bytes]) -> ui.FileDownload:
        def file() -> NamedFile:
            plain = "".join(x if x.isalnum() else "-" for x in self._student)
            return f"hand-in-{plain.strip('-')}.{suffix}", make(self._made())

        return file_button(label, file, margin=(3, 10), width=None)

    def _report(self, made: HandIn) -> bytes:
        return report(made, self._pinned).encode()


def _left_out(pinned: Iterable[PastRun]) -> str:
    """Which pinned runs are not in the file, and why."""
    files = {past.name: own_file(past) for past in pinned}
    named = [f"“{name}” learns from your {file}" for name, file in files.items() if file]
    if not named:
        return ""
    return f"{'; '.join(named)}: that cannot be repeated elsewhere, so it is in the report alone."


def report(made: HandIn, pinned: Iterable[PastRun]) -> str:
    """The hand-in as a page to read and to print."""
    lessons = {slug_of(name): open_lesson(name) for name in LESSONS}
    runs = [
        (past, Markup("".join(_curves(past))), _figures(past)) for past in pinned if past.digest
    ]
    return render("hand_in", made=made, css=Markup(css("report")), lessons=lessons, runs=runs)


def _figures(past: PastRun) -> dict[str, str]:
    metrics = past.metrics
    return {
        "Steps": f"{past.step:,}",
        "Changes": f"{len(past.begin.script):,}",
        "Training loss": numbers.number(metrics.train_loss),
        "Validation loss": numbers.number(metrics.validation_loss),
        "Training accuracy": numbers.decimal_percent(metrics.train_accuracy),
        "Validation accuracy": numbers.decimal_percent(metrics.validation_accuracy),
    }


def _curves(past: PastRun) -> Iterable[str]:
    columns = past.curves
    for title, train, validation, log in (
        ("Loss", "loss", "validation_loss", bool((columns["loss"] > 0).all())),
        ("Accuracy", "train_accuracy", "validation_accuracy", False),
    ):
        lines = (
            Line("training", palette.TRAIN, "solid", columns["step"], columns[train]),
            Line("validation", palette.VALIDATION, "dashed", columns["step"], columns[validation]),
        )
        yield curves(title, lines, [], log=log)


explain(
    "field Lessons Your name or number",
    "Your name or number",
    "By which the teacher knows whose hand-in it is. It is in the file.",
)
explain(
    ("field Lessons Hand-in *", "field Lessons Report *"),
    "Hand in",
    "Saves your predictions, reasons, answers and pinned runs as a file to be handed in. A run"
    " in it"
    " can be repeated to the bit, so that it can be checked.",
)

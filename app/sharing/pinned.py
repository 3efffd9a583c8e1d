"""The "Runs" dialog: pin this run, and compare it with others."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from panel import ui
from panel.layout import Column, FlexBox, Row
from panel.pane import HTML
from panel.viewable import Viewable

from app import numbers
from app.explanations.explanation import explain
from app.plots.ghost_runs import branches, run_before
from app.stylesheets import css
from app.templates import render, sentence
from engine import (
    MAX_NAME,
    MAX_NOTE,
    MAX_PINNED,
    SETTINGS,
    Begin,
    Choice,
    Curves,
    ExperimentHandle,
    PastRun,
    Pin,
    RunConfig,
    Snapshot,
    Stack,
    Unpin,
    check_pin,
    counted,
    written,
)

EXPLAINED = f"""
<p>A pinned run stays in the plots beside those that follow, and in this table: up to {MAX_PINNED}.
What they do not have in common stands out. <em>Load</em> begins a run with its settings,
<em>Repeat</em> makes the same run again to the bit, with all that was changed on the way.</p>
"""


class Runs:
    """Pins, unpins, restarts and compares runs."""

    title = "Runs, side by side"
    width = "lg"

    def __init__(self, handle: ExperimentHandle) -> None:
        self._handle = handle
        self._names: tuple[str, ...] | None = None  # of the listed pinned runs
        self._name = ui.TextInput(
            label="Name of this run",
            max_length=MAX_NAME,
            size="small",
            width=280,
            margin=(5, 0),
        )
        self._note = ui.TextInput(
            label="A note on it, for a hand-in",
            max_length=MAX_NOTE,
            size="small",
            width=280,
            margin=(5, 0, 5, 8),
        )
        pin = ui.Button(
            label="Pin this run", icon="push_pin", variant="contained", margin=(8, 0, 0, 8)
        )
        pin.on_click(lambda event: self._pin())
        self._refusal = HTML("", stylesheets=[css("words")], sizing_mode="stretch_width")
        self._list = Column(sizing_mode="stretch_width")
        self._table = HTML("", stylesheets=[css("table")], sizing_mode="stretch_width")
        self.view: Viewable = Column(
            HTML(EXPLAINED, stylesheets=[css("words")], sizing_mode="stretch_width"),
            FlexBox(self._name, self._note, pin),
            self._refusal,
            self._list,
            self._table,
            sizing_mode="stretch_width",
        )

    def opened(self) -> None:
        """Show the current state of the runs."""
        self._refusal.object = ""
        self._names = None
        self.show(self._handle.latest)

    def show(self, snapshot: Snapshot) -> None:
        """Follow the experiment."""
        names = tuple(past.name for past in snapshot.pinned)
        if names != self._names:
            self._names = names
            self._list[:] = [self._line(name) for name in names]
            self._name.value = _free(f"run {snapshot.run}", names)
        self._table.object = table(snapshot)

    def _line(self, name: str) -> Viewable:
        load = ui.Button(
            label=f"Load {name}", icon="replay", size="small", variant="outlined", margin=(2, 4)
        )
        load.on_click(lambda event: self._begin(name, lambda past: Begin(past.config)))
        repeat = ui.Button(
            label=f"Repeat {name}", icon="history", size="small", variant="outlined", margin=(2, 4)
        )
        repeat.on_click(lambda event: self._begin(name, lambda past: past.begin))
        unpin = ui.Button(
            label=f"Unpin {name}", icon="close", size="small", variant="text", margin=(2, 4)
        )
        unpin.on_click(lambda event: self._handle.send(Unpin(name)))
        return Row(load, repeat, unpin)

    def _pin(self) -> None:
        name, note = self._name.value.strip(), self._note.value.strip()
        try:
            check_pin(name, self._handle.latest.pinned, note)
        except ValueError as error:
            self._refusal.object = sentence(str(error), role="alert")
            return
        self._refusal.object = ""
        self._note.value = ""
        self._handle.send(Pin(name, note))

    def _begin(self, name: str, command: Callable[[PastRun], Begin]) -> None:
        for past in self._handle.latest.pinned:
            if past.name == name:
                self._handle.send(command(past))


def _free(name: str, taken: Sequence[str]) -> str:
    """The name, or a similar one if another run has it."""
    number = 2
    free = name
    while free in taken:
        free = f"{name} ({number})"
        number += 1
    return free


# ---- the table ------------------------------------------------------------------------------


class TableRow(NamedTuple):
    """A row of the table: one quantity or setting of all runs."""

    label: str
    cells: Sequence[str]  # one per run
    kind: str  # "differs" or "same" for a setting, else empty


def compared(snapshot: Snapshot) -> list[PastRun]:
    """The runs of the table: this one, the one before, other branches, and the pinned ones."""
    now = PastRun(
        "this run",
        snapshot.run,
        snapshot.config,
        snapshot.curves,
        snapshot.step,
        snapshot.metrics,
        Begin(snapshot.config),
    )
    before = run_before(snapshot)
    return [now, *([before] if before else []), *branches(snapshot), *snapshot.pinned]


def settings(config: RunConfig) -> dict[str, str]:
    """All settings of a config as text, by label."""
    rows = {setting.label: _written(config, path) for path, setting in SETTINGS.items()}
    rows["Seed"] = str(config.seed)
    data = config.data
    if data.examples is not None:
        rows["Examples"] = f"the first {data.examples:,}"
    if data.classes:
        rows["Classes"] = ", ".join(data.classes)
    if data.seed is not None:
        rows["Seed of the data"] = str(data.seed)
    if config.start is not None:
        origin = config.start
        rows["Starts from"] = f"{counted(origin.steps, 'steps')} on {origin.data.dataset.name}"
    return rows


def _written(config: RunConfig, path: str) -> str:
    value = config.value(path)
    if isinstance(value, Choice):
        return choice_in_words(value)
    values = SETTINGS[path].values
    if isinstance(values, Stack):
        return values.write(value) or "none"
    return written(value)


def choice_in_words(choice: Choice) -> str:
    """A choice and its knobs as text."""
    knobs = ", ".join(f"{name} {written(number)}" for name, number in choice.knobs.items())
    return f"{choice.name} ({knobs.replace('_', ' ')})" if knobs else choice.name


def figures(step: int, curves: Curves) -> dict[str, str]:
    """The last figures of a run's curves as text."""
    return {
        "Steps": f"{step:,}",
        "Training loss": numbers.number(curves.last("loss")),
        "Validation loss": numbers.number(curves.last("validation_loss")),
        "Training accuracy": numbers.decimal_percent(curves.last("train_accuracy")),
        "Validation accuracy": numbers.decimal_percent(curves.last("validation_accuracy")),
    }


def table(snapshot: Snapshot) -> str:
    """The runs as columns: their last figures, and their settings."""
    runs = compared(snapshot)
    ends = [figures(past.step, past.curves) for past in runs]
    texts = [settings(past.config) for past in runs]
    rows = [_row(label, ends, "") for label in ends[0]]
    rows += [
        _row(label, texts, "same" if len({one.get(label) for one in texts}) == 1 else "differs")
        for label in dict.fromkeys(label for one in texts for label in one)
    ]
    rows.sort(key=lambda row: row.kind == "same")  # differences come first
    return render("runs", names=[_called(past, snapshot) for past in runs], rows=rows)


def _called(past: PastRun, snapshot: Snapshot) -> str:
    """The title of a column; as in the plots, the run before has no name of its own."""
    return f"before (run {past.run})" if past is snapshot.previous else past.name


def _row(label: str, runs: Sequence[Mapping[str, str]], kind: str) -> TableRow:
    return TableRow(label, [run.get(label, "–") for run in runs], kind)


explain(
    ("button dialog Runs", "dialog Runs, side by side"),
    "Runs",
    "Pins the run as it is now, so that its curves stay in the plots beside the next ones; and"
    " compares what differs in their settings.",
)
explain(
    "field Runs, side by side *",
    "Pinned runs",
    "The runs that you keep, with a name and a note, each to be loaded or repeated to the bit.",
)
explain(
    ("field Runs, side by side Name *", "field Runs, side by side A note *"),
    "Name and note",
    "What the pinned run is called in the plots, and what you want to say of it in a hand-in.",
)
explain(
    "field Runs, side by side Pin *",
    "Pin this run",
    "Keeps the run as it is now: its curves stay in the plots, beside whatever you try next.",
)
explain(
    "field Runs, side by side Runs *",
    "Runs compared",
    "The settings in which the pinned runs differ, and how far each has come.",
)

"""The "Share" dialog: a link to this run for the clipboard, and what the page should hide."""

from collections.abc import Callable

from panel import ui
from panel.layout import Column, Row
from panel.pane import HTML
from panel.viewable import Viewable

from app.explanations.explanation import explain
from app.page.bridge import Bridge
from app.panel_document import address_of_page
from app.sharing import packed_runs, run_links
from app.sharing.run_links import hideable
from app.stylesheets import css
from engine import (
    MOST_REDRAWS,
    SETTINGS,
    Effect,
    ExperimentHandle,
    Recording,
    Snapshot,
    files_named,
    record,
)

PATIENCE = 10.0  # seconds
EXPLAINED = """
<p>Whoever opens this link sees the run repeated from its first step to step {step}, every change
of a knob included, and gets the same weights to the bit on a machine of the same kind.</p>
"""
BRANCHES = "<p>Other branches: {all}. It holds {held}; each is repeated when one goes there.</p>"
CARRIES = "Show this step at once: a link of {size:,} kB, too long for some programs"
DRAWN_ANEW = (
    "<p>Its weights were drawn anew {times} times. A link carries the state of a run up to {most}"
    " times: of this one the last step is shown only once the run has been repeated.</p>"
)
TAKES = "<p>To repeat it takes {seconds} s of training here, and longer while others train.</p>"
FILE = "<p role='alert'>It learns from {file}, which no link contains: send the file along.</p>"

type Address = Callable[[], str]


class Sharing:
    """Makes the link with the visitor's options."""

    title = "Share this run"
    width = "sm"

    def __init__(
        self, handle: ExperimentHandle, bridge: Bridge, address: Address = address_of_page
    ) -> None:
        self._handle, self._address = handle, address
        self._recording: Recording | None = None
        self._status = HTML("", stylesheets=[css("words")], sizing_mode="stretch_width")
        self._link = ui.TextInput(
            label="Link", value="", size="small", sizing_mode="stretch_width", margin=(5, 0)
        )
        self._copy = ui.Button(
            label="Copy", icon="content_copy", variant="contained", width=120, margin=(8, 0, 0, 8)
        )
        self._copy.on_click(lambda event: bridge.do("copy", self._link.value))
        bridge.on("answer", lambda action, answer: self._copied(answer))
        self._goes_on = ui.Switch(label="Go on training from there", value=False, margin=(5, 0))
        self._state = b""
        self._carries = ui.Switch(label="", value=False, margin=(5, 0))
        self._hidden = ui.MultiChoice(
            label="Hide, for a lesson",
            options={label: name for name, label in hideable().items()},
            value=[],
            sizing_mode="stretch_width",
            margin=(5, 0),
        )
        for widget in (self._goes_on, self._carries, self._hidden):
            widget.param.watch(lambda event: self._write(), "value")
        self.view: Viewable = Column(
            self._status,
            Row(self._link, self._copy, sizing_mode="stretch_width"),
            self._goes_on,
            self._carries,
            self._hidden,
            sizing_mode="stretch_width",
        )

    def opened(self) -> None:
        """Make the link to the current run."""
        done = self._handle.query(
            lambda experiment: (record(experiment), experiment.packed_state())
        )
        self._recording, self._state = done.result(PATIENCE)
        carried = len(run_links.fragment(self._state))
        self._carries.param.update(
            value=False, visible=carried > 0, label=CARRIES.format(size=max(1, carried // 1000))
        )
        self._write()

    def _copied(self, answer: str) -> None:
        self._copy.label = "Copied" if answer == "copied" else "Select it"

    def show(self, snapshot: Snapshot) -> None:
        """Nothing to follow: the link is to the run as it was when the dialog was opened."""

    def _write(self) -> None:
        recording = self._recording
        if recording is None:
            return
        text = EXPLAINED.format(step=f"{recording.steps:,}")
        try:
            asked = run_links.query(
                recording, self._goes_on.value, self._hidden.value or [], self._handle.pace
            )
            carried = run_links.fragment(self._state) if self._carries.value else ""
            link = f"{self._address()}{asked}{carried}"
        except ValueError as error:
            text, link = f"<p role='alert'>{error}</p>", ""
        if speed := self._handle.latest.training_steps_per_second:
            text += TAKES.format(seconds=max(1, round(recording.steps / speed)))
        drawn = sum(SETTINGS[turn.path].effect is Effect.REDRAW for _, turn in recording.turns)
        if drawn > MOST_REDRAWS:
            text += DRAWN_ANEW.format(times=drawn, most=MOST_REDRAWS)
        if recording.branches:
            held = packed_runs.branches_held(recording)
            text += BRANCHES.format(all=len(recording.branches), held=held)
        for file, _ in files_named(recording.config.to_json()):
            text += FILE.format(file=file.replace("&", "&amp;").replace("<", "&lt;"))
        self._status.object = text
        self._copy.param.update(disabled=not link, label="Copy")
        self._link.value = link


explain(
    ("button dialog Share", "dialog Share this run"),
    "Share",
    "Makes a link that repeats this run: to the bit on a machine of the same kind.",
)
explain(
    "field Share this run *",
    "A link to this run",
    "What the link holds: the settings and all changes, and if you like the state, so that the step"
    " is shown at once. Parts of the page can be hidden by it, for a lesson.",
)
explain(
    ("field Share this run Link", "field Share this run Copy"),
    "Link",
    "The address that repeats this run: its first settings and all changes, step by step.",
)
explain(
    "field Share this run Go on *",
    "Go on training",
    "Whether the run goes on by itself from there, or waits for whoever opens the link.",
)
explain(
    "field Share this run Show *",
    "Show this step at once",
    "Puts the weights into the link, so that its step is seen before the run has been repeated.",
)
explain(
    "field Share this run Hide, *",
    "Hide",
    "Parts of the page that the link leaves out, so that a lesson shows what it speaks of alone.",
)

"""The timeline under the plots: as long as the run, to look back at any step of it.

What moves there is the browser's (app/static/timeline.js); what is asked for comes here.
"""

from collections.abc import Callable
from typing import Literal

from panel.pane import HTML

from app.explanations.explanation import explain
from app.page.buttons import Presses, button
from app.settings.settings import Send
from app.stylesheets import css
from engine import (
    Command,
    EndLockstep,
    ExperimentHandle,
    GoTo,
    LookAhead,
    LookBack,
    Play,
    RunConfig,
    SetKnob,
    Snapshot,
    StartLockstep,
    Status,
    Turn,
)

type Target = Literal["A", "B", "both"]

OF_FIRST: Target = "B"  # the run that changes are made in, when a comparison begins
LOCKSTEP = "Train a second run, B, beside this one from the step that is shown"
LOOK = "look"  # the kind of message with the step that is to be shown
DIGITS = 12  # of a step, at most
TIMELINE = """
<div class="timeline" role="group" aria-label="Timeline" data-explain="timeline">
  <button type="button" data-film data-explain="button film" aria-pressed="false"
   aria-label="Film of this run"
   title="The run from its first step to now, in 20 seconds"
  ><span class="icon" aria-hidden="true">movie</span></button>
  <div class="track">
    <div class="marks" aria-hidden="true"></div>
    <span class="changed" data-text="changed" hidden></span>
    <span class="noticed" data-text="noticed"></span>
    <input type="range" min="0" max="1" step="any" value="1" aria-label="Step that is shown"
     title="Early steps have more space here than in plots of all steps" data-explain="timeline">
  </div>
  <p role="status" data-text="look" data-value=""></p>
  <p class="hint" data-text="branch">Drag to look back at any step.</p>
  <button type="button" class="outlined open" popovertarget="branches" aria-haspopup="menu"
   data-explain="button branches" hidden></button>
  <div id="branches" class="branches" popover role="menu" aria-label="Branches"></div>
  {buttons}
</div>
<div class="lockstep" role="group" aria-label="A | B">
  <p data-text="lockstep" data-value=""></p>
  <div class="asks">
    <span id="turns">A change is made in</span>
    <div class="turns" role="group" aria-labelledby="turns">{targets}</div>
  </div>
  {end}
</div>
"""
TARGETS: tuple[Target, ...] = ("A", "B", "both")
TARGET = (
    '<button type="button" class="outlined" data-press="turns" data-value="{of}"'
    ' aria-pressed="{pressed}">{of}</button>'
)


class Timeline:
    """The scrubber, and what it, its buttons and its keys do."""

    def __init__(
        self, send: Send, handle: Callable[[], ExperimentHandle], presses: Presses
    ) -> None:
        self._send, self._handle = send, handle
        self._of: Target = OF_FIRST
        self.on_target: Callable[[], None] = lambda: None
        presses.on("continue", lambda: send(Play()))
        presses.on("now", lambda: send(LookAhead()))
        presses.on_value("branch", self.go_to)
        presses.on("lockstep", self.lockstep)
        presses.on("end lockstep", lambda: send(EndLockstep()))
        presses.on_value("turns", self.aim)
        self.view = HTML(
            TIMELINE.format(
                buttons=button(
                    "continue", "Continue from here", word="Continue from here", style="outlined"
                )
                + button("now", "Back to now", word="Back to now", style="outlined")
                + button("lockstep", LOCKSTEP, word="A | B", style="outlined"),
                targets="".join(
                    TARGET.format(of=of, pressed=str(of == OF_FIRST).lower()) for of in TARGETS
                ),
                end=button("end lockstep", "End A | B", word="End A | B", style="outlined"),
            ),
            stylesheets=[css("buttons"), css("timeline")],
            margin=0,
            sizing_mode="stretch_width",
        )

    @property
    def _latest(self) -> Snapshot:
        return self._handle().latest

    def look(self, step: str) -> None:
        """Show a step, or the current state; the browser may send anything."""
        if step.isdecimal():
            self._send(LookBack(min(int(step[:DIGITS]), self._latest.end)))
        else:
            self._send(LookAhead())

    def back(self, steps: int = 1) -> None:
        """Look so many steps further back; from the first there is no way back."""
        now = self._latest
        wanted = now.looking_back.step if now.looking_back else now.step
        if wanted > 0:
            self._send(LookBack(max(0, wanted - steps)))

    def go_to(self, run: str) -> None:
        """Take up another branch; the browser may send anything."""
        if run.isdecimal():
            self._send(GoTo(int(run[:DIGITS])))

    def last_left(self) -> None:
        """Take up the branch that was left last, if there is one."""
        if branches := self._latest.branches:
            self._send(GoTo(branches[-1].run))

    def lockstep(self) -> None:
        """Train run B beside this one, or stop that."""
        self._of = OF_FIRST
        self._send(EndLockstep() if self._latest.other else StartLockstep())

    def aim(self, of: str) -> None:
        """Make the next changes in A, in B or in both."""
        known: dict[str, Target] = {target: target for target in TARGETS}
        if of in known:
            self._of = known[of]
            self.on_target()

    @property
    def of(self) -> Target:
        """The run that changes are made in: A, B or both."""
        return self._of if self._latest.other else "A"

    @property
    def config(self) -> RunConfig:
        """The settings of the run that changes are made in; for both, A's."""
        now = self._latest
        return now.other.config if now.other and self.of == "B" else now.config

    def send_change(self, command: Command) -> None:
        """Send a change, addressed to the run that changes are made in."""
        of = self.of
        self._send(Turn(command, of) if isinstance(command, SetKnob) and of != "A" else command)

    def undo(self) -> None:
        """Go back to the step before the last change, and train on if the run is running."""
        now = self._latest
        changes = [
            x.step for x in now.markers if x.path and (not now.looking_back or x.step < now.step)
        ]
        if changes:
            self._send(LookBack(changes[-1]))
            if now.status is Status.RUNNING:
                self._send(Play())


explain(
    "timeline",
    "Timeline",
    "Drag it to see any step again, rebuilt to the bit, while training waits; early steps have more"
    " space here than in the plots. A knob that you turn there begins another run, from that step.",
    now=lambda snapshot, name: f"step {snapshot.step:,} of {snapshot.end:,}",
    shortcut=",",
)
explain(
    "number changed",
    "Changes on the timeline",
    "The steps at which a setting was changed: drag to one to see what it did.",
)
explain(
    "number noticed",
    "Marks on the timeline",
    "Where the run was changed, and where the diagnosis first found something. They stay, so that"
    " you can go back to where it began.",
)
explain("number look", "Step that is shown", "Which step you look at, and how far it is rebuilt.")
explain(
    "number branch",
    "Branch",
    "From which step of which run this one goes on, or when it will pause by itself.",
)
explain(
    "button branches",
    "Other branches",
    "All the ways that this run has gone, each from where it left another. A press takes one up"
    " again.",
    shortcut="g",
)
explain(
    "button branch", "A branch", "A run that was left: a press takes it up again.", shortcut="g"
)
explain(
    "button film",
    "Film",
    "Plays the run from its first step to now, in 20 seconds. The numbers are those of each step.",
)
explain(
    "button continue",
    "Continue from here",
    "Trains on from the step that is shown, as another branch. The steps behind it stay, faint.",
    shortcut=" ",
)
explain("button now", "Back to now", "Shows the last step of the run again, and changes nothing.")
explain(
    "button lockstep",
    "A | B",
    "Trains a second run, B, beside this one, on the same mini-batches. Change one thing in B, and"
    " what differs then is what it does.",
    shortcut="v",
)
explain(
    "number lockstep",
    "A and B",
    "From which step both runs differ, and how far their weights are apart now.",
    moved_by="Each change that is made in one of them alone.",
)
explain("button turns", "A, B or both", "In which of the two runs the knobs act.")
explain("button end lockstep", "End A | B", "Ends run B, and goes on with A alone.", shortcut="v")

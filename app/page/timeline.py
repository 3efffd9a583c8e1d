"""The timeline under the plots: as long as the run, to look back at any step of it.

What moves there is the browser's (app/static/timeline.js); what is asked for comes here.
"""

from collections.abc import Callable

from panel.pane import HTML

from app.page.buttons import Presses, button
from app.settings.settings import Send
from app.stylesheets import css
from engine import ExperimentHandle, GoTo, LookAhead, LookBack, Play, Snapshot, Status

LOOK = "look"  # the kind of message that tells which step somebody wants to see
DIGITS = 12  # of a step, at most
TIMELINE = """
<div class="timeline" role="group" aria-label="Timeline">
  <div class="track">
    <div class="marks" aria-hidden="true"></div>
    <input type="range" min="0" max="1" step="any" value="1" aria-label="Step that is shown">
  </div>
  <p role="status" data-text="look" data-value=""></p>
  <p class="hint" data-text="branch">Drag to look back at any step.</p>
  <button type="button" class="outlined open" popovertarget="branches" hidden></button>
  <div id="branches" class="branches" popover role="group" aria-label="Branches"></div>
  {buttons}
</div>
"""


class Timeline:
    """The scrubber, and what it, its buttons and its keys do."""

    def __init__(
        self, send: Send, handle: Callable[[], ExperimentHandle], presses: Presses
    ) -> None:
        self._send, self._handle = send, handle
        presses.on("continue", lambda: send(Play()))
        presses.on("now", lambda: send(LookAhead()))
        presses.on_value("branch", self.go_to)
        self.view = HTML(
            TIMELINE.format(
                buttons=button(
                    "continue", "Continue from here", word="Continue from here", style="outlined"
                )
                + button("now", "Back to now", word="Back to now", style="outlined")
            ),
            stylesheets=[css("buttons"), css("timeline")],
            margin=0,
            sizing_mode="stretch_width",
        )

    @property
    def _latest(self) -> Snapshot:
        return self._handle().latest

    def look(self, step: str) -> None:
        """Show a step, or what there is now; the browser may say anything."""
        if step.isdecimal():
            self._send(LookBack(min(int(step[:DIGITS]), self._latest.end)))
        else:
            self._send(LookAhead())

    def back(self, steps: int = 1) -> None:
        """Look so many steps further back."""
        now = self._latest
        wanted = now.looking.step if now.looking else now.step
        self._send(LookBack(max(0, wanted - steps)))

    def go_to(self, run: str) -> None:
        """Take up another branch; the browser may say anything."""
        if run.isdecimal():
            self._send(GoTo(int(run[:DIGITS])))

    def last_left(self) -> None:
        """Take up the branch that was left last, if there is one."""
        if branches := self._latest.branches:
            self._send(GoTo(branches[-1].run))

    def undo(self) -> None:
        """Go back to before the last change; on from there, if the run is running."""
        now = self._latest
        changes = [x.step for x in now.markers if x.path and (not now.looking or x.step < now.step)]
        if changes:
            self._send(LookBack(changes[-1]))
            if now.status is Status.RUNNING:
                self._send(Play())

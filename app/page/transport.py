"""The buttons Play, Step, Epoch, Restart and New seed, which control a run in time."""

from collections.abc import Callable

from app.explanations.explanation import explain
from app.page.buttons import Presses, button
from app.page.pace_control import PaceControl
from app.plots.plot_data import PAUSE, PLAY
from app.settings.settings import Send
from engine import ExperimentHandle, FinishEpoch, Pause, Play, Restart, Snapshot, Status, Step

STUCK = (Status.DIVERGED, Status.FAILED)
SEVERAL = 10  # steps made by one key
RESTS = "There is no run here to steer: go on with the lesson, or go back to your own run."
# What steers a run or looks into it, and is refused while none is shown.
STEERS = {
    *(("press", name) for name in ("play", "step", "epoch", "restart", "reseed", "dialog Explain")),
    *(("key", key) for key in " .>eri,<tgv[]"),
}
UNLESS = " ".join(STUCK)  # the states in which a run cannot continue
NEVER = "nothing"  # a button that is enabled in every state, as long as there is a run
# Its label changes with the run, so it comes with the frames. A press does what the label said.
PLAY_BUTTON = f"""
<button type="button" class="outlined play" data-press="play" data-unless="{UNLESS}">
  <span class="icon" aria-hidden="true" data-text="play.icon">pause</span>
  <span class="word" data-text="play">{PAUSE}</span>
</button>
"""


class Transport:
    """The buttons and keys that control a run in time."""

    def __init__(
        self, send: Send, handle: Callable[[], ExperimentHandle], presses: Presses
    ) -> None:
        self._send, self._handle, self._presses = send, handle, presses
        self._rests = False  # while the page shows a lesson without a run
        self.pace = PaceControl(handle, presses)
        presses.on_value("play", self.play_or_pause)
        presses.on("step", self.step)
        presses.on("epoch", self.finish_epoch)
        presses.on("restart", self.restart)
        presses.on("reseed", self._draw_anew)
        self.html = (
            PLAY_BUTTON
            + self.pace.html
            + button("step", "Step", "skip_next", unless=UNLESS)
            + button("dialog Explain", "Explain the next step", "troubleshoot", unless=UNLESS)
            + button("epoch", "Epoch", "fast_forward", unless=UNLESS)
            + button("restart", "Restart", "replay", unless=NEVER)
            + button("reseed", "New seed", "casino", unless=NEVER)
        )

    def rest(self, rests: bool) -> None:
        """Disable what steers a run, with the reason, while the page shows no run; or enable it."""
        if rests != self._rests:
            self._rests = rests
            self._presses.do("rest", RESTS if rests else "")

    def refuses(self, kind: str, name: str) -> str:
        """Why this action is refused while the page shows no run; empty: it is not."""
        return RESTS if self._rests and (kind, name) in STEERS else ""

    def _latest(self) -> Snapshot:
        return self._handle().latest

    @property
    def _stuck(self) -> bool:
        return self._latest().status in STUCK

    def play_or_pause(self, label: str = "") -> None:
        """Do what the button said when it was pressed; without a label, toggle."""
        if not self._stuck:
            running = self._latest().status is Status.RUNNING
            pauses = label == PAUSE if label in (PAUSE, PLAY) else running
            self._send(Pause() if pauses else Play())

    def step(self, steps: int = 1) -> None:
        """Make one step or several."""
        for _ in range(0 if self._stuck else steps):
            self._send(Step())

    def finish_epoch(self) -> None:
        """Train to the end of this epoch."""
        if not self._stuck:
            self._send(FinishEpoch())

    def restart(self) -> None:
        """Restart this run with the same seed."""
        self._send(Restart())

    def _draw_anew(self) -> None:
        self._send(Restart(self._latest().config.seed + 1))


explain(
    "button play",
    "Play and Pause",
    "Lets the network train, step after step, or stops it where it is. Nothing is lost by a pause.",
    shortcut=" ",
)
explain(
    "button step",
    "Step",
    "Makes one step of training and pauses: one mini-batch forward, backward, and one update.",
    shortcut=".",
    lesson="update-ratio",
)
explain(
    "button epoch",
    "Epoch",
    "Trains to the end of this epoch and pauses. An epoch is over when every training example was"
    " used once.",
    shortcut="e",
)
explain(
    "button restart",
    "Restart",
    "Begins this run again from its first step, with the settings as they are now. The seed stays,"
    " so the same weights are drawn; the run before stays in the plots, faint.",
    shortcut="r",
)
explain(
    "button reseed",
    "New seed",
    "Begins again with other random numbers: other first weights, another order of the examples."
    " What differs between two seeds is luck, not your settings.",
    now=lambda snapshot, name: f"seed {snapshot.config.seed}",
)

"""Play, step, restart, new seed: the buttons that move an experiment through time."""

from collections.abc import Callable

from app.page.buttons import Presses, button
from app.settings.settings import Send
from engine import Pause, Play, Restart, Snapshot, Status, Step

STUCK = (Status.DIVERGED, Status.FAILED)
UNLESS = " ".join(STUCK)  # the states in which a run does not go on
# What it would do next comes with the frames, as everything that follows the run.
PLAY = f"""
<button type="button" class="outlined play" data-press="play" data-unless="{UNLESS}">
  <span class="icon" aria-hidden="true" data-text="play.icon">pause</span>
  <span class="word" data-text="play">Pause</span>
</button>
"""


class Transport:
    """The four buttons."""

    def __init__(self, send: Send, latest: Callable[[], Snapshot], presses: Presses) -> None:
        self._send, self._latest = send, latest
        presses.on("play", self.toggle)
        presses.on("step", self.step)
        presses.on("restart", self.restart)
        presses.on("reseed", self._draw_anew)
        self.html = (
            PLAY
            + button("step", "Step", "skip_next", unless=UNLESS)
            + button("restart", "Restart", "replay")
            + button("reseed", "New seed", "casino")
        )

    @property
    def _stuck(self) -> bool:
        return self._latest().status in STUCK

    def toggle(self) -> None:
        """Pause what runs, play what stands."""
        if not self._stuck:
            self._send(Pause() if self._latest().status is Status.RUNNING else Play())

    def step(self) -> None:
        """Make one step."""
        if not self._stuck:
            self._send(Step())

    def restart(self) -> None:
        """Begin this run anew, from the same seed."""
        self._send(Restart())

    def _draw_anew(self) -> None:
        self._send(Restart(self._latest().config.seed + 1))

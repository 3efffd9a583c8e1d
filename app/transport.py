"""Play, step, restart, new seed: the buttons that move an experiment through time."""

from panel import ui
from panel.viewable import Viewable

from app import theme
from app.buttons import icon_button
from app.controls import Send
from engine import Pause, Play, Restart, Snapshot, Status, Step


class Transport:
    """The four buttons; the first shows what it would do next."""

    def __init__(self, send: Send, snapshot: Snapshot) -> None:
        self._send = send
        self._snapshot = snapshot
        self._play = ui.Button(
            label="Play",
            icon="play_arrow",
            icon_size=theme.ICON_SIZE,
            variant="outlined",
            color="primary",
            size="small",
            margin=(0, 3),
            align="center",
            sx=theme.PLAY_SX,
        )
        self._play.on_click(lambda event: self.toggle())
        self._step = icon_button("Step", "skip_next", self.step)
        self._restart = icon_button("Restart", "replay", self.restart)
        self._reseed = icon_button("New seed", "casino", self._draw_anew)
        self.show(snapshot)

    @property
    def views(self) -> list[Viewable]:
        """The buttons, from left to right."""
        return [self._play, self._step, self._restart, self._reseed]

    def show(self, snapshot: Snapshot) -> None:
        """Follow the experiment."""
        self._snapshot = snapshot
        running = snapshot.status is Status.RUNNING
        self._play.param.update(
            label="Pause" if running else "Play", icon="pause" if running else "play_arrow"
        )
        for button in (self._play, self._step):
            button.disabled = self._stuck

    @property
    def _stuck(self) -> bool:
        return self._snapshot.status in (Status.DIVERGED, Status.FAILED)

    def toggle(self) -> None:
        """Pause what runs, play what stands."""
        if not self._stuck:
            self._send(Pause() if self._snapshot.status is Status.RUNNING else Play())

    def step(self) -> None:
        """Make one step."""
        if not self._stuck:
            self._send(Step())

    def restart(self) -> None:
        """Begin this run anew, from the same seed."""
        self._send(Restart())

    def _draw_anew(self) -> None:
        self._send(Restart(self._snapshot.config.seed + 1))

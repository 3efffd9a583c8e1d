"""Play, step, restart, new seed: the buttons that move an experiment through time."""

from collections.abc import Callable

from panel import ui
from panel.viewable import Viewable

from app.controls import Send
from engine import Pause, Play, Restart, Snapshot, Status, Step


class Transport:
    """The four buttons; the first shows what it would do next."""

    def __init__(self, send: Send, snapshot: Snapshot) -> None:
        self._send = send
        self._snapshot = snapshot
        self._play = self._button("Play", "play_arrow", self._toggle)
        self._buttons = [
            self._play,
            self._button("Step", "skip_next", lambda: send(Step())),
            self._button("Restart", "replay", lambda: send(Restart())),
            self._button("New seed", "casino", self._reseed),
        ]
        self.show(snapshot)

    @property
    def views(self) -> list[Viewable]:
        """The buttons, from left to right."""
        return list(self._buttons)

    def show(self, snapshot: Snapshot) -> None:
        """Follow the experiment."""
        self._snapshot = snapshot
        running = snapshot.status is Status.RUNNING
        stuck = snapshot.status in (Status.DIVERGED, Status.FAILED)
        self._play.param.update(
            label="Pause" if running else "Play", icon="pause" if running else "play_arrow"
        )
        for button in self._buttons[:2]:
            button.disabled = stuck

    def _button(self, label: str, icon: str, action: Callable[[], None]) -> ui.Button:
        button = ui.Button(
            label=label,
            icon=icon,
            variant="outlined",
            color="primary",
            size="small",
            margin=(0, 3),
        )
        button.on_click(lambda event: action())
        return button

    def _toggle(self) -> None:
        self._send(Pause() if self._snapshot.status is Status.RUNNING else Play())

    def _reseed(self) -> None:
        self._send(Restart(self._snapshot.config.seed + 1))

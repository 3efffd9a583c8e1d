"""The way back to a run whose server has forgotten it: a link that the page holds meanwhile."""

import secrets
from concurrent.futures import Future

from app.sharing import run_links
from engine import Experiment, ExperimentHandle, Recording, Snapshot


class Reconnect:
    """Keeps the link to a visitor's run as it was last steered.

    How far the run has come the page knows itself. The name tells it whether the visit it hears
    of is still the one that it knows.
    """

    def __init__(self) -> None:
        self.name = secrets.token_urlsafe(8)
        self._known: object = None
        self._link = ""

    @property
    def words(self) -> dict[str, str]:
        """What the page is told."""
        return {"visit": self.name, "link": self._link}

    def follow(self, handle: ExperimentHandle, snapshot: Snapshot) -> None:
        """Make the link anew if the run has been steered."""
        known = snapshot.run, snapshot.config, snapshot.markers
        if known != self._known:
            self._known = known
            handle.do(_so_far).add_done_callback(self._keep)

    def _keep(self, future: Future[Recording]) -> None:
        if future.cancelled() or future.exception():
            return
        try:
            self._link = run_links.packed(future.result())
        except ValueError:  # steered more often than a link can hold
            self._link = ""


def _so_far(experiment: Experiment) -> Recording:
    return Recording(experiment.first_config, tuple(experiment.journal), experiment.step)

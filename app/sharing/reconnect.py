"""Lets a page restore its run after a restart of the server: the page holds a link to it."""

import secrets
from concurrent.futures import Future

from app.sharing import packed_runs
from engine import Experiment, ExperimentHandle, Recording, Snapshot


class Reconnect:
    """Keeps the link to a visitor's run up to date.

    The page itself knows the run's step. The name tells it whether this is still the visit that it
    knows.
    """

    def __init__(self) -> None:
        self.name = secrets.token_urlsafe(8)
        self._known: object = None
        self._link = ""

    def fields(self, handle: ExperimentHandle) -> dict[str, str]:
        """What the page needs to restore the run; during a lesson also the step where that waits.

        The step is read as the frame is made: a lesson that asks may send no other frame.
        """
        own = "" if handle.waits_at is None else str(handle.waits_at)
        return {"visit": self.name, "link": self._link, "own": own}

    def follow(self, handle: ExperimentHandle, snapshot: Snapshot) -> None:
        """Make a new link if the run was changed; during a lesson the own run waits."""
        if handle.waits_at is not None:
            return
        branches = (
            tuple(branch.run for branch in snapshot.branches),
            snapshot.other
            and (
                snapshot.other.run,
                snapshot.other.config,
            ),
        )
        known = snapshot.run, snapshot.config, snapshot.markers, branches
        if known != self._known:
            self._known = known
            handle.query(_so_far).add_done_callback(self._keep)

    def _keep(self, future: Future[Recording]) -> None:
        if future.cancelled() or future.exception():
            return
        try:
            self._link = packed_runs.packed(future.result())
        except ValueError:  # more changes than a link can hold
            self._link = ""


def _so_far(experiment: Experiment) -> Recording:
    parent, journal = experiment.parent, tuple(experiment.journal)
    return Recording(
        experiment.first_config,
        journal,
        experiment.step,
        run=experiment.run,
        parent=(parent.run, parent.step) if parent else None,
        branches=experiment.branch_records,
    )

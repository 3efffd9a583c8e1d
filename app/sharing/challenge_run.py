"""A challenge on the page: what is to be reached, when its steps are made, and which run counts."""

from collections.abc import Callable

from engine import Challenge, ExperimentHandle, Snapshot, Status

MADE = (
    "All {steps} steps of the challenge are made. Pin this run in Runs, and hand it in from"
    " Lessons; or try another way: restart, or go on from an earlier step."
)
TOO_LONG = (
    "This run does not count: it has made more than the {steps} steps of the challenge. Restart,"
    " or go on from an earlier step."
)
ANOTHER_START = (
    "This run does not count: it differs from the challenge in its {what}. Load this page again to"
    " start over."
)


class ChallengeRun:
    """Watches the visitor's runs, which pause when the steps of the challenge are made."""

    def __init__(
        self,
        challenge: Challenge,
        handle: ExperimentHandle,
        notify: Callable[[str], None],
        tell: Callable[[str], None],  # in the line below the plots
    ) -> None:
        self._challenge, self._notify, self._tell = challenge, notify, tell
        self._noted: tuple[int, str] | None = None  # the run, and what was said of it last
        handle.submit(lambda slot: slot.own.pause_at(challenge.steps))
        tell(challenge.invitation)

    def show(self, snapshot: Snapshot) -> None:
        """Say how the run stands, unless a lesson's or an earlier step is shown."""
        if snapshot.background.lesson or snapshot.looking_back:
            return
        standing = how_it_stands(self._challenge, snapshot)
        self._tell(standing or self._challenge.invitation)
        if standing and self._noted != (snapshot.run, standing):
            self._noted = snapshot.run, standing
            self._notify(standing)


def how_it_stands(challenge: Challenge, snapshot: Snapshot) -> str:
    """Why a run does not count, or that its steps are made; empty: it goes on."""
    if departures := challenge.departures(snapshot.config):
        return ANOTHER_START.format(what=" and ".join(departures))
    steps = f"{challenge.steps:,}"
    goes_on = snapshot.step == challenge.steps and snapshot.status is Status.RUNNING
    if snapshot.step > challenge.steps or goes_on:
        return TOO_LONG.format(steps=steps)
    made = snapshot.step == challenge.steps and snapshot.status is not Status.DIVERGED
    return MADE.format(steps=steps) if made else ""

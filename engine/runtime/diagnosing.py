"""Adds findings to the snapshots of an experiment.

It remembers earlier findings, so that each has the step at which it came up, and no advice
contradicts the one before.
"""

from collections import defaultdict
from collections.abc import Set

from msgspec.structs import replace

from engine.diagnosis import Followed, Noticed, condition_of, diagnose
from engine.measure.divergence import autopsy
from engine.measure.snapshot import Condition, LookingBack, Notice, Parent, Snapshot, Status
from engine.runtime.look_back import Past


class Diagnosing:
    """What was found in a run and its branches, and which advice was followed."""

    last: Snapshot  # the last snapshot with a diagnosis

    def __init__(self) -> None:
        self.followed = Followed()  # kept through restarts, which advice may require
        self.begin()

    def begin(self) -> None:
        """A run begins that has nothing to do with those before."""
        self._noticed = defaultdict[int, Noticed](Noticed)  # by the number of the run

    def begin_branch(self, run: int, parent: Parent, branches: Set[int]) -> None:
        """A run goes on from a step of another; only findings of `branches` are kept."""
        for gone in self._noticed.keys() - branches:
            del self._noticed[gone]
        self._noticed[run] = self._noticed[parent.run].up_to(parent.step)

    def adopt(self, run: int, notices: tuple[Notice, ...]) -> None:
        """A run goes on that was begun elsewhere, with what was found in it there."""
        self._noticed[run] = Noticed(notices)

    def noticed(self, run: int) -> tuple[Notice, ...]:
        """The findings of a run, as they came up."""
        return self._noticed[run].notices

    def diagnose(self, now: Snapshot) -> Snapshot:
        """Add the findings to a snapshot of the run as it is now."""
        findings = diagnose(now)
        changed = now.markers[-1].step if now.markers else 0
        self._noticed[now.run].note(now.step, changed, findings)
        self.followed.advise(findings)
        condition = condition_of(now, findings)
        if condition is Condition.CONVERGED:
            self.followed.forget()  # the advice has helped; later findings are independent of it
        self.last = replace(
            now, findings=findings, condition=condition, noticed=self.noticed(now.run)
        )
        return self.last

    def diagnose_past(self, now: Snapshot, past: Past, looking_back: LookingBack) -> Snapshot:
        """Turn a snapshot of `now` into one of the past step that is shown, with its findings."""
        loss = past.diverged
        then = replace(
            past.describe(now),
            status=now.status if loss is None else Status.DIVERGED,
            message="" if loss is None else autopsy(past.training, loss),
            markers=tuple(x for x in now.markers if x.step < past.step),
            diverged_under=None,
            autopsy=None,
            until=None,
        )
        findings = diagnose(then)
        self.last = replace(
            then,
            findings=findings,
            condition=condition_of(then, findings),
            curves=now.curves,
            markers=now.markers,
            looking_back=looking_back,
        )
        return self.last

    def mark_unready(self, status: Status, looking_back: LookingBack) -> Snapshot:
        """The last snapshot, shown while the requested step is rebuilt."""
        return replace(self.last, status=status, looking_back=looking_back)

    def mark_unverified(self, snapshot: Snapshot, status: Status, until: int | None) -> Snapshot:
        """The last step of a link's run, while that is repeated: nothing is found in it yet."""
        self.last = replace(
            snapshot, status=status, until=until, findings=(), condition=Condition.HEALTHY
        )
        return self.last

"""Makes the snapshots of an experiment: of its run as it stands, or of the step that is shown.

The `RunQueue` requests one when a frame is due, and `ExperimentSlot.publish` delivers it.
"""

from collections.abc import Set

from engine.measure.pinned_runs import PastRun
from engine.measure.snapshot import LookingBack, Snapshot
from engine.runtime.diagnosing import Diagnosing
from engine.runtime.look_back import Past
from engine.runtime.run_tree import RunTree


class Snapshots:
    """What an experiment shows: measurements, findings, and the runs beside its own."""

    def __init__(self, tree: RunTree, diagnosing: Diagnosing) -> None:
        self._tree, self._diagnosing = tree, diagnosing
        self.pinned: tuple[PastRun, ...] = ()

    def newest(self, requested: Set[str]) -> Snapshot:
        """The current state, all of it measured now."""
        if self._tree.shown.past or self._tree.shown.preview:
            return self._of_shown_step(requested)
        self._tree.trainer.measure_all(requested)
        return self.as_measured()

    def cached(self, requested: Set[str]) -> Snapshot:
        """The current state; what is expensive to measure may be a little older."""
        if self._tree.shown.past or self._tree.shown.preview:
            return self._of_shown_step(requested)
        self._tree.trainer.measure(requested)
        return self.as_measured()

    def as_measured(self) -> Snapshot:
        """The current state as it was last measured."""
        return self._diagnosing.diagnose(self._describe())

    def _of_shown_step(self, requested: Set[str]) -> Snapshot:
        """The step that is looked at, or the last one of a link's run while that is repeated."""
        so_far, step = self._diagnosing.last.so_far, self._tree.run.step
        if past := self._tree.shown.past:
            return self._of_past(past, past.looking_back(step, so_far), requested)
        if preview := self._tree.shown.preview:
            shown = self._of_past(preview.past, preview.looking_back(step, so_far), requested)
            trainer = self._tree.trainer
            return self._diagnosing.mark_unverified(shown, trainer.status, trainer.script.until)
        return self.as_measured()

    def _of_past(self, past: Past, looking_back: LookingBack, requested: Set[str]) -> Snapshot:
        """The run at another step; until that is rebuilt, the snapshot before."""
        if not past.ready:
            return self._diagnosing.mark_unready(self._tree.trainer.status, looking_back)
        past.measure(requested)
        return self._diagnosing.diagnose_past(self._describe(), past, looking_back)

    def _describe(self) -> Snapshot:
        """The state of the run and of those beside it, without findings."""
        tree, run = self._tree, self._tree.run
        return tree.trainer.describe(
            noticed=self._diagnosing.noticed(run.number),
            followed=self._diagnosing.followed.changes,
            previous=tree.previous,
            pinned=self.pinned,
            other=tree.other.info(run.training) if tree.other else None,
            branches=tree.branches.infos,
            pauses_at=tree.pauses_at,
        )

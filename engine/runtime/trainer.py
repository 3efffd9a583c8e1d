"""Trains one run and watches it: whether it goes on, what is measured of it, how it ends."""

import dataclasses
from collections.abc import Callable, Set

from engine.measure.divergence import SHOWN, Autopsy, autopsy, examine
from engine.measure.measurements import Measurements
from engine.measure.pinned_runs import PastRun
from engine.measure.snapshot import (
    BranchInfo,
    Change,
    Condition,
    DataInfo,
    Notice,
    OtherRun,
    Snapshot,
    Status,
)
from engine.runtime.background_results import NO_RESULTS
from engine.runtime.branches import Branch
from engine.runtime.pace import FULL
from engine.runtime.run import Run
from engine.runtime.script import Script
from engine.runtime.speed import Speed
from engine.training.config import SETTINGS, RunConfig, rebuilt
from engine.training.setting import Effect, Rebuilds


class Trainer:
    """What belongs to a run while it is the one that a learner trains."""

    def __init__(
        self,
        run: Run,
        measured: Measurements,
        status: Status,
        data: DataInfo,
        clock: Callable[[], float],
    ) -> None:
        self.run, self.measured, self.status, self.data = run, measured, status, data
        self.message = ""
        self.script = Script()
        self.came_to = run.step  # the step at which the last script ended
        self.speed = Speed(clock)
        self.autopsy: Autopsy | None = None
        if run.diverged is not None:  # it begins at such a step, and can only get new weights
            self.status, self.message = Status.DIVERGED, autopsy(run.training, run.diverged)

    # ---- training -----------------------------------------------------------------------------

    def play(self) -> bool:
        """Train from now on; returns whether it did not before."""
        before, self.status = self.status, Status.RUNNING
        return before is not Status.RUNNING

    def pause(self) -> bool:
        """Stop training; returns whether it was running."""
        running = self.status is Status.RUNNING
        if running:
            self.status = Status.PAUSED
        return running

    def finish_epoch(self) -> None:
        """Train to the end of the epoch, unless a script names the step to train to."""
        self.status = Status.RUNNING
        if self.script.next_stop is None:
            end = self.run.step + self.run.training.batches.left
            self.run.recorder.asked = end
            self.script = Script(until=end)

    def update(self) -> None:
        """Make a step."""
        loss = self.run.update()
        if loss is not None:
            self._end(loss)

    def _end(self, loss: float) -> None:
        """Find out why the run has diverged."""
        self.status, self.message = Status.DIVERGED, autopsy(self.run.training, loss)
        replay = self.run.checkpoints.start_before_end(SHOWN)
        self.autopsy = examine(replay, self.run.step) if replay else None
        self.measured.instruments.measure_end()

    def follow(self, config: RunConfig, change: Change) -> None:
        """Go on under another config, which differs by this change."""
        anew = rebuilt(self.run.config, config)
        redraws = SETTINGS[change.path].effect is Effect.REDRAW
        self.run.follow(config, change)
        if redraws:
            self.autopsy = None
            if self.status is Status.DIVERGED:
                self.status, self.message = Status.PAUSED, ""
        if redraws or anew & {Rebuilds.NETWORK, Rebuilds.LOSS}:
            self.measured.renew()
        self.measured.instruments.forget_last_step()

    # ---- what is known of it ------------------------------------------------------------------

    def measure(self, requested: Set[str]) -> None:
        """Measure what is affordable after the training since the last time."""
        trained = self.speed.take_unmeasured()
        if self.status is not Status.DIVERGED:
            self.measured.measure(requested, trained)
        else:
            self.measured.measure_broken(requested)

    def measure_all(self, requested: Set[str]) -> None:
        """Measure everything, whatever the cost."""
        if self.status is not Status.DIVERGED:
            self.measured.measure_all(requested)
        else:
            self.measured.measure_broken(requested)

    def pinned(self, name: str, note: str) -> PastRun:
        """The run as it is now, under a name; its figures are those of its last step."""
        if self.status is not Status.DIVERGED:
            self.measured.instruments.measure_all()
        return dataclasses.replace(self.so_far(name), note=note, digest=self.run.digest)

    def so_far(self, name: str) -> PastRun:
        """The run's state, to be compared with others."""
        return self.run.so_far(name, self.measured.instruments.metrics)

    def as_branch(self) -> Branch:
        """The run as a branch, when another one is trained in its place."""
        instruments = self.measured.instruments
        return self.run.as_branch(instruments.metrics, instruments.state)

    def describe(
        self,
        *,
        noticed: tuple[Notice, ...],
        followed: tuple[Change, ...],
        previous: PastRun | None,
        pinned: tuple[PastRun, ...],
        other: OtherRun | None,
        branches: tuple[BranchInfo, ...],
        pauses_at: int | None,
    ) -> Snapshot:
        """The state of the run, with the runs beside it, and without findings."""
        run, instruments = self.run, self.measured.instruments
        running = self.status is Status.RUNNING
        ahead = pauses_at if pauses_at is not None and run.step < pauses_at else None
        return Snapshot(
            run=run.number,
            step=run.step,
            epoch=run.training.batches.epoch,
            status=self.status,
            message=self.message,
            config=run.config,
            data=self.data,
            curves=run.recorder.curves,
            layers=instruments.layers,
            activation_history=instruments.activation_history,
            tensors=instruments.tensors,
            metrics=instruments.metrics,
            findings=(),
            condition=Condition.HEALTHY,
            markers=tuple(run.markers),
            noticed=noticed,
            followed=followed,
            diverged_under=run.diverged_under,
            background=NO_RESULTS,
            on_demand=self.measured.on_demand.results,
            previous=previous,
            pinned=pinned,
            until=ahead if self.script.until is None else self.script.until,
            costs=instruments.costs,
            pace=FULL,
            steps_per_second=self.speed.by_clock(run.step) if running else self.speed.at_rest(),
            training_steps_per_second=self.speed.by_training(run.step),
            autopsy=self.autopsy,
            looking_back=None,
            parent=run.parent,
            other=other,
            branches=branches,
        )

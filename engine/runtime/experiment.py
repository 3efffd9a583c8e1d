"""One experiment: a network, its data, and everything that can be done to it while it learns.

There are no threads here. `advance` trains, `apply` applies a command, `snapshot` returns the
state; the caller decides when. A run is determined to the bit by its first config and its journal,
the list of `(step, command)` that were applied to it.
"""

import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence, Set
from weakref import WeakMethod

import numpy as np
from numpy.typing import DTypeLike

from engine.data import Split
from engine.diagnosis.gradcheck import GradientCheck, check_gradients
from engine.measure.explained_step import ExplainedStep, Explaining, explaining
from engine.measure.instruments import Instruments
from engine.measure.loss_line import LossLine
from engine.measure.pinned_runs import PastRun
from engine.measure.snapshot import Notice, Parent, Snapshot, Status
from engine.measure.traced_weight import NO_PLACE, Place, TracedWeight, tracing
from engine.monotonic_clock import Steady
from engine.nn.network import Network
from engine.runtime.branches import Branch, Branches
from engine.runtime.command_applier import CommandApplier
from engine.runtime.curve_recorder import Recorder
from engine.runtime.diagnosing import Diagnosing
from engine.runtime.film import Film, Filming, filming
from engine.runtime.run import Run
from engine.runtime.run_transfer import RunTransfer
from engine.runtime.run_tree import RunTree
from engine.runtime.script import Script
from engine.runtime.snapshots import Snapshots
from engine.runtime.trainer import Trainer
from engine.training.checkpoints import MAX_BYTES, Checkpoints
from engine.training.commands import (
    Begin,
    BranchRecord,
    Command,
    GoTo,
    LookAhead,
    LookBack,
    turns_of,
)
from engine.training.config import RunConfig
from engine.training.history import Curves
from engine.training.packed_state import MOST_REDRAWS, pack, times_drawn
from engine.training.training import Training

# CPU seconds of this thread, so that an interruption by frames for others costs it no training.
# Windows counts these in units that are longer than a slice.
PROCESSOR = time.perf_counter if sys.platform == "win32" else time.thread_time
FREE = 3  # times the training time, which rows of the curves may take in addition

# The check of the loss reports an overflow, so NumPy's warning is not needed.
_quietly = np.errstate(over="ignore", invalid="ignore", divide="ignore")


class Experiment:
    """A network in training, which applies commands between two steps."""

    @_quietly
    def __init__(
        self,
        config: RunConfig,
        *,
        dtype: DTypeLike = np.float32,
        clock: Callable[[], float] = time.perf_counter,  # seconds; measures steps a second
        work: Callable[[], float] = PROCESSOR,  # CPU seconds; measures the length of a slice
        max_bytes: int = MAX_BYTES,  # bytes for checkpoints, from which its steps are rebuilt
    ) -> None:
        self._clock, self._work = Steady(clock), Steady(work)
        self._diagnosing = Diagnosing()
        training = Training(config, dtype)
        self._tree = RunTree(training, self._diagnosing, self._clock, self._work, max_bytes)
        self._snapshots = Snapshots(self._tree, self._diagnosing)
        self._applier = CommandApplier(
            self._tree, self._snapshots, self._diagnosing, dtype, WeakMethod(self._make_step)
        )
        self._snapshots.as_measured()

    def number_after(self, run: int) -> None:
        """Number its runs after those of another experiment, so that a page tells them apart."""
        self._tree.number_after(run)

    @property
    def wants_checkpoints(self) -> int:
        """Bytes with which any step of its runs is soon rebuilt."""
        return self._tree.wants_checkpoints

    def allow_checkpoints(self, max_bytes: int) -> None:
        """Keep the checkpoints of its runs in so many bytes; with more, looking back is quicker."""
        self._tree.allow_checkpoints(max_bytes)

    # ---- the run --------------------------------------------------------------------------

    @property
    def _trainer(self) -> Trainer:
        return self._tree.trainer

    @property
    def _run(self) -> Run:
        return self._tree.run

    @property
    def branches(self) -> Branches:
        """The runs that were left, that left longest ago first."""
        return self._tree.branches

    @property
    def pinned(self) -> tuple[PastRun, ...]:
        """The runs that were pinned, in order."""
        return self._snapshots.pinned

    def compare_with(self, runs: tuple[PastRun, ...]) -> None:
        """Show these runs in its plots, in place of those that were pinned."""
        self._snapshots.pinned = runs

    @property
    def run(self) -> int:
        """The number of the run."""
        return self._run.number

    @property
    def parent(self) -> Parent | None:
        """The run that it went on from; None if it began at its first step."""
        return self._run.parent

    @property
    def status(self) -> Status:
        """What it is doing."""
        return self._trainer.status

    @status.setter
    def status(self, status: Status) -> None:
        """Say that it does something else, such as that it has failed."""
        self._trainer.status = status

    @property
    def message(self) -> str:
        """Why it diverged, or what went wrong with its link; else empty."""
        return self._trainer.message

    @property
    def config(self) -> RunConfig:
        """The settings as they are now."""
        return self._run.config

    @property
    def first_config(self) -> RunConfig:
        """The settings before the first step."""
        return self._run.first_config

    @property
    def journal(self) -> list[tuple[int, Command]]:
        """The commands that were applied to it, with their steps."""
        return self._run.journal

    @property
    def step(self) -> int:
        """Updates made so far."""
        return self._run.step

    @property
    def training(self) -> Training:
        """The training itself: the network, the optimizer, the data and the mini-batches."""
        return self._run.training

    @property
    def network(self) -> Network:
        """The network that is being trained."""
        return self._run.training.network

    @property
    def curves(self) -> Curves:
        """The rows of its curves so far."""
        return self._run.recorder.curves

    @property
    def checkpoints(self) -> Checkpoints[Recorder]:
        """The states from which past steps of the run are rebuilt."""
        return self._run.checkpoints

    @property
    def instruments(self) -> Instruments:
        """What measures the run while it trains."""
        return self._trainer.measured.instruments

    @property
    def data(self) -> Split:
        """The training and validation sets, preprocessed."""
        return self._run.training.data

    @property
    def since_change(self) -> int:
        """Steps since the start, the last change, or the step at which a script ended."""
        changed = self._tree.other.run.changed_at if self._tree.other else 0
        return self.step - max(changed, self._run.changed_at, self._trainer.came_to)

    def forget_rate(self) -> None:
        """Measure the steps per second anew: another number is due from now on."""
        self._trainer.speed.at_rest()

    @property
    def catches_up(self) -> bool:
        """Whether a script trains it to a given step."""
        return self._trainer.script.until is not None

    @property
    def at_work(self) -> bool:
        """Whether there is something to do at once, besides training."""
        return self._tree.at_work

    @property
    def looks_back(self) -> bool:
        """Whether another step than the last one is shown, or wanted."""
        return self._tree.shown.past is not None or self._tree.shown.rebuilding_preview

    # ---- training -------------------------------------------------------------------------

    @_quietly
    def train(self, steps: int) -> None:
        """Make so many steps, fewer only if the run diverges."""
        self._tree.go_on_from_past()
        tree = self._tree
        for _ in range(steps):
            if tree.trainer.status is Status.DIVERGED:
                return
            self._update()

    def fix_curves(self, until: int) -> None:
        """Let the curves be the same whoever watches, and end with figures of this step."""
        self._run.recorder.same_until = until

    @_quietly
    def advance(self, seconds: float, steps: float = math.inf, apart: float = math.inf) -> int:
        """Train for about so many seconds, if the experiment is running; returns the steps made.

        While a past step is requested, rebuild that step instead. At most `steps` are made, and the
        curves get a row at least every `apart` steps. Writing rows does not count, up to a limit: a
        young or just changed run writes many, and would otherwise make fewer steps than others.
        """
        if self._tree.work(seconds):
            return 0
        start = now = self._work()
        tree, made = self._tree, 0
        self._run.writing, self._run.recorder.apart = 0.0, apart
        while (
            tree.trainer.status is Status.RUNNING
            and made < steps
            and now - start < seconds + min(self._run.writing, FREE * seconds)
        ):
            self._update()
            made += 1
            now = self._work()
        trained = now - start - self._run.writing
        idle = max(0.0, seconds - (now - start)) if made == steps else 0.0
        self._trainer.speed.note(trained, idle)
        self._run.recorder.spare = 1 + idle / trained if trained > 0 else 1.0
        return made

    def _update(self) -> None:
        tree, trainer = self._tree, self._tree.trainer
        trainer.update()
        if trainer.status is Status.DIVERGED:
            tree.shown.preview = None
        if tree.other:
            tree.other.update(trainer.run.recorder)
        if trainer.run.training.step == trainer.script.next_stop:
            self._applier.follow_script()
        elif trainer.run.training.step == tree.pauses_at:
            trainer.pause()

    def _make_step(self) -> None:
        self.status = Status.PAUSED
        for run in (self._run, *([self._tree.other.run] if self._tree.other else [])):
            run.recorder.make_due()
        self.train(1)

    # ---- commands -------------------------------------------------------------------------

    @_quietly
    def apply(self, command: Command) -> None:
        """Apply a command; ValueError says in one sentence why an impossible one is refused."""
        self._applier.apply(command)

    @_quietly
    def pause_at(self, step: int) -> None:
        """Let every run from now on pause once it has made so many steps, as a budget."""
        self._tree.pauses_at = step

    # ---- the run of a link ----------------------------------------------------------------

    @_quietly
    def play(self, begin: Begin) -> None:
        """Play a run from its first step, for which this experiment may have been made just now.

        Then nothing is built a second time, and the result has the same bits.
        """
        untouched = self.step == 0 and not self.journal and self.status is Status.PAUSED
        if untouched and begin.config == self.first_config:
            self._applier.repeat(Script(begin.script, begin.until))
        else:
            self.apply(begin)

    def packed_state(self) -> bytes:
        """A state shortly before the step that is shown, for a link; none if it is not needed."""
        near = self._run.checkpoints.before(self.shown_step)
        turns = turns_of(self.journal[: near.applied])
        return b"" if times_drawn(turns) > MOST_REDRAWS else pack(near, len(turns))

    # ---- a run of another experiment ------------------------------------------------------

    @_quietly
    def take_up(self, transfer: RunTransfer) -> None:
        """Go on with a run of another experiment where that stood; it is paused there."""
        if transfer.branch is None:
            self.apply(transfer.begin)
            return
        self._applier.begin(transfer.begin.config)
        self._diagnosing.followed.forget()
        if transfer.begin.branches:
            self._tree.adopt(transfer.begin)
        self.status, self._tree.previous = Status.PAUSED, transfer.previous
        self._tree.take_up(transfer.branch)
        self._snapshots.as_measured()  # what is shown until its step is there must be of this run
        self._diagnosing.adopt(self.run, transfer.noticed)

    @property
    def shown_branch(self) -> Branch | None:
        """The run as it is shown, for another experiment that goes on with it, if that can."""
        return self._tree.shown_branch

    @property
    def previous(self) -> PastRun | None:
        """The run that was trained before this one."""
        return self._tree.previous

    @property
    def noticed(self) -> tuple[Notice, ...]:
        """What was found in the run up to the step that is shown."""
        found = self._diagnosing.noticed(self.run)
        return tuple(notice for notice in found if notice.step <= self.shown_step)

    # ---- looking back, and branches -------------------------------------------------------

    @_quietly
    def look_back(self, step: int) -> None:
        """Show the run as it was after a step, until `look_ahead` or until it continues from there.

        The state is that before any change at this step. Training waits meanwhile; the run and its
        journal do not change.
        """
        self.apply(LookBack(step))
        self.advance(math.inf)

    def look_ahead(self) -> None:
        """Show the current state of the run, and continue it."""
        self.apply(LookAhead())

    @_quietly
    def go_to(self, run: int) -> None:
        """Take up another branch where it was left; this run becomes a branch beside it."""
        self.apply(GoTo(run))
        while self._tree.shown.past or self._tree.repeats:
            self.advance(math.inf)

    @property
    def rebuilding(self) -> bool:
        """Whether a requested past step is being rebuilt."""
        return self._tree.shown.rebuilding

    @property
    def shown_network(self) -> Network:
        """The network as it is shown: of the step that is looked at, or as it is now."""
        return self._tree.shown_training.network

    @property
    def shown_journal(self) -> tuple[tuple[int, Command], ...]:
        """The commands that led to the step that is shown."""
        return self._tree.shown_journal

    @property
    def shown_step(self) -> int:
        """The step that is looked at, or the last one."""
        return self._tree.shown_step

    @property
    def branch_records(self) -> tuple[BranchRecord, ...]:
        """The other runs of its tree as plain values, run B of a comparison included."""
        return self._tree.branch_records

    @_quietly
    def straight_line(self) -> LossLine | None:
        """The loss on the straight line from these weights to those of run B, if there is one."""
        return self._tree.other.line(self._run.training) if self._tree.other else None

    # ---- snapshots ------------------------------------------------------------------------

    @_quietly
    def snapshot(self, requested: Set[str] = frozenset()) -> Snapshot:
        """The current state, all of it measured now; training is not affected.

        `requested` are names of fields of `OnDemandStatistics`.
        """
        return self._snapshots.newest(requested)

    @_quietly
    def cached_snapshot(self, requested: Set[str] = frozenset()) -> Snapshot:
        """The current state; what is expensive to measure may be a little older."""
        return self._snapshots.cached(requested)

    @_quietly
    def check_gradients(self, coordinates: int = 30) -> GradientCheck:
        """Compare some gradients of the last mini-batch with differences of the loss."""
        return check_gradients(self._run.training, np.random.default_rng(self.step), coordinates)

    def explaining(self, chosen: int = 0) -> Iterator[ExplainedStep | Explaining]:
        """Explain the next step from what is shown, piece by piece, without making it.

        `chosen` is the example of its mini-batch that is followed.
        """
        return explaining(self._tree.shown_training, self.run, chosen)

    def tracing(
        self, place: Place = NO_PLACE, chosen: int = 0
    ) -> Iterator[TracedWeight | Explaining]:
        """Follow one weight through the next step, piece by piece, without making it."""
        return tracing(self._tree.shown_training, place, chosen)

    def filming(self) -> Iterator[Film | Filming]:
        """Make a film of this run up to now, piece by piece."""
        scale = self._trainer.measured.instruments.state.scale
        return filming(self._run.checkpoints, self.step, scale)


def replay(config: RunConfig, journal: Sequence[tuple[int, Command]], steps: int) -> Experiment:
    """Repeat the run with this first config and journal, for so many steps, to the bit."""
    experiment = Experiment(config)
    for step, command in journal:
        experiment.train(step - experiment.step)
        experiment.apply(command)
    experiment.train(steps - experiment.step)
    return experiment

"""The runs of one tree: which of them is trained, which step is shown, and how that changes.

Every run but the first went on from a step of another one, which stays as a branch.
"""

import dataclasses
import math
from collections.abc import Callable, Set

from engine.measure.measurements import Measurements
from engine.measure.pinned_runs import PastRun
from engine.measure.snapshot import Parent, Status, show_data
from engine.runtime.branch_replay import BranchReplay
from engine.runtime.branches import MOST, PART, Branch, Branches, from_link, parent_of
from engine.runtime.companion import Companion
from engine.runtime.diagnosing import Diagnosing
from engine.runtime.link_preview import LinkPreview
from engine.runtime.look_back import Past
from engine.runtime.run import Run
from engine.runtime.script import Script
from engine.runtime.shown_step import ShownStep
from engine.runtime.trainer import Trainer
from engine.training.commands import Begin, BranchRecord, Command
from engine.training.config import RunConfig
from engine.training.training import Training

HIGHEST = 1000  # number of a run that a link may set

OTHER_BITS = (
    "At step {step:,} this run had other weights on the machine it comes from, which rounds"
    " differently: it continues with these."
)


class RunTree:
    """The run that is trained, and the runs beside it."""

    def __init__(
        self,
        training: Training,
        diagnosing: Diagnosing,
        clock: Callable[[], float],
        work: Callable[[], float],
        max_bytes: int,
    ) -> None:
        self._diagnosing, self._clock, self._work = diagnosing, clock, work
        self._max_bytes = max_bytes  # bytes for checkpoints
        self.shown = ShownStep()
        self.previous: PastRun | None = None  # the run that was trained before
        self.pauses_at: int | None = None  # a step at which every run pauses
        self._start_tree(training, 1, Status.PAUSED)

    def begin(self, training: Training) -> None:
        """Begin a run that has nothing to do with those before."""
        run = self.run
        if run.step > run.began_at:  # a run without a step has nothing to compare
            self.previous = self.trainer.so_far(f"run {run.number}")
        self.shown.end_look(self.trainer)
        self._diagnosing.begin()
        self._start_tree(training, self._runs + 1, self.trainer.status)

    def _start_tree(self, training: Training, run: int, status: Status) -> None:
        """Make this the first run of a new tree."""
        self._runs = run  # how many runs there have been
        self.branches = Branches(self._max_bytes)
        self._replay: BranchReplay | None = None  # of a branch that came with a link
        self._to_repeat: set[int] = set()  # branches of a link, by their numbers
        self.other: Companion | None = None  # run B of a comparison
        self._train_anew(Run.begun(run, training, self._max_bytes, self._work), status)

    def _train_anew(self, run: Run, status: Status) -> None:
        """Train a run that has made no step yet."""
        self.shown.preview = None
        self._placeholder: Run | None = None  # trained while a transferred run is rebuilt
        self.repeats: Branch | None = None  # the branch of a link that its script repeats
        measured = Measurements(run.training, self._work)
        self.trainer = Trainer(run, measured, status, show_data(run.training.data), self._clock)

    @property
    def wants_checkpoints(self) -> int:
        """Bytes with which any step of its runs is soon rebuilt."""
        wanted = self.run.checkpoints.wanted
        return PART * wanted if self.other or len(self.branches) else wanted

    def allow_checkpoints(self, max_bytes: int) -> None:
        """Keep the checkpoints of all runs in so many bytes."""
        if max_bytes == self._max_bytes:
            return
        self._max_bytes = max_bytes
        self.branches.allow(max_bytes)
        if self.other:
            self.other.run.checkpoints.allow(max_bytes // PART)
        self.run.checkpoints.allow(self._bytes_left)

    def number_after(self, run: int) -> None:
        """Number the runs from here on after that of another tree."""
        self.run.number = self._runs = run + 1

    @property
    def run(self) -> Run:
        """The run that is trained."""
        return self.trainer.run

    @property
    def branch_records(self) -> tuple[BranchRecord, ...]:
        """The other runs as plain values, run B of a comparison included."""
        left = [branch.branch_record for branch in self.branches]
        return (*left, *([self.other.run.branch_record] if self.other else []))[-MOST:]

    def refuse_if_diverged(self) -> None:
        """Raise ValueError if what is shown can make no step."""
        if self.trainer.status is Status.DIVERGED or self.shown.diverged:
            raise ValueError("This run has diverged: do what its diagnosis says, then restart it.")

    def refuse_if_failed(self) -> None:
        """Raise ValueError if the run can only be restarted."""
        if self.trainer.status is Status.FAILED:
            raise ValueError("This run has failed: restart it.")

    # ---- what is shown ------------------------------------------------------------------------

    @property
    def shown_training(self) -> Training:
        """The network in training as it is shown."""
        return (self.shown.rebuilt or self.run).training

    @property
    def shown_step(self) -> int:
        """The step that is looked at, or the last one."""
        return (self.shown.rebuilt or self.run).step

    @property
    def shown_config(self) -> RunConfig:
        """The settings of the past step that is looked at, or as they are now."""
        return (self.shown.past or self.run).training.config

    @property
    def shown_journal(self) -> tuple[tuple[int, Command], ...]:
        """The commands that led to the step that is shown."""
        if self.shown.preview and self.shown.preview.ready:
            return (*self.run.journal, *self.trainer.script.rest)
        past = self.shown.rebuilt
        return tuple(x for x in self.run.journal if past is None or x[0] < past.step)

    @property
    def shown_branch(self) -> Branch | None:
        """The run as it is shown, for another tree; None while that is the state of a link."""
        if self.shown.preview:
            return None
        if self._placeholder and self.shown.goal:
            return self.shown.goal
        branch, past = self.trainer.as_branch(), self.shown.rebuilt
        digest = past.training.network.parameters.digest if past else ""
        return branch.up_to(past.step, digest) if past else branch

    # ---- work besides training ----------------------------------------------------------------

    @property
    def at_work(self) -> bool:
        """Whether there is something to do at once, besides training."""
        rebuilds = self.shown.rebuilding or self.shown.rebuilding_preview
        return rebuilds or self._line_pending or self._unknown_branch is not None

    @property
    def _waits(self) -> bool:
        """Whether the run neither trains nor shows another step."""
        shows_other = self.shown.past or self.shown.preview
        return self.trainer.status is Status.PAUSED and not (shows_other or self.repeats)

    @property
    def _line_pending(self) -> bool:
        """Whether the line to run B must still be measured; only while both runs wait."""
        return self._waits and self.other is not None and not self.other.traced(self.run.training)

    @property
    def _unknown_branch(self) -> Branch | None:
        """The branch to be repeated next, that left last first; only while the run waits."""
        if not self._waits:
            return None
        return next((x for x in self.branches.unknown if x.info.run in self._to_repeat), None)

    def work(self, seconds: float) -> bool:
        """Rebuild or measure for about so many seconds; False if nothing is pending."""
        shown, preview = self.shown, self.shown.preview
        if shown.past:
            shown.past.advance(seconds)
            self._switch_to_goal()
        elif self.other and self._line_pending:
            self.other.trace_for(seconds, self.run.training, self._work)
        elif preview and not preview.ready:
            try:
                preview.advance(seconds)
            except ValueError as error:
                self._refuse_state(error)
        elif branch := self._unknown_branch:
            self._repeat_beside(branch, seconds)
        else:
            return False
        return True

    def _repeat_beside(self, branch: Branch, seconds: float) -> None:
        """Repeat a branch of a link, so that it is drawn, and soon there when it is taken up."""
        try:
            if self._replay is None or self._replay.of is not branch:
                max_bytes = self._max_bytes // PART
                self._replay = BranchReplay(branch, self.run.training, max_bytes, self._work)
            self._replay.advance(seconds)
        except ValueError:  # who takes it up is told why
            self._to_repeat.remove(branch.info.run)
            return
        if self._replay.done:
            later = self.trainer.measured.instruments.state
            self.branches.add(self._replay.branch(later))
        if self._replay.done or self._replay.in_vain:
            self._to_repeat.remove(branch.info.run)
            self._replay = None

    # ---- the run of a link --------------------------------------------------------------------

    def adopt(self, begin: Begin) -> None:
        """Take over the branches of a link."""
        numbers = self._numbers_of({begin.run, *(x.run for x in begin.branches)}, begin.run)
        self.run.number, self._runs = numbers[begin.run], max(numbers.values())
        self.run.parent = parent_of(begin.parent, numbers)
        self.branches.adopt(begin.branches, begin.config, numbers)
        self._to_repeat = {numbers[branch.run] for branch in begin.branches}
        own = BranchRecord(begin.run, begin.script, begin.until or 0, begin.parent)
        self.repeats = from_link(own, begin.config, numbers)

    def _numbers_of(self, runs: Set[int], trained: int) -> dict[int, int]:
        """The numbers of a link's runs: their own, or from the next free one on."""
        # A page tells runs by their numbers: that which is trained may not have that of one seen.
        free = self.run.number if self.previous is None else math.inf
        if free <= trained and max(runs) <= HIGHEST:
            return {run: run for run in runs}
        return {run: self.run.number + n for n, run in enumerate(sorted(runs))}

    def show_preview(self, begin: Begin) -> bool:
        """Begin to show the last step of a run from the state in its link; False if it is unfit."""
        run, later = self.run, self.trainer.measured.instruments.state
        try:
            self.shown.preview = LinkPreview(begin, run.training, run.recorder, later, self._work)
        except ValueError as error:
            self._refuse_state(error)
        return self.shown.preview is not None

    def _refuse_state(self, error: ValueError) -> None:
        self.shown.preview = None
        self.trainer.message = f"{error}: the run is repeated from its first step."

    def end_repeating(self) -> None:
        """The run has been repeated: compare its weights with the preview from its link."""
        self.repeats, preview, self.shown.preview = None, self.shown.preview, None
        if preview and preview.ready and not preview.is_of(self.run.training.network):
            message = "The link's state was not this run's, which is shown now."
            self.trainer.message = message

    # ---- a run of another tree ----------------------------------------------------------------

    def take_up(self, branch: Branch) -> None:
        """Continue a transferred run as soon as its last step is rebuilt."""
        info = dataclasses.replace(branch.info, run=self.run.number, parent=self.run.parent)
        branch = dataclasses.replace(branch, info=info)
        past = branch.rebuilt(self.run.training, self._work)
        self._placeholder = self.run
        self.shown.look_at(past, self.trainer, branch)
        self._switch_to_goal()

    def refuse_if_taking_up(self) -> None:
        """Raise ValueError while a transferred run is being rebuilt."""
        if self._placeholder:
            raise ValueError("This run is still being rebuilt: wait until it is there.")

    # ---- other steps and other runs -----------------------------------------------------------

    def look_back(self, step: int) -> None:
        """Show a past step, as soon as it is rebuilt; ValueError if the run has no such step."""
        self.refuse_if_failed()
        if not 0 <= step <= self.run.step:
            raise ValueError(f"This run has steps 0 to {self.run.step:,}, got {step:,}.")
        if self.shown.goal:
            self.shown.end_look(self.trainer)
        if self.shown.past:
            self.shown.past.go_to(step)
            return
        run, later = self.run, self.trainer.measured.instruments.state
        past = Past(run.checkpoints, run.recorder, later, self._work, step)
        self.shown.look_at(past, self.trainer)

    def go_to(self, run: int) -> Script | None:
        """Take up another branch as soon as it is rebuilt, or by the script that repeats it."""
        self.refuse_if_failed()
        if run == self.run.number:
            self.shown.end_look(self.trainer)
            return None
        is_b = self.other is not None and run == self.other.run.number
        branch = None if is_b else self.branches.find(run)
        self.shown.end_look(self.trainer)
        self.end_lockstep()
        branch = branch or self.branches.find(run)
        if branch.kept is None:
            return self._repeat(branch)
        past = branch.rebuilt(self.run.training, self._work)
        self.shown.look_at(past, self.trainer, branch)
        self._switch_to_goal()
        return None

    def _switch_to_goal(self) -> None:
        """Continue the requested branch, if its last step has been rebuilt."""
        past, branch = self.shown.past, self.shown.goal
        if past and branch and past.ready:
            past.finish()
            transferred, self._placeholder = self._placeholder is not None, None
            if not transferred:
                self._leave(branch)
            self._train_on(self.run.take_up(branch, past, self._bytes_left), past)
            if transferred and self.run.digest != branch.digest and not self.trainer.message:
                self.trainer.message = OTHER_BITS.format(step=self.run.step)

    def _repeat(self, branch: Branch) -> Script:
        """Repeat a branch of a link from its first step, since it has no checkpoints."""
        training = self.run.training.restarted(self.run.first_config)
        self._leave(branch)
        run = Run.begun(branch.info.run, training, self._max_bytes, self._work)
        run.parent = branch.info.parent
        self._train_anew(run, self.trainer.status)
        self.repeats = branch
        return Script(branch.turns, branch.info.step)

    def finish_rebuilding(self) -> None:
        """Rebuild the step that is wanted, however long it takes."""
        if self.shown.past:
            self.shown.past.advance()
            self._switch_to_goal()

    def go_on_from_past(self) -> None:
        """Fork: a new run continues from the past step that is shown."""
        self.finish_rebuilding()
        past = self.shown.past
        if past is None:
            return
        self.end_lockstep()
        self._leave()
        self._runs += 1
        run = self.run.fork_at(past, self._runs, self._bytes_left)
        branches = {self.run.number, *(branch.info.run for branch in self.branches)}
        self._diagnosing.begin_branch(run.number, Parent(self.run.number, past.step), branches)
        self._train_on(run, past)

    def _leave(self, taken_up: Branch | None = None) -> None:
        """Keep this run as a branch, in place of the one that is taken up."""
        if taken_up:
            self.branches.drop(taken_up.info.run)
        self.previous = self.trainer.so_far(f"run {self.run.number}")
        self.branches.add(self.repeats or self.trainer.as_branch())

    def _train_on(self, run: Run, past: Past) -> None:
        """Train the rebuilt run; it runs if the one before did."""
        waited = self.shown.status_now is Status.PAUSED
        past.measured.instruments.go_on(past.later)
        self.shown.past = self.shown.goal = self.repeats = None
        self.trainer = Trainer(
            run,
            past.measured,
            Status.PAUSED if waited else Status.RUNNING,
            self.trainer.data,
            self._clock,
        )

    @property
    def _bytes_left(self) -> int:
        """Bytes for checkpoints, beside those of branches."""
        part = self._max_bytes // PART if self.other else 0
        return max(0, self._max_bytes - self.branches.nbytes - part)

    # ---- lockstep -----------------------------------------------------------------------------

    def start_lockstep(self) -> None:
        """Train B beside this run from the step that is shown."""
        self.refuse_if_diverged()
        self.refuse_if_failed()
        self.go_on_from_past()
        if self.other:
            return
        later = self.trainer.measured.instruments.state
        self.other = Companion(self.run, self._runs + 1, later, self._max_bytes // PART)
        self._runs += 1
        self.run.checkpoints.allow(self._bytes_left)

    def end_lockstep(self) -> None:
        """Train this run alone; B stays as a branch."""
        if other := self.other:
            self.other = None
            self.branches.add(other.branch())
            self.run.checkpoints.allow(self._bytes_left)

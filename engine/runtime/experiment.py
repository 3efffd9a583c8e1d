"""One experiment: a network, its data, and everything that can be done to it while it learns.

There are no threads here. `advance` trains, `apply` applies a command, `snapshot` returns the
state; the caller decides when. A run is determined to the bit by its first config and its journal,
the list of `(step, command)` that were applied to it.
"""

import dataclasses
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from typing import Literal

import numpy as np
from numpy.typing import DTypeLike

from engine.data import Split
from engine.diagnosis.gradcheck import GradientCheck, check_gradients
from engine.measure.divergence import SHOWN, Autopsy, autopsy, examine
from engine.measure.explained_step import ExplainedStep, Explaining, explaining
from engine.measure.loss_line import LossLine
from engine.measure.measurements import Measurements
from engine.measure.pinned_runs import PastRun, check_pin
from engine.measure.snapshot import (
    BranchInfo,
    Change,
    Condition,
    Looking,
    Marker,
    Parent,
    Snapshot,
    Status,
    own_change,
    show_data,
)
from engine.measure.traced_weight import NO_PLACE, Place, TracedWeight, tracing
from engine.monotonic_clock import Steady
from engine.nn.network import Network
from engine.number_format import written
from engine.registry import Choice
from engine.runtime.ahead import Ahead
from engine.runtime.background_results import BackgroundResults
from engine.runtime.branches import MOST, PART, Branch, Branches, Kept, from_link, parent_of
from engine.runtime.companion import Companion, Origin
from engine.runtime.curve_recorder import Recorder
from engine.runtime.film import Film, Filming, filming
from engine.runtime.look_back import Past
from engine.runtime.pace import FULL
from engine.runtime.script import Script
from engine.runtime.speed import Speed
from engine.runtime.telling import Telling
from engine.training.checkpoints import ROOM, Checkpoints
from engine.training.commands import (
    Begin,
    Command,
    EndLockstep,
    FinishEpoch,
    GoTo,
    Lockstepping,
    LookAhead,
    LookBack,
    Offshoot,
    Pause,
    Pin,
    Play,
    Restart,
    SetKnob,
    StartLockstep,
    Steering,
    Step,
    Turn,
    Unpin,
    check_command,
)
from engine.training.config import SETTINGS, Effect, Rebuilds, RunConfig, SettingValue, rebuilt
from engine.training.config_for_data import DATASET, suit_data
from engine.training.packed_state import pack, redrawn
from engine.training.training import Diverged, Training

# CPU seconds of this thread, so that an interruption by frames for others costs it no training.
# Windows counts these in units that are longer than a slice.
PROCESSOR = time.perf_counter if sys.platform == "win32" else time.thread_time
AHEAD = "The link's run is still being repeated, to verify what is shown: wait until it is there."
FREE = 3  # times the training time, which rows of the curves may take in addition

# The check of the loss reports an overflow; nobody would see NumPy's warning.
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
        room: int = ROOM,  # bytes for checkpoints, from which its steps are rebuilt
    ) -> None:
        self.run = self._runs = 0  # its number, and how many runs there have been
        self.status = Status.PAUSED
        self.pinned: tuple[PastRun, ...] = ()
        self._previous: PastRun | None = None
        self._telling = Telling()
        self._dtype = dtype
        self._clock, self._work = Steady(clock), Steady(work)
        self._room = room
        self._began_at = 0  # the step at which this run was forked from another
        self._past: Past | None = None  # the past step that is shown
        self._ahead: Ahead | None = None  # the last step of a link's run, while that is repeated
        self._goal: Branch | None = None  # the branch whose last step is rebuilt to be taken up
        self._status_now = self.status  # of the run itself, while a past step is shown
        self._begin(config)
        self._tell()

    def _begin(self, config: RunConfig) -> None:
        training = Training(config, self._dtype)  # may raise; then the previous run continues
        # A run without a step has nothing to compare.
        if self.run and self.step > self._began_at:
            self._previous = self._so_far(f"run {self.run}")
        self._end_look()
        self.branches = Branches(self._room)
        self._telling.begin()
        self._other: Companion | None = None  # run B of a comparison
        self.run = self._runs = self._runs + 1
        self.parent: Parent | None = None
        self._start(training)

    def _start(self, training: Training) -> None:
        """Be a run that has made no step yet."""
        config = training.config
        self._began_at = 0
        self._ahead = None
        self._repeats: Branch | None = None  # the branch of a link that its script repeats
        self._script = Script()
        self._came_to = 0  # the last step that it was told to train to
        self.message = ""
        self.config = self.first_config = config
        self.journal: list[tuple[int, Command]] = []
        self._markers: list[Marker] = []
        self._training = training
        self._shown_data = show_data(training.data)
        self._recorder = Recorder(training)
        self._measured = Measurements(training, self._work)
        self._trail = Checkpoints(training, self.journal, self._recorder.mark, self._room)
        self._autopsy: Autopsy | None = None
        self._diverged_under: RunConfig | None = None
        self._begin_to_count()

    def _begin_to_count(self) -> None:
        """Reset all measurements of speed."""
        self._speed = Speed()
        self._written = 0.0  # seconds of this slice spent on the curves

    def number_after(self, run: int) -> None:
        """Number its runs after those of another experiment, so that a page tells them apart."""
        self.run = self._runs = run + 1

    @property
    def step(self) -> int:
        """Updates made so far."""
        return self._training.step

    @property
    def since_change(self) -> int:
        """Steps since the start, the last change, or the step that it was told to train to."""
        known = (self._markers, self._other.markers if self._other else [])
        changed = max((markers[-1].step for markers in known if markers), default=0)
        return self.step - max(changed, self._came_to)

    @property
    def catches_up(self) -> bool:
        """Whether it trains to a step that it was told to reach."""
        return self._script.until is not None

    @property
    def network(self) -> Network:
        """The network that is being trained."""
        return self._training.network

    @property
    def data(self) -> Split:
        """The training and validation sets, preprocessed."""
        return self._training.data

    # ---- training -------------------------------------------------------------------------

    @_quietly
    def train(self, steps: int) -> None:
        """Make so many steps, fewer only if the run diverges."""
        self._go_on_from_past()
        for _ in range(steps):
            if self.status is Status.DIVERGED:
                return
            self._update()

    @_quietly
    def advance(self, seconds: float, steps: float = math.inf, apart: float = math.inf) -> int:
        """Train for about so many seconds, if the experiment is running; returns the steps made.

        While a past step is requested, rebuild that step instead. At most `steps` are made, and the
        curves get a row at least every `apart` steps. Writing rows does not count, up to a limit: a
        young or just changed run writes many, and would otherwise make fewer steps than others.
        """
        if self._past:
            self._past.advance(seconds)
            self._arrive()
            return 0
        if self._traces:
            self._trace(seconds)
            return 0
        if self._ahead and not self._ahead.ready:
            self._rebuild_ahead(self._ahead, seconds)
            return 0
        start = now = self._work()
        self._written, made = 0.0, 0
        self._recorder.apart = apart
        while (
            self.status is Status.RUNNING
            and made < steps
            and now - start < seconds + min(self._written, FREE * seconds)
        ):
            self._update()
            made += 1
            now = self._work()
        trained = now - start - self._written
        idle = max(0.0, seconds - (now - start)) if made == steps else 0.0
        self._speed.note(trained, idle)
        self._recorder.spare = 1 + idle / trained if trained > 0 else 1.0
        return made

    def _update(self) -> None:
        try:
            loss = self._training.update()
        except Diverged as diverged:
            self._diverge(diverged.loss)
        else:
            self._recorder.note(loss)
            if self._recorder.due:
                self._write_row()
            if self.step >= self._trail.due:
                self._trail.keep()
        if self._other:
            self._other.update(self._recorder)
        if self.step == self._script.next_stop:
            self._follow_script()

    def _write_row(self) -> None:
        begun = self._work()
        self._recorder.write()
        self._written += self._work() - begun

    def _follow_script(self) -> None:
        """Apply the script's commands for this step; at its end, pause."""
        while turn := self._script.take(self.step):
            self._obey_script(turn)
        if self.step == self._script.until:
            self._script, self._came_to = Script(), self.step
            self._repeats = None
            self._verify()
            self._pause()

    def _obey_script(self, command: SetKnob) -> None:
        """Apply a command of the script; an illegal one ends the script."""
        diverged = self.status is Status.DIVERGED
        try:
            self._steer_and_note(command)
        except ValueError as error:
            self._script = Script()
            self.status, self.message = Status.PAUSED, str(error)
        else:
            if diverged and self.status is Status.PAUSED:  # it has new weights
                self.status = Status.RUNNING

    def _diverge(self, loss: float) -> None:
        self.status, self._ahead = Status.DIVERGED, None
        self._diverged_under = self.config
        self._mark("diverged")
        self._recorder.end(loss)
        self.message = autopsy(self._training, loss)
        again = self._trail.start_again(SHOWN)
        self._autopsy = examine(again, self.step) if again else None
        self._measured.instruments.measure_end()

    # ---- commands -------------------------------------------------------------------------

    @_quietly
    def apply(self, command: Command) -> None:
        """Apply a command; ValueError says in one sentence why an impossible one is refused."""
        check_command(command)
        match command:
            case Begin():
                self._play_script(command)
            case Pin(name, note):
                self._pin(name, note)
            case Unpin(name):
                self.pinned = tuple(past for past in self.pinned if past.name != name)
            case LookBack() | LookAhead() | GoTo():
                self._travel(command)
            case StartLockstep() | EndLockstep() | Turn():
                self._refuse_if_ahead()
                self._lockstep(command)
            case _:
                if not isinstance(command, Play | Pause | Restart):
                    self._refuse_if_ahead()
                self._steer_and_note(command)

    def _refuse_if_ahead(self) -> None:
        if self._ahead:
            raise ValueError(AHEAD)

    def _travel(self, command: LookBack | LookAhead | GoTo) -> None:
        """Show or take up what is not the run as it stands."""
        match command:
            case LookBack(step):
                self._look_back(step)
            case LookAhead():
                self._ahead = None
                self._end_look()
            case GoTo(run):
                self._go_to(run)

    def _steer_and_note(self, command: Steering) -> None:
        """Apply a command, and add it to the journal if it changed anything."""
        if self._past:
            self._past.advance()  # finish rebuilding: the command applies to the shown step
            self._arrive()
        if self._past and self._goes_on_by(command):
            self._go_on_from_past()
        journal, step = self.journal, self.step  # of this run, even if the command starts another
        if self._steer(command):
            journal.append((step, command))
            if self.step >= self._trail.due:  # it has new weights
                self._trail.keep()

    def _goes_on_by(self, command: Steering) -> bool:
        """Whether a command makes a run continue from the past step that is shown."""
        match command:
            case Play() | Step() | FinishEpoch():
                self._refuse_if_diverged()
                return True
            case SetKnob(path, value):
                config = self._shown.replace(path, value)
                return config != self._shown and not self._begins_run(path, config)
        return False

    def _steer(self, command: Steering) -> bool:
        """Apply a command; returns whether anything changed."""
        status = self.status
        match command:
            case Play():
                self._refuse_if_diverged()
                self.status = Status.RUNNING
                return status is not Status.RUNNING
            case Pause():
                return self._pause()
            case Step():
                self._refuse_if_diverged()
                self.status = Status.PAUSED
                self._recorder.make_due()
                if self._other:
                    self._other.recorder.make_due()
                self.train(1)
            case FinishEpoch():
                self._refuse_if_diverged()
                self._finish_epoch()
            case SetKnob(path, value):
                return self._set(path, value)
            case Restart(seed):
                self._restart(self._shown if seed is None else self._shown.with_seed(seed))
        return True

    def _pause(self) -> bool:
        """Stop training; returns whether it was running."""
        running = self.status is Status.RUNNING
        if running:
            self.status = Status.PAUSED
        return running

    def _finish_epoch(self) -> None:
        """Train to the end of the epoch, unless a script names the step to train to."""
        self.status = Status.RUNNING
        if self._script.next_stop is None:
            end = self._recorder.asked = self.step + self._training.batches.left
            self._script = Script(until=end)

    def _refuse_if_diverged(self) -> None:
        if Status.DIVERGED in (self.status, self._status_shown):
            raise ValueError("This run has diverged: do what its diagnosis says, then restart it.")

    def _restart(self, config: RunConfig) -> None:
        self._begin(config)
        if self.status is not Status.PAUSED:
            self.status = Status.RUNNING

    def _play_script(self, begin: Begin) -> None:
        self._begin(begin.config)
        self._telling.followed.forget()
        if begin.branches:
            self._adopt(begin)
        if begin.state:
            self._show_ahead(begin)
        self._repeat(begin.script, begin.until)

    def _repeat(self, script: Iterable[tuple[int, SetKnob]], until: int | None) -> None:
        """Run, changing settings at given steps, and pause at the end."""
        self._script = Script(script, until)
        self.status = Status.RUNNING
        if self._script.next_stop == 0:
            self._follow_script()

    def _pin(self, name: str, note: str) -> None:
        check_pin(name, self.pinned, note)
        if self.status is not Status.DIVERGED:
            self._measured.instruments.measure_all()  # its figures are those of its last step
        kept = dataclasses.replace(
            self._so_far(name),
            note=note,
            digest=self.network.parameters.digest,
        )
        self.pinned += (kept,)

    def _so_far(self, name: str) -> PastRun:
        """This run's state, to be compared with others."""
        turns = tuple((step, x) for step, x in self.journal if isinstance(x, SetKnob))
        begin = Begin(self.first_config, turns, self.step)
        curves, metrics = self._recorder.curves, self._measured.instruments.metrics
        return PastRun(name, self.run, self.config, curves, self.step, metrics, begin)

    def _set(self, path: str, value: float | Choice | str) -> bool:
        before = self._shown.value(path)
        config = self._shown.replace(path, value)
        if config.value(path) == before:
            return False
        if path == DATASET and config.data.dataset.name != before.name:
            config = suit_data(config, had_classes=bool(self.data.train.classes))
        self._turn(path, config)
        self._telling.followed.note(SetKnob(path, value), Change(path, before, config.value(path)))
        return True

    def _turn(self, path: str, config: RunConfig) -> None:
        """Continue, or start a new run, under a config that differs in the setting at `path`."""
        setting, before = SETTINGS[path], self._shown.value(path)
        if self._begins_run(path, config):
            return self._restart(config)
        anew = rebuilt(self.config, config)
        self._training.follow(config)
        self.config = config
        if setting.effect is Effect.REDRAW:
            self._training.draw_weights()
            self._trail.renew()
            self._autopsy = self._diverged_under = None
            if self.status is Status.DIVERGED:
                self.status, self.message = Status.PAUSED, ""
        if setting.effect is Effect.REDRAW or anew & {Rebuilds.NETWORK, Rebuilds.LOSS}:
            self._measured.renew()
        self._measured.instruments.forget_last_step()
        self._mark(_in_words(Change(path, before, config.value(path))), path)

    def _begins_run(self, path: str, config: RunConfig) -> bool:
        """Whether this value of the setting at `path` needs a new run."""
        training = self._past.training if self._past else self._training
        return SETTINGS[path].effect is Effect.NEW_RUN or not training.can_follow(config)

    def _mark(self, text: str, path: str = "") -> None:
        self._markers.append(Marker(self.step, self._recorder.rows, text, path))
        self._recorder.turn()

    # ---- looking back -------------------------------------------------------------------------

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

    @property
    def rebuilding(self) -> bool:
        """Whether a step that somebody wants to look at is being made again."""
        return self._past is not None and not self._past.ready

    @property
    def shown_network(self) -> Network:
        """The network as it is shown: of the step that is looked at, or as it is now."""
        return self._shown_training.network

    @property
    def _shown_training(self) -> Training:
        return self._rebuilt.training if self._rebuilt else self._training

    @property
    def shown_journal(self) -> tuple[tuple[int, Command], ...]:
        """The commands that led to the step that is shown."""
        if self._ahead and self._ahead.ready:
            return (*self.journal, *self._script.rest)
        past = self._rebuilt
        return tuple(x for x in self.journal if past is None or x[0] < past.step)

    @property
    def shown_step(self) -> int:
        """The step that is looked at, or the last one."""
        return self._rebuilt.step if self._rebuilt else self.step

    @property
    def _rebuilt(self) -> Past | None:
        past = self._past or (self._ahead and self._ahead.past)
        return past if past and past.ready else None

    @property
    def _shown(self) -> RunConfig:
        """The settings of the step that is shown."""
        return self._past.training.config if self._past else self.config

    @property
    def _status_shown(self) -> Status:
        past = self._past
        return Status.DIVERGED if past and past.diverged is not None else self.status

    def _look_back(self, step: int) -> None:
        if self.status is Status.FAILED:
            raise ValueError("This run has failed: restart it.")
        if not 0 <= step <= self.step:
            raise ValueError(f"This run has steps 0 to {self.step:,}, got {step:,}.")
        if self._goal:
            self._end_look()
        if self._past:
            self._past.go_to(step)
            return
        later = self._measured.instruments.heritage
        self._look_at(Past(self._trail, self._recorder, later, self._work, step))

    def _look_at(self, past: Past) -> None:
        self._past, self._ahead = past, None
        self._status_now, self.status = self.status, Status.PAUSED

    def _end_look(self) -> None:
        if self._past:
            self._past = self._goal = None
            if self.status is Status.PAUSED:  # not if it failed
                self.status = self._status_now

    def _go_on_from_past(self) -> None:
        """Fork: a new run continues from the past step that is shown."""
        if self._past:
            self._past.advance()
            self._arrive()
        past = self._past
        if past is None:
            return
        journal = [entry for entry in self.journal if entry[0] < past.step]
        markers = [marker for marker in self._markers if marker.step < past.step]
        parent = Parent(self.run, past.step)
        self._end_lockstep()
        self._leave()
        self._runs += 1
        self.run, self.parent, self._began_at = self._runs, parent, past.step
        branches = {parent.run, *(branch.info.run for branch in self.branches)}
        self._telling.begin_branch(self.run, parent, branches)
        self._go_on_as(past, journal, markers)

    def _go_on_as(
        self, past: Past, journal: list[tuple[int, Command]], markers: list[Marker]
    ) -> None:
        """Be the run that has been rebuilt, and go on if the one before did."""
        goes_on = self._status_now is not Status.PAUSED
        self.status = Status.RUNNING if goes_on else Status.PAUSED
        self.message, self._past, self._goal = "", None, None
        self._came_to = past.step
        self._script, self._repeats = Script(), None
        self.journal, self._markers = journal, markers
        self._training, self._recorder = past.training, past.recorder
        self._measured = past.measured
        self.config = self._training.config
        self._recorder.part()
        self._measured.instruments.go_on(past.later)
        self._trail = past.trail.up_to(
            past.step, self._training, self.journal, self._recorder.mark, self._room_left
        )
        self._autopsy = self._diverged_under = None
        self._begin_to_count()
        if past.diverged is not None:
            self._stay_diverged(past.diverged)

    @property
    def _room_left(self) -> int:
        """Bytes for checkpoints, beside those of branches."""
        part = self._room // PART if self._other else 0
        return max(0, self._room - self.branches.nbytes - part)

    def _stay_diverged(self, loss: float) -> None:
        """The forked run starts at the step of a divergence: it can only get new weights."""
        self.status, self._diverged_under = Status.DIVERGED, self.config
        self.message = autopsy(self._training, loss)

    # ---- a link's state ---------------------------------------------------------------------

    def _show_ahead(self, begin: Begin) -> None:
        """Show the last step of a run from the state in its link, before it is repeated."""
        later = self._measured.instruments.heritage
        try:
            self._ahead = Ahead(begin, self._training, self._recorder, later, self._work)
        except ValueError as error:
            self._refuse_state(error)
        else:
            self._tell()  # what is shown until the state is there must be of this run

    def _rebuild_ahead(self, ahead: Ahead, seconds: float) -> None:
        try:
            ahead.advance(seconds)
        except ValueError as error:
            self._refuse_state(error)

    def _refuse_state(self, error: ValueError) -> None:
        self._ahead, self.message = None, f"{error}: the run is repeated from its first step."

    def _verify(self) -> None:
        """The run has been repeated: whether the state of its link was that of its last step."""
        if self._ahead and self._ahead.ready and not self._ahead.is_of(self.network):
            self.message = "The state that the link carried was not this run's, shown now."
        self._ahead = None

    def packed_state(self) -> bytes:
        """A state shortly before the step that is shown, for a link; none if it is not needed."""
        near = self._trail.before(self.shown_step)
        turns = [x for _, x in self.journal[: near.applied] if isinstance(x, SetKnob)]
        if redrawn((0, turn) for turn in turns):
            return b""
        return pack(near, len(turns))

    # ---- branches -------------------------------------------------------------------------

    @property
    def offshoots(self) -> tuple[Offshoot, ...]:
        """The other runs of its tree as plain values, run B of a comparison included."""
        left = [branch.offshoot for branch in self.branches]
        return (*left, *([self._other.offshoot] if self._other else []))[-MOST:]

    @_quietly
    def go_to(self, run: int) -> None:
        """Take up another branch where it was left; this run becomes a branch beside it."""
        self.apply(GoTo(run))
        while self._past or self._repeats:
            self.advance(math.inf)

    def _go_to(self, run: int) -> None:
        if self.status is Status.FAILED:
            raise ValueError("This run has failed: restart it.")
        if run == self.run:
            self._end_look()
            return
        is_b = self._other is not None and run == self._other.run
        branch = None if is_b else self.branches.find(run)
        self._end_look()
        self._end_lockstep()
        branch = branch or self.branches.find(run)
        if branch.kept is None:
            self._repeat_branch(branch)
            return
        self._look_at(branch.rebuilt(self._training, self._work))
        self._goal = branch
        self._arrive()

    def _arrive(self) -> None:
        """Take the branch up whose last step has been rebuilt."""
        past, goal = self._past, self._goal
        if not (past and goal and past.ready):
            return
        past.finish()
        self._leave_for(goal.info)
        self._go_on_as(past, list(goal.journal), list(goal.markers))

    def _repeat_branch(self, branch: Branch) -> None:
        """Take up a branch of a link: there is nothing of it, so it is repeated."""
        training = self._training.again(self.first_config)
        self._leave_for(branch.info)
        self._start(training)
        self._repeats = branch
        self._repeat(branch.turns, branch.info.step)

    def _leave_for(self, branch: BranchInfo) -> None:
        """Keep this run as a branch in the place of another one, whose number is this one's now."""
        self.branches.drop(branch.run)
        self._leave()
        self.run, self.parent = branch.run, branch.parent
        self._began_at = branch.parent.step if branch.parent else 0

    def _leave(self) -> None:
        """Keep this run as a branch."""
        self._previous = self._so_far(f"run {self.run}")
        self.branches.add(self._repeats or self._as_branch())

    def _as_branch(self) -> Branch:
        recorder = self._recorder.left()
        past = dataclasses.replace(self._so_far(f"run {self.run}"), curves=recorder.curves)
        change = own_change(self._markers, self.parent)
        info = BranchInfo(self.run, self.parent, self.step, change, past)
        kept = Kept(recorder, self._trail.left(), self._measured.instruments.heritage)
        digest = self.network.parameters.digest
        journal, markers = tuple(self.journal), tuple(self._markers)
        return Branch(info, self.first_config, journal, markers, digest, kept)

    def _adopt(self, begin: Begin) -> None:
        """Be one of the branches that came with a link, under the next free numbers."""
        runs = sorted({begin.run, *(x.run for x in begin.branches)})
        numbers = {run: self.run + n for n, run in enumerate(runs)}
        self.run, self._runs = numbers[begin.run], max(numbers.values())
        self.parent = parent_of(begin.parent, numbers)
        self._began_at = self.parent.step if self.parent else 0
        self.branches.adopt(begin.branches, begin.config, numbers)
        own = Offshoot(begin.run, begin.script, begin.until or 0, begin.parent)
        self._repeats = from_link(own, begin.config, numbers)

    # ---- lockstep -------------------------------------------------------------------------

    def _lockstep(self, command: Lockstepping) -> None:
        match command:
            case StartLockstep():
                self._start_lockstep()
            case EndLockstep():
                self._end_lockstep()
            case Turn(turn, of):
                self._turn_other(turn, of)

    def _start_lockstep(self) -> None:
        """Train B beside this run from the step that is shown."""
        self._refuse_if_diverged()
        if self.status is Status.FAILED:
            raise ValueError("This run has failed: restart it.")
        self._go_on_from_past()
        if self._other:
            return
        origin = Origin(
            self.run, self.first_config, self._training, self._recorder, self._trail,
            self.journal, self._markers, self._measured.instruments.heritage,
        )  # fmt: skip
        self._other = Companion(self._runs + 1, origin, self._room // PART)
        self._runs += 1
        self._trail.room = self._room_left

    def _end_lockstep(self) -> None:
        """Train this run alone; B stays as a branch."""
        if other := self._other:
            self._other = None
            self.branches.add(other.branch())
            self._trail.room = self._room_left

    def _turn_other(self, turn: SetKnob, of: Literal["B", "both"]) -> None:
        """Change a setting of B, and with it of A if that is meant."""
        other = self._other
        if other is None:
            raise ValueError("There is no run B: begin A | B before.")
        if self._past:
            raise ValueError("Run B has no step but its last: go back to now to change it.")
        other.check(turn)
        if of == "both":
            self._steer_and_note(turn)
        other.turn(turn, _in_words(other.change(turn)))

    @_quietly
    def straight_line(self) -> LossLine | None:
        """The loss on the straight line from these weights to those of run B, if there is one."""
        return self._other.line(self._training) if self._other else None

    @property
    def _traces(self) -> bool:
        """Whether that line is still to be measured: while both runs wait."""
        waits = self.status is Status.PAUSED and not self._past
        return waits and self._other is not None and not self._other.traced(self._training)

    def _trace(self, seconds: float) -> None:
        begun = self._work()
        while self._other and self._traces:
            self._other.trace(self._training)
            if self._work() - begun >= seconds:
                return

    @property
    def at_work(self) -> bool:
        """Whether there is something to do at once, besides training."""
        ahead = self._ahead is not None and not self._ahead.ready
        return self.rebuilding or self._traces or ahead

    # ---- state ----------------------------------------------------------------------------

    @_quietly
    def snapshot(self, looks: Set[str] = frozenset()) -> Snapshot:
        """The current state, all of it measured now; training is not affected.

        `looks` are the names of the requested fields of `Inside`.
        """
        if self._past or self._ahead:
            return self._tell_rebuilt(looks)
        if self.status is not Status.DIVERGED:
            self._measured.measure_all(looks)
        else:
            self._measured.measure_broken(looks)
        return self._tell()

    @_quietly
    def cached_snapshot(self, looks: Set[str] = frozenset()) -> Snapshot:
        """The current state; what is expensive to measure may be a little older."""
        if self._past or self._ahead:
            return self._tell_rebuilt(looks)
        trained = self._speed.take_unmeasured()
        if self.status is not Status.DIVERGED:
            self._measured.measure(looks, trained)
        else:
            self._measured.measure_broken(looks)
        return self._tell()

    @_quietly
    def check_gradients(self, coordinates: int = 30) -> GradientCheck:
        """Compare some gradients of the last mini-batch with differences of the loss."""
        return check_gradients(self._training, np.random.default_rng(self.step), coordinates)

    def explaining(self, chosen: int = 0) -> Iterator[ExplainedStep | Explaining]:
        """Explain the next step from what is shown, piece by piece, without making it.

        `chosen` is the example of its mini-batch that is followed.
        """
        return explaining(self._shown_training, self.run, chosen)

    def tracing(
        self, place: Place = NO_PLACE, chosen: int = 0
    ) -> Iterator[TracedWeight | Explaining]:
        """Follow one weight through the next step, piece by piece, without making it."""
        return tracing(self._shown_training, place, chosen)

    def filming(self) -> Iterator[Film | Filming]:
        """Make a film of this run up to now, piece by piece."""
        return filming(self._trail, self.step, self._measured.instruments.heritage.scale)

    def _tell(self) -> Snapshot:
        return self._telling.tell(self._describe())

    def _tell_rebuilt(self, looks: Set[str]) -> Snapshot:
        """The step that is looked at, or the last one of a link's run while that is repeated."""
        shown = self._telling.last.so_far
        if self._past:
            return self._tell_past(self._past, self._past.looking(self.step, shown), looks)
        if self._ahead:
            looking = self._ahead.looking(self.step, shown)
            told = self._tell_past(self._ahead.past, looking, looks)
            return self._telling.tell_unverified(told, self.status, self._script.until)
        return self._tell()

    def _tell_past(self, past: Past, looking: Looking, looks: Set[str]) -> Snapshot:
        """How the run stood at another step; until that is rebuilt, what was told before."""
        if not past.ready:
            return self._telling.tell_unready(self.status, looking)
        past.measure(looks)
        return self._telling.tell_past(self._describe(), past, looking)

    def _describe(self) -> Snapshot:
        """The state of the run as it is now, without findings."""
        training, instruments = self._training, self._measured.instruments
        running = self.status is Status.RUNNING
        return Snapshot(
            run=self.run,
            step=self.step,
            epoch=training.batches.epoch,
            status=self.status,
            message=self.message,
            config=self.config,
            data=self._shown_data,
            curves=self._recorder.curves,
            layers=instruments.layers,
            strip=instruments.strip,
            tensors=instruments.tensors,
            metrics=instruments.metrics,
            findings=(),
            condition=Condition.HEALTHY,
            markers=tuple(self._markers),
            noticed=self._telling.noticed(self.run),
            followed=self._telling.followed.changes,
            diverged_under=self._diverged_under,
            beside=BackgroundResults(),
            inside=self._measured.looker.seen,
            previous=self._previous,
            pinned=self.pinned,
            until=self._script.until,
            costs=instruments.costs,
            pace=FULL,
            steps_per_second=self._speed.by_clock(self.step, self._clock()) if running else 0.0,
            training_steps_per_second=self._speed.by_training(self.step),
            autopsy=self._autopsy,
            looking=None,
            parent=self.parent,
            other=self._other.told(training) if self._other else None,
            branches=self.branches.told,
        )


def replay(config: RunConfig, journal: Sequence[tuple[int, Command]], steps: int) -> Experiment:
    """Repeat the run with this first config and journal, for so many steps, to the bit."""
    experiment = Experiment(config)
    for step, command in journal:
        experiment.train(step - experiment.step)
        experiment.apply(command)
    experiment.train(steps - experiment.step)
    return experiment


def _in_words(change: Change) -> str:
    label = SETTINGS[change.path].label
    return f"{label} {_plain(change.before)} → {_plain(change.after)}"


def _plain(value: SettingValue) -> str:
    if isinstance(value, Choice):
        knobs = ", ".join(f"{name} {written(number)}" for name, number in value.knobs.items())
        return f"{value.name} ({knobs})" if knobs else value.name
    return written(value) if isinstance(value, int | float) else str(value)

"""What each command does to the runs of an experiment, and which of them the journal gets.

A command comes from a visitor or from a script, which applies its own at given steps.
"""

from collections.abc import Callable
from typing import Literal
from weakref import WeakMethod

from numpy.typing import DTypeLike

from engine.measure.pinned_runs import check_pin
from engine.measure.snapshot import Change, Status
from engine.registry import Choice
from engine.runtime.diagnosing import Diagnosing
from engine.runtime.run import Run
from engine.runtime.run_tree import RunTree
from engine.runtime.script import Script
from engine.runtime.snapshots import Snapshots
from engine.runtime.trainer import Trainer
from engine.training.commands import (
    Begin,
    Command,
    EndLockstep,
    FinishEpoch,
    GoTo,
    Lockstepping,
    LookAhead,
    LookBack,
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
from engine.training.config import SETTINGS, RunConfig
from engine.training.config_for_data import DATASET, suit_data
from engine.training.setting import Effect
from engine.training.training import Training

REPEATING = "This run is still being repeated, to verify what is shown: wait until it is there."


class CommandApplier:
    """Applies commands to the runs of one experiment, between two steps."""

    def __init__(
        self,
        tree: RunTree,
        snapshots: Snapshots,
        diagnosing: Diagnosing,
        dtype: DTypeLike,
        # With a row of the curves; weak, so that no search for garbage is needed to free it.
        make_step: WeakMethod[Callable[[], None]],
    ) -> None:
        self._tree, self._snapshots, self._diagnosing = tree, snapshots, diagnosing
        self._dtype, self._make_step = dtype, make_step

    @property
    def _trainer(self) -> Trainer:
        return self._tree.trainer

    @property
    def _run(self) -> Run:
        return self._tree.run

    def apply(self, command: Command) -> None:
        """Apply a command; ValueError says in one sentence why an impossible one is refused."""
        check_command(command)
        match command:
            case Begin():
                self._play_script(command)
            case Pin(name, note):
                check_pin(name, self._snapshots.pinned, note)
                self._snapshots.pinned += (self._trainer.pinned(name, note),)
            case Unpin(name):
                self._snapshots.pinned = tuple(x for x in self._snapshots.pinned if x.name != name)
            case LookBack() | LookAhead() | GoTo():
                self._travel(command)
            case StartLockstep() | EndLockstep() | Turn():
                self._refuse_while_repeated()
                self._lockstep(command)
            case _:
                if not isinstance(command, Play | Pause | Restart):
                    self._refuse_while_repeated()
                self._steer_and_note(command)

    def _refuse_while_repeated(self) -> None:
        if self._tree.shown.preview:
            raise ValueError(REPEATING)

    def _steer_and_note(self, command: Steering) -> None:
        """Apply a command, and add it to the journal if it changed anything."""
        self._tree.finish_rebuilding()  # the command applies to the step that is wanted
        if self._tree.shown.past and self._goes_on_by(command):
            self._tree.go_on_from_past()
        run, step = self._run, self._run.step  # of now, even if the command starts another run
        if self._steer(command):
            run.note(step, command)

    def _goes_on_by(self, command: Steering) -> bool:
        """Whether a command makes a run continue from the past step that is shown."""
        match command:
            case Play() | Step() | FinishEpoch():
                self._tree.refuse_if_diverged()
                return True
            case SetKnob(path, value):
                before = self._tree.shown_config
                config = before.replace(path, value)
                return config != before and not self._begins_run(path, config)
        return False

    def _steer(self, command: Steering) -> bool:
        """Apply a command; returns whether anything changed."""
        match command:
            case Play():
                self._tree.refuse_if_diverged()
                return self._trainer.play()
            case Pause():
                return self._trainer.pause()
            case Step():
                self._tree.refuse_if_diverged()
                if make_step := self._make_step():
                    make_step()
            case FinishEpoch():
                self._tree.refuse_if_diverged()
                self._trainer.finish_epoch()
            case SetKnob(path, value):
                return self._set(path, value)
            case Restart(seed):
                config = self._tree.shown_config
                self._restart(config if seed is None else config.with_seed(seed))
        return True

    def _restart(self, config: RunConfig) -> None:
        self.begin(config)
        if self._trainer.status is not Status.PAUSED:
            self._trainer.status = Status.RUNNING

    def _set(self, path: str, value: float | Choice | str) -> bool:
        """Continue, or start a new run, under another value; returns whether it is another one."""
        shown = self._tree.shown_config
        before, config = shown.value(path), shown.replace(path, value)
        if config.value(path) == before:
            return False
        if path == DATASET and config.data.dataset.name != before.name:
            config = suit_data(config, had_classes=bool(self._run.training.data.train.classes))
        change = Change(path, before, config.value(path))
        if self._begins_run(path, config):
            self._restart(config)
        else:
            self._trainer.follow(config, change)
        self._diagnosing.followed.note(SetKnob(path, value), change)
        return True

    def _begins_run(self, path: str, config: RunConfig) -> bool:
        """Whether this value of the setting at `path` needs a new run."""
        training = (self._tree.shown.past or self._run).training
        return SETTINGS[path].effect is Effect.NEW_RUN or not training.can_follow(config)

    # ---- whole runs ------------------------------------------------------------------------

    def begin(self, config: RunConfig) -> None:
        """Begin a run that has nothing to do with those before."""
        self._tree.begin(Training(config, self._dtype))

    def _play_script(self, begin: Begin) -> None:
        self.begin(begin.config)
        self._diagnosing.followed.forget()
        if begin.branches:
            self._tree.adopt(begin)
        if begin.state and self._tree.show_preview(begin):
            # What is shown until the state is there must be of this run.
            self._snapshots.as_measured()
        self.repeat(Script(begin.script, begin.until))

    def repeat(self, script: Script) -> None:
        """Run, changing settings at given steps, and pause at the end."""
        self._trainer.script, self._trainer.status = script, Status.RUNNING
        if script.next_stop == 0:
            self.follow_script()

    def follow_script(self) -> None:
        """Apply the script's commands for this step; at its end, pause."""
        while turn := self._trainer.script.take(self._run.step):
            self._apply_scripted(turn)
        if self._run.step == self._trainer.script.until:
            self._trainer.script, self._trainer.came_to = Script(), self._run.step
            self._tree.end_repeating()
            self._trainer.pause()

    def _apply_scripted(self, command: SetKnob) -> None:
        """Apply a command of the script; an illegal one ends the script."""
        diverged = self._trainer.status is Status.DIVERGED
        try:
            self._steer_and_note(command)
        except ValueError as error:
            self._trainer.script = Script()
            self._trainer.status, self._trainer.message = Status.PAUSED, str(error)
        else:
            if diverged and self._trainer.status is Status.PAUSED:  # it has new weights
                self._trainer.status = Status.RUNNING

    # ---- looking back, and branches --------------------------------------------------------

    def _travel(self, command: LookBack | LookAhead | GoTo) -> None:
        """Show or take up what is not the run as it stands."""
        self._tree.refuse_if_taking_up()
        match command:
            case LookBack(step):
                self._tree.look_back(step)
            case LookAhead():
                self._tree.shown.preview = None
                self._tree.shown.end_look(self._trainer)
            case GoTo(run):
                if script := self._tree.go_to(run):
                    self.repeat(script)

    # ---- lockstep -------------------------------------------------------------------------

    def _lockstep(self, command: Lockstepping) -> None:
        match command:
            case StartLockstep():
                self._tree.start_lockstep()
            case EndLockstep():
                self._tree.end_lockstep()
            case Turn(turn, of):
                self._turn_other(turn, of)

    def _turn_other(self, turn: SetKnob, of: Literal["B", "both"]) -> None:
        """Change a setting of B, and with it of A if that is meant."""
        other = self._tree.other
        if other is None:
            raise ValueError("There is no run B: begin A | B first.")
        if self._tree.shown.past:
            raise ValueError("Run B has no step but its last: go back to now to change it.")
        other.check(turn)
        if of == "both":
            self._steer_and_note(turn)
        other.turn(turn)

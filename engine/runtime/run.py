"""One run: a training with its journal, curves, markers and checkpoints.

The first config and the journal determine all of it to the bit.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from engine.measure.instruments import Instruments, InstrumentState
from engine.measure.pinned_runs import PastRun
from engine.measure.run_metrics import RunMetrics
from engine.measure.snapshot import BranchInfo, Change, Marker, Parent, own_change
from engine.number_format import written
from engine.registry import Choice
from engine.runtime.branches import Branch, Kept
from engine.runtime.curve_recorder import Recorder
from engine.runtime.look_back import Past
from engine.training.checkpoints import Checkpoints
from engine.training.commands import Begin, BranchRecord, Command, SetKnob, turns_of
from engine.training.config import SETTINGS, RunConfig, SettingValue
from engine.training.setting import Effect
from engine.training.training import Diverged, Training


@dataclass(slots=True, eq=False)
class Run:
    """A run, which makes steps, and goes on under other settings."""

    number: int
    parent: Parent | None  # None: it began at its first step
    first_config: RunConfig
    training: Training
    recorder: Recorder
    journal: list[tuple[int, Command]]
    markers: list[Marker]
    checkpoints: Checkpoints[Recorder]
    work: Callable[[], float]  # seconds of computing so far
    writing: float = 0.0  # seconds that it took to write rows of the curves
    diverged: float | None = None  # the loss with which it did
    diverged_under: RunConfig | None = None

    # ---- how it begins ------------------------------------------------------------------------

    @classmethod
    def begun(
        cls, number: int, training: Training, max_bytes: int, work: Callable[[], float]
    ) -> "Run":
        """A run that has made no step yet, with so many bytes for checkpoints."""
        recorder, journal = Recorder(training), list[tuple[int, Command]]()
        checkpoints = Checkpoints(training, journal, recorder.mark, max_bytes)
        return cls(
            number, None, training.config, training, recorder, journal, [], checkpoints, work
        )

    def fork_at(self, past: Past, number: int, max_bytes: int) -> "Run":
        """A new run that is forked from a past step of this one."""
        journal = [entry for entry in self.journal if entry[0] < past.step]
        markers = [marker for marker in self.markers if marker.step < past.step]
        parent = Parent(self.number, past.step)
        return self._from(past, number, parent, journal, markers, max_bytes)

    def take_up(self, branch: Branch, past: Past, max_bytes: int) -> "Run":
        """A branch beside this run, whose last step has been rebuilt."""
        journal, markers = list(branch.journal), list(branch.markers)
        run = self._from(past, branch.info.run, branch.info.parent, journal, markers, max_bytes)
        if branch.kept:  # the end of an epoch may have been asked for when it was left
            run.recorder.asked = branch.kept.recorder.asked
        return run

    def _from(
        self,
        past: Past,
        number: int,
        parent: Parent | None,
        journal: list[tuple[int, Command]],
        markers: list[Marker],
        max_bytes: int,
    ) -> "Run":
        training, recorder = past.training, past.recorder
        recorder.forget_later_rows()
        checkpoints = past.checkpoints.up_to(past.step, training, journal, recorder.mark, max_bytes)
        return Run(
            number, parent, self.first_config, training, recorder, journal, markers, checkpoints,
            self.work, 0.0, past.diverged, None if past.diverged is None else training.config,
        )  # fmt: skip

    def fork(self, number: int, max_bytes: int) -> "Run":
        """A new run that is forked from the current step of this one."""
        training = self.training.fork_now()
        recorder, journal = self.recorder.fork(training), list(self.journal)
        first, kept = self.first_config, self.checkpoints.for_branch()
        checkpoints = Checkpoints(training, journal, recorder.mark, max_bytes, kept, first)
        return Run(
            number, Parent(self.number, self.step), first, training, recorder, journal,
            list(self.markers), checkpoints, self.work,
        )  # fmt: skip

    # ---- what it is ---------------------------------------------------------------------------

    @property
    def step(self) -> int:
        """Updates made so far."""
        return self.training.step

    @property
    def config(self) -> RunConfig:
        """The settings under which it makes its next step."""
        return self.training.config

    @property
    def began_at(self) -> int:
        """The first step that is its own."""
        return self.parent.step if self.parent else 0

    @property
    def changed_at(self) -> int:
        """The step of its last change; of none, 0."""
        return self.markers[-1].step if self.markers else 0

    @property
    def turns(self) -> tuple[tuple[int, SetKnob], ...]:
        """The changes of settings in its journal."""
        return turns_of(self.journal)

    @property
    def digest(self) -> str:
        """A fingerprint of its weights."""
        return self.training.network.parameters.digest

    # ---- how it goes on -----------------------------------------------------------------------

    def update(self) -> float | None:
        """Make a step, and a row of the curves and a checkpoint if they are due.

        Returns the loss if the run diverges.
        """
        training, recorder = self.training, self.recorder
        try:
            loss = training.update()
        except Diverged as diverged:
            self._end(diverged.loss)
            return diverged.loss
        recorder.note(loss)
        if recorder.due:
            self._time(recorder.write)
        if training.step >= self.checkpoints.due:
            self.checkpoints.save()
        return None

    def _time(self, write: Callable[[], None]) -> None:
        """Write a row; training goes on for as much longer."""
        begun = self.work()
        write()
        self.writing += self.work() - begun

    def _end(self, loss: float) -> None:
        self.diverged, self.diverged_under = loss, self.config
        self._mark("diverged")
        self.recorder.end(loss)

    def follow(self, config: RunConfig, change: Change) -> None:
        """Go on under another config, which differs by this change."""
        self._time(self.recorder.write_before_change)
        self.training.follow(config)
        if SETTINGS[change.path].effect is Effect.REDRAW:
            self.training.draw_weights()
            self.checkpoints.renew()
            self.diverged = self.diverged_under = None
        self._mark(_in_words(change), change.path)

    def turn(self, turn: SetKnob) -> None:
        """Go on under another value of a setting, as its journal says then."""
        before = self.config
        config = before.replace(turn.path, turn.value)
        if config != before:
            change = Change(turn.path, before.value(turn.path), config.value(turn.path))
            self.follow(config, change)
            self.note(self.step, turn)

    def note(self, step: int, command: Command) -> None:
        """Write a command that was applied after this step into the journal."""
        self.journal.append((step, command))
        if self.step >= self.checkpoints.due:  # it has new weights
            self.checkpoints.save()

    def _mark(self, text: str, path: str = "") -> None:
        self.markers.append(Marker(self.step, self.recorder.rows, text, path))
        self.recorder.note_change()

    # ---- for comparison, and as a branch --------------------------------------------------

    def so_far(self, name: str, metrics: RunMetrics) -> PastRun:
        """Its state, to be compared with others."""
        begin = Begin(self.first_config, self.turns, self.step)
        curves = self.recorder.curves
        return PastRun(name, self.number, self.config, curves, self.step, metrics, begin)

    def as_branch(self, metrics: RunMetrics, state: InstrumentState) -> Branch:
        """The run as a branch beside another one."""
        recorder = self.recorder.compact_copy()
        past = self.so_far(f"run {self.number}", metrics)
        past = dataclasses.replace(past, curves=recorder.curves)
        change = own_change(self.markers, self.parent)
        info = BranchInfo(self.number, self.parent, self.step, change, past)
        kept = Kept(recorder, self.checkpoints.for_branch(), state)
        journal, markers = tuple(self.journal), tuple(self.markers)
        return Branch(info, self.first_config, journal, markers, self.digest, kept)

    def beside(self, later: InstrumentState) -> Branch:
        """This run as a branch, if only another run has instruments: `later` is their state."""
        state = dataclasses.replace(later, gradient_cosine=self.training.gradient_cosine)
        metrics = Instruments(self.training, lambda: 0.0, state).metrics
        return self.as_branch(metrics, state)

    @property
    def branch_record(self) -> BranchRecord:
        """The run up to its last step as plain values."""
        left = (self.parent.run, self.parent.step) if self.parent else None
        return BranchRecord(self.number, self.turns, self.step, left, self.digest)


def _in_words(change: Change) -> str:
    label = SETTINGS[change.path].label
    return f"{label} {_plain(change.before)} → {_plain(change.after)}"


def _plain(value: SettingValue) -> str:
    if isinstance(value, Choice):
        knobs = ", ".join(f"{name} {written(number)}" for name, number in value.knobs.items())
        return f"{value.name} ({knobs})" if knobs else value.name
    return written(value) if isinstance(value, int | float) else str(value)

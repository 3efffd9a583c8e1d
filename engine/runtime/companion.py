"""Run B of a comparison: it makes every step that run A makes, under settings of its own."""

from dataclasses import dataclass

import numpy as np

from engine.measure.instruments import Heritage, Instruments
from engine.measure.loss_line import LineTracer, LossLine
from engine.measure.pinned_runs import PastRun
from engine.measure.snapshot import BranchInfo, Change, Marker, OtherRun, Parent, own_change
from engine.runtime.branches import Branch, Kept
from engine.runtime.curve_recorder import Recorder
from engine.training.checkpoints import Checkpoints
from engine.training.commands import Begin, Command, Offshoot, SetKnob
from engine.training.config import SETTINGS, Effect, RunConfig
from engine.training.training import Diverged, Training

MOST = 3_000_000  # parameters of each: B, and the line to it, take several times their memory


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """Run A as it stands when B leaves it."""

    run: int
    first: RunConfig
    training: Training
    recorder: Recorder
    trail: Checkpoints[Recorder]
    journal: list[tuple[int, Command]]
    markers: list[Marker]
    later: Heritage


class Companion:
    """A run that is trained beside another one."""

    def __init__(self, run: int, a: Origin, room: int) -> None:
        size = a.training.network.parameters.size
        if size > MOST:
            raise ValueError(
                f"A | B trains two networks at once: at most {MOST:,} parameters each are allowed,"
                f" this one has {size:,}."
            )
        self.run, self.parent = run, Parent(a.run, a.training.step)
        self.training = a.training.twin()
        self.recorder = a.recorder.twin(self.training)
        self.journal, self.markers = list(a.journal), list(a.markers)
        self._known = len(self.markers)  # of A
        self.diverged: float | None = None  # the loss with which it did
        self._first, self._later = a.first, a.later
        self._trail = Checkpoints(
            self.training, self.journal, self.recorder.mark, room, a.trail.left(), a.first
        )
        self._tracer: LineTracer | None = None  # while the line to A is measured
        self._line: LossLine | None = None
        self._traced: object = None  # what the line was measured for

    def update(self, a: Recorder) -> None:
        """Make a step, with rows of the curves as close as A's."""
        if self.diverged is not None:
            return
        self.recorder.apart, self.recorder.spare = a.apart, a.spare
        try:
            loss = self.training.update()
        except Diverged as diverged:
            self.diverged = diverged.loss
            self._mark("diverged")
            self.recorder.end(diverged.loss)
            return
        self.recorder.note(loss)
        if self.recorder.due:
            self.recorder.write()
        if self.training.step >= self._trail.due:
            self._trail.keep()

    def check(self, turn: SetKnob) -> None:
        """Raise ValueError unless B can go on under this setting."""
        setting, before = SETTINGS[turn.path], self.training.config
        config = before.replace(turn.path, turn.value)
        new = setting.effect is Effect.NEW_RUN or not self.training.can_follow(config)
        if config != before and new:
            raise ValueError(f"{setting.label} begins another run: end A | B before.")

    def turn(self, turn: SetKnob, label: str) -> None:
        """Go on under another value of a setting, which has been checked; `label` says what."""
        config = self.training.config.replace(turn.path, turn.value)
        if config == self.training.config:
            return
        self.training.follow(config)
        if SETTINGS[turn.path].effect is Effect.REDRAW:
            self.training.draw_weights()
            self._trail.renew()
            self.diverged = None
        self._mark(label, turn.path)
        self.journal.append((self.training.step, turn))
        if self.training.step >= self._trail.due:
            self._trail.keep()

    def change(self, turn: SetKnob) -> Change:
        """What a setting would change."""
        before = self.training.config
        now = before.replace(turn.path, turn.value)
        return Change(turn.path, before.value(turn.path), now.value(turn.path))

    def _mark(self, text: str, path: str = "") -> None:
        self.markers.append(Marker(self.training.step, self.recorder.rows, text, path))
        self.recorder.turn()

    # ---- what is told of it --------------------------------------------------------------------

    def told(self, a: Training) -> OtherRun:
        """What a snapshot says of it, and of its distance from A."""
        mine, its = self.training.network.parameters.theta, a.network.parameters.theta
        length = float(np.linalg.norm(its))
        return OtherRun(
            run=self.run,
            since=self.parent.step,
            config=self.training.config,
            curves=self.recorder.curves,
            markers=tuple(self.markers[self._known :]),
            change=own_change(self.markers, self.parent),
            diverged=self.diverged is not None,
            distance=float(np.linalg.norm(mine - its)) / length if length > 0 else np.nan,
            line=self._line if self._traced == self._pair(a) else None,
        )

    def _pair(self, a: Training) -> object:
        """What the straight line between both depends on."""
        changes = len(self.journal), len(self.markers)
        return a.step, a.config, self.training.step, changes, id(a.network.parameters.drawn)

    def traced(self, a: Training) -> bool:
        """Whether the loss along the straight line to it is known, or there is no such line."""
        known = self._traced == self._pair(a) and self._tracer is None
        return known or self.diverged is not None

    def trace(self, a: Training) -> None:
        """Measure one more place of that line."""
        if self._traced != self._pair(a):
            self._tracer, self._traced = LineTracer(a, self.training), self._pair(a)
        if self._tracer is None:
            return
        if not self._tracer.done:
            self._tracer.measure_next()
        self._line = self._tracer.line
        if self._tracer.done:
            self._tracer = None

    def line(self, a: Training) -> LossLine | None:
        """The whole line, measured now; None if B has diverged."""
        while not self.traced(a):
            self.trace(a)
        return self.told(a).line

    @property
    def offshoot(self) -> Offshoot:
        """B as plain values, as far as it has come."""
        turns = tuple((step, x) for step, x in self.journal if isinstance(x, SetKnob))
        left = self.parent.run, self.parent.step
        digest = self.training.network.parameters.digest
        return Offshoot(self.run, turns, self.training.step, left, digest)

    # ---- its end -------------------------------------------------------------------------------

    def branch(self) -> Branch:
        """B as a branch, when it is not trained beside A any more."""
        training, recorder = self.training, self.recorder.left()
        later = Heritage(self._later.scale, self._later.strips, training.gradient_cosine)
        metrics = Instruments(training, lambda: 0.0, later).metrics
        plain = self.offshoot
        past = PastRun(
            f"run {self.run}", self.run, training.config, recorder.curves, training.step, metrics,
            Begin(self._first, plain.turns, training.step),
        )  # fmt: skip
        change = own_change(self.markers, self.parent)
        info = BranchInfo(self.run, self.parent, training.step, change, past)
        kept = Kept(recorder, self._trail.left(), later)
        journal, markers = tuple(self.journal), tuple(self.markers)
        return Branch(info, self._first, journal, markers, plain.digest, kept)

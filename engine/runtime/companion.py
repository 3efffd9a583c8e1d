"""Run B of a comparison: it makes every step that run A makes, under settings of its own."""

from collections.abc import Callable

import numpy as np

from engine.measure.instruments import InstrumentState
from engine.measure.loss_line import LineTracer, LossLine
from engine.measure.snapshot import OtherRun, own_change
from engine.runtime.branches import Branch
from engine.runtime.curve_recorder import Recorder
from engine.runtime.run import Run
from engine.training.commands import SetKnob
from engine.training.config import SETTINGS
from engine.training.setting import Effect
from engine.training.training import Training

MOST = 3_000_000  # parameters of each: B, and the line to it, take several times their memory


class Companion:
    """A run that is trained beside another one."""

    def __init__(self, a: Run, number: int, later: InstrumentState, max_bytes: int) -> None:
        """Fork B from A's current step; refuses large networks. `later`: A's instruments' state."""
        size = a.training.network.parameters.size
        if size > MOST:
            raise ValueError(
                f"A | B trains two networks at once: at most {MOST:,} parameters each are allowed,"
                f" this one has {size:,}."
            )
        self.run = a.fork(number, max_bytes)
        self._known = len(a.markers)
        self._later = later
        self._tracer: LineTracer | None = None  # while the line to A is measured
        self._line: LossLine | None = None
        self._traced: object = None  # what the line was measured for

    def update(self, a: Recorder) -> None:
        """Make the step that A has made, with rows of the curves as close as A's.

        It is evaluated wherever A was, so that both can be compared at the same step.
        """
        if self.run.diverged is not None:
            return
        recorder, step = self.run.recorder, self.run.step + 1
        recorder.apart, recorder.spare = a.apart, a.spare
        if a.evaluated == step:
            recorder.evaluate_at(step)
        self.run.update()

    def check(self, turn: SetKnob) -> None:
        """Raise ValueError unless B can go on under this setting."""
        before = self.run.config
        config, setting = before.replace(turn.path, turn.value), SETTINGS[turn.path]
        new = setting.effect is Effect.NEW_RUN or not self.run.training.can_follow(config)
        if config != before and new:
            raise ValueError(f"{setting.label} begins another run: end A | B first.")

    def turn(self, turn: SetKnob) -> None:
        """Go on under another value of a setting, which has been checked."""
        self.run.turn(turn)

    def info(self, a: Training) -> OtherRun:
        """Its part of a snapshot, with its distance from A."""
        run = self.run
        mine, its = run.training.network.parameters.theta, a.network.parameters.theta
        length = float(np.linalg.norm(its))
        return OtherRun(
            run=run.number,
            since=run.began_at,
            config=run.config,
            curves=run.recorder.curves,
            markers=tuple(run.markers[self._known :]),
            change=own_change(run.markers, run.parent),
            diverged=run.diverged is not None,
            distance=float(np.linalg.norm(mine - its)) / length if length > 0 else np.nan,
            line=self._line if self._traced == self._pair(a) else None,
        )

    def _pair(self, a: Training) -> object:
        """What the straight line between both depends on."""
        changes = len(self.run.journal), len(self.run.markers)
        return a.step, a.config, self.run.step, changes, id(a.network.parameters.drawn)

    def traced(self, a: Training) -> bool:
        """Whether the loss along the straight line to it is known, or there is no such line."""
        known = self._traced == self._pair(a) and self._tracer is None
        return known or self.run.diverged is not None

    def trace(self, a: Training) -> None:
        """Measure the loss at one more point of that line."""
        if self._traced != self._pair(a):
            self._tracer, self._traced = LineTracer(a, self.run.training), self._pair(a)
        if self._tracer is None:
            return
        if not self._tracer.done:
            self._tracer.measure_next()
        self._line = self._tracer.line
        if self._tracer.done:
            self._tracer = None

    def trace_for(self, seconds: float, a: Training, work: Callable[[], float]) -> None:
        """Measure points of that line for about so many seconds."""
        begun = work()
        while not self.traced(a):
            self.trace(a)
            if work() - begun >= seconds:
                return

    def line(self, a: Training) -> LossLine | None:
        """The whole line, measured now; None if B has diverged."""
        while not self.traced(a):
            self.trace(a)
        return self.info(a).line

    def branch(self) -> Branch:
        """B as a branch, when it is not trained beside A any more."""
        return self.run.beside(self._later)

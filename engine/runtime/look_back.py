"""Looking back: a step of a run, made again from the last checkpoint before it, to the bit.

It is a copy of the run with curves and instruments of its own. So its snapshot is the one that the
run would have had if it had been stopped there, and another run can go on from it.
"""

import math
from collections import deque
from collections.abc import Callable, Set

from msgspec.structs import replace

from engine.measure.instruments import InstrumentState
from engine.measure.measurements import Measurements
from engine.measure.snapshot import LookingBack, Snapshot
from engine.runtime.curve_recorder import Recorder
from engine.training.checkpoints import Checkpoint, Checkpoints, bytes_of
from engine.training.commands import Command, SetKnob, Step
from engine.training.config import SETTINGS
from engine.training.history import Curves
from engine.training.setting import Effect
from engine.training.training import Diverged, Training

type RunCheckpoints = Checkpoints[Recorder]

NEAR = 100  # steps between two states that are kept for looks at neighbouring steps
PARTS = 6  # into which states that are kept while somebody looks divide a gap between checkpoints


class Past:
    """A run as it was after some step, and all that is measured on it."""

    def __init__(
        self,
        checkpoints: RunCheckpoints,
        recorder: Recorder,
        later: InstrumentState,
        work: Callable[[], float],
        step: int,
    ) -> None:
        self.checkpoints, self.later, self._work = checkpoints, later, work
        self._whole = recorder  # of the run as it is now
        self._near: deque[Checkpoint[Recorder]] = deque(maxlen=2)
        self._passed: deque[Checkpoint[Recorder]] = deque(maxlen=PARTS)  # farther apart
        self.step = step
        self.diverged: float | None  # the loss of this step, if it diverged
        self._stuck = False  # whether no new weights were drawn since; no true run goes on so
        self._start(checkpoints.before(step))
        self.go_to(step)

    def go_to(self, step: int) -> None:
        """Begin to rebuild a step: from where this stands, if that is the nearest."""
        self.step, self._ready = step, False
        start = max((self.checkpoints.before(step), *self._near_before(step)), key=lambda x: x.step)
        if not start.step <= self._replay.training.step <= step:
            self._start(start)
        self._first = self._replay.training.step
        if self._first == step:
            self._show()

    def _near_before(self, step: int) -> list[Checkpoint[Recorder]]:
        return [x for x in (*self._near, *self._passed) if x.step < step]

    def _start(self, start: Checkpoint[Recorder]) -> None:
        self._replay, self.diverged = self.checkpoints.start_at(start), None
        following = min((x for x in self.checkpoints.steps if x > start.step), default=self.step)
        parts = 1 + min(PARTS - 1, self.checkpoints.max_bytes // 2 // self.checkpoints.largest)
        # At least one: from step 0 somebody may look further.
        self._apart = NEAR * max(1, math.ceil((following - start.step) / (NEAR * parts)))
        self.recorder = self._whole.rewound(start.mark, self._replay.training)

    def _follow(self, command: Command) -> None:
        match command:
            case SetKnob(path):
                self.recorder.repeat_change()
                if SETTINGS[path].effect is Effect.REDRAW:
                    self.diverged, self._stuck = None, False
            case Step():
                self.recorder.make_due()

    @property
    def training(self) -> Training:
        """The copy of the run."""
        return self._replay.training

    @property
    def ready(self) -> bool:
        """Whether the step that is wanted has been rebuilt."""
        return self._ready

    def looking_back(self, end: int, shown: Curves) -> LookingBack:
        """Its part of a snapshot; `shown` are the curves up to the step shown meanwhile."""
        steps = self.step - self._first
        done = 1.0 if self._ready else min(0.99, (self.training.step - self._first) / (steps or 1))
        so_far = self.recorder.curves if self._ready else shown
        return LookingBack(self.step, end, done, so_far)

    def advance(self, seconds: float = math.inf) -> None:
        """Rebuild for about so long."""
        begun = self._work()
        while not self._ready:
            if self.training.step < self.step:
                self._update()
            if self.training.step == self.step:
                self._show()
            if self._work() - begun >= seconds:
                return

    def _update(self) -> None:
        training = self.training
        if training.step % NEAR == 0 and training.step:
            self._keep()
        self._stuck, self.diverged = self.diverged is not None, None
        try:
            loss = self._replay.update(self._follow)
        except Diverged as diverged:
            if self._stuck:
                raise
            self.diverged = diverged.loss
            self.recorder.repeat_end(diverged.loss)
        else:
            self.recorder.repeat(loss)

    def _keep(self) -> None:
        """Keep the state of now for the looks that follow: half the memory of a run is for that."""
        training, mark = self.training, self.recorder.mark()
        state = Checkpoint(training.step, training.save(), self._replay.applied, mark)
        self._near.append(state)
        if training.step % self._apart or state.step in [x.step for x in self._passed]:
            return
        self._passed.append(state)
        while sum(map(bytes_of, self._passed)) > self.checkpoints.max_bytes // 2:
            self._passed.popleft()

    def finish(self) -> None:
        """Rebuild the step, and what was commanded after it, when the run went no further."""
        self.advance()
        if self._replay.finish(self._follow):
            self.measured.renew()
            self.measured.instruments.forget_last_step()

    def finish_alone(self) -> None:
        """Finish a step of whose run no row is known but the first; it has one of its own."""
        self.finish()
        self.recorder.forget_later_rows()
        self.recorder.make_due()
        if self.diverged is None:
            self.recorder.write()

    def _show(self) -> None:
        last = self.later.gradient_cosine
        self.training.gradient_cosine = self._whole.cosine_at(self.step, last)
        self.measured = Measurements(self.training, self._work, self.later)
        self._ready = True

    def measure(self, requested: Set[str]) -> None:
        """Measure everything, and what is looked at besides."""
        if self.diverged is None:
            self.measured.measure_all(requested)
        else:
            self.measured.measure_broken(requested)

    def describe(self, now: Snapshot) -> Snapshot:
        """A snapshot of the run as it is now, with all that was another at this step."""
        instruments = self.measured.instruments
        return replace(
            now,
            step=self.training.step,
            epoch=self.training.batches.epoch,
            config=self.training.config,
            curves=self.recorder.curves,
            layers=instruments.layers,
            tensors=instruments.tensors,
            metrics=instruments.metrics,
            costs=instruments.costs,
            on_demand=self.measured.on_demand.results,
        )

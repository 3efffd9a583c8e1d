"""Checkpoints of a run, from which any of its steps can be replayed to the bit.

A replay starts at the last checkpoint before the step and applies the commands of the journal since
then: the same arithmetic in the same order, so the same bits.
"""

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.training.commands import Command, SetKnob
from engine.training.config import SETTINGS, RunConfig
from engine.training.setting import Effect
from engine.training.training import State, Training

APART = 50  # steps between two checkpoints; of the last two, one is at least so many steps ago
QUICK = 1e7  # multiplications of a step, below which they are twice as far apart: steps cost less
SECOND = 1.2e10  # multiplications that take about a second
CALLS = 5e5  # multiplications in the time that a step takes however small its network and batch are
MOST_REPLAYED = SECOND  # multiplications that replaying the last steps may take
SOON = 0.15  # seconds from one checkpoint to the next, where memory allows that
FEW = 8  # checkpoints for which memory is requested even in a young run
MORE = 1.25  # times as many, when those are too few: the request changes seldom
MAX_BYTES = 2**20  # bytes of the checkpoints that are kept of a whole run, unless more are allowed
MOST = 256  # of them, however small they are
OVERHEAD = 4096  # bytes of a checkpoint beside its arrays: generators, and the state of the curves

type Journal = Sequence[tuple[int, Command]]
type OnCommand = Callable[[Command], object]  # called with each command that was applied


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint[M]:
    """The state of a run after a step."""

    step: int
    state: State | None  # None: of step 0, which the config alone determines
    applied: int  # commands of the journal that had been applied
    mark: M  # the state of whatever else is to be replayed with the training
    cost: float = 0.0  # multiplications in the time that all steps up to it take


class Checkpoints[M]:
    """The checkpoints of one run: the last two, and some that are spread evenly over all of it.

    Evenly in the time that a replay takes: a step on a large batch counts as many on a small one.
    The last two serve the autopsy of a run that diverges. When those of the whole run take more
    than `max_bytes`, those are dropped that leave the smallest gaps.
    """

    def __init__(
        self,
        training: Training,
        journal: Journal,
        mark: Callable[[], M],
        max_bytes: int = MAX_BYTES,
        kept: Sequence[Checkpoint[M]] = (),
        first: RunConfig | None = None,  # of the run; None: as it is configured now
    ) -> None:
        self._training, self._journal, self._mark = training, journal, mark
        self.max_bytes = max_bytes
        self._first = first or training.config
        self._kept: list[Checkpoint[M]] = list(kept) or [Checkpoint(0, None, 0, mark())]
        self._last: deque[Checkpoint[M]] = deque(self._kept if not kept else (), maxlen=2)
        self._step, self._cost = self._kept[-1].step, self._kept[-1].cost  # what is counted so far
        # The cost from which on the next one is kept for the whole run.
        self._next = APART * _cost(training)
        self.due = training.step if kept else _apart(training)

    def renew(self) -> None:
        """The weights were redrawn: an autopsy is to start here."""
        self._last.clear()
        self._thin()  # checkpoints of before now hold the old initial weights alone
        self.due = self._training.step

    def save(self) -> None:
        """Save the current state; called when `due`, after the commands of the step."""
        step = self._training.step
        self._step, self._cost = step, self.cost
        self.due = step + _apart(self._training)
        repeatable = _work(self._training) * APART <= MOST_REPLAYED
        if not repeatable and self._cost < self._next:
            return
        saved = Checkpoint(
            step, self._training.save(), len(self._journal), self._mark(), self._cost
        )
        if repeatable:
            self._last.append(saved)
        if self._cost >= self._next:
            self._kept.append(saved)
            self._thin()
            kept = min(MOST, 1 + self.max_bytes // bytes_of(saved))
            self._next = self._cost + max(APART * _cost(self._training), self._cost / kept)

    def allow(self, max_bytes: int) -> None:
        """Limit them to so many bytes from now on; what exceeds that is dropped."""
        fewer, self.max_bytes = max_bytes < self.max_bytes, max_bytes
        if fewer:
            self._thin()

    def _thin(self) -> None:
        while len(self._kept) > 1 and (excess := self.nbytes - self.max_bytes) > 0:
            while excess > 0 and len(self._kept) > 1:
                excess -= bytes_of(self._drop())
        while len(self._kept) > MOST:
            self._drop()

    def _drop(self) -> Checkpoint[M]:
        """Drop the checkpoint that leaves the smallest gap; never the first."""
        gaps = [y.cost - x.cost for x, y in zip(self._kept, self._kept[2:], strict=False)]
        return self._kept.pop(1 + gaps.index(min(gaps)) if gaps else -1)

    @property
    def work(self) -> float:
        """Multiplications of one step."""
        return _work(self._training)

    @property
    def cost(self) -> float:
        """Multiplications in the time that all steps so far take."""
        return self._cost + (self._training.step - self._step) * _cost(self._training)

    @property
    def nbytes(self) -> int:
        """Bytes of the checkpoints of the whole run."""
        states = [x.state for x in self._kept if x.state]
        drawn = {id(x.drawn): x.drawn.nbytes for x in states}
        drawn.pop(id(self._training.network.parameters.drawn), None)
        return sum(map(bytes_of, self._kept)) + sum(drawn.values())

    @property
    def wanted(self) -> int:
        """Bytes with which the replay of any step takes no longer than `SOON`."""
        gaps = self.cost / SECOND / SOON
        number = min(MOST, FEW * MORE ** math.ceil(math.log(max(1, MORE * gaps / FEW), MORE)))
        theta = self._training.network.parameters.theta
        one = bytes_of(self._kept[-1]) if len(self._kept) > 1 else OVERHEAD + 3 * theta.nbytes
        return int(number * one)

    @property
    def largest(self) -> int:
        """Bytes of the largest of them."""
        return max(map(bytes_of, self._kept))

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps of the checkpoints of the whole run, the first being 0."""
        return tuple(x.step for x in self._kept)

    def before(self, step: int) -> Checkpoint[M]:
        """The last checkpoint before a step, which is replayed with its mini-batch."""
        known = [x for x in (*self._kept, *self._last) if x.step < step]
        return max(known, key=lambda x: x.step, default=self._kept[0])

    def start_at(self, checkpoint: Checkpoint[M]) -> "Replay":
        """A copy of the run at a checkpoint, to be replayed from there."""
        state, training = checkpoint.state, self._training
        training = training.fork(state) if state else training.restarted(self._first)
        return Replay(training, self._journal, checkpoint.applied)

    def start_before_end(self, steps: int) -> "Replay | None":
        """A copy of the run about so many steps ago; None if the replay would take too long."""
        last, work = self._training.step, _work(self._training)
        can = [x for x in self._last if work * (last - x.step) <= MOST_REPLAYED]
        if not can:
            return None
        early = [x for x in can if x.step <= last - steps]
        return self.start_at(early[-1] if early else can[0])

    def up_to(
        self, step: int, training: Training, journal: Journal, mark: Callable[[], M], max_bytes: int
    ) -> "Checkpoints[M]":
        """The checkpoints of a fork: a run with this journal that was the same up to `step`."""
        kept = [x for x in self._kept if x.step <= step and x.applied <= len(journal)]
        return Checkpoints(training, journal, mark, max_bytes, kept, self._first)

    def for_branch(self) -> list[Checkpoint[M]]:
        """The checkpoints for a branch: of the whole run, and the last before its last step."""
        last = self.before(self._training.step)
        return [*self._kept, *([] if last in self._kept else [last])]


class Replay:
    """A copy of a run that repeats its steps."""

    def __init__(self, training: Training, journal: Journal, applied: int) -> None:
        self.training = training
        self._journal = journal
        self.applied = applied  # commands of the journal

    def update(self, on_command: OnCommand = lambda command: None) -> float:
        """Make the next step and return its loss; raises Diverged where the run did."""
        while self.applied < len(self._journal):
            step, command = self._journal[self.applied]
            if step > self.training.step:
                break
            if step == self.training.step:
                self._apply(command, on_command)
            self.applied += 1  # an earlier one is a single step, whose update was saved
        return self.training.update()

    def finish(self, on_command: OnCommand) -> bool:
        """Apply what was commanded after the last step; returns whether anything was."""
        rest = [x for step, x in self._journal[self.applied :] if step == self.training.step]
        for command in rest:
            self._apply(command, on_command)
        self.applied = len(self._journal)
        return bool(rest)

    def _apply(self, command: Command, on_command: OnCommand) -> None:
        if isinstance(command, SetKnob):
            self.training.follow(self._config(command))
            if SETTINGS[command.path].effect is Effect.REDRAW:
                self.training.draw_weights()
        on_command(command)

    def _config(self, command: SetKnob) -> RunConfig:
        return self.training.config.replace(command.path, command.value)


def bytes_of[M](checkpoint: Checkpoint[M]) -> int:
    """Bytes of a checkpoint, without what it shares with others."""
    return OVERHEAD + (checkpoint.state.nbytes if checkpoint.state else 0)


def _apart(training: Training) -> int:
    """Steps to the next checkpoint; saving every 50 quick ones would take 4 % of their time."""
    return APART if _work(training) > QUICK else 2 * APART


def _work(training: Training) -> float:
    """Multiplications of one step: forward, and backward to the inputs and to the weights."""
    return 3.0 * training.network.batch * training.network.work


def _cost(training: Training) -> float:
    """Multiplications in the time that one step takes."""
    return CALLS + _work(training)

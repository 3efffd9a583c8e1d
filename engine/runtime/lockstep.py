"""Lockstep without a page: two runs from one step, trained at equal steps.

pair = Lockstep(experiment)
pair.apply(SetKnob("optimization.learning_rate", 0.1), "B")
pair.train(500)
print(pair.difference["validation_loss"], pair.straight_line().barrier)
"""

from collections.abc import Mapping
from typing import Literal

from engine.measure.loss_line import LossLine
from engine.measure.snapshot import OtherRun, Snapshot
from engine.runtime.experiment import Experiment
from engine.training.commands import EndLockstep, SetKnob, StartLockstep, Turn


class Lockstep:
    """Two runs, A and B, which were the same up to a step and differ in what is changed since."""

    def __init__(self, a: Experiment) -> None:
        """From the step that `a` shows; `a` itself goes on as run A."""
        a.apply(StartLockstep())
        self.a = a

    @property
    def b(self) -> OtherRun:
        """Run B as it stands."""
        return _b_of(self.a.snapshot())

    def apply(self, turn: SetKnob, of: Literal["A", "B", "both"]) -> None:
        """Change a setting of A, of B, or of both at once."""
        self.a.apply(turn if of == "A" else Turn(turn, of))

    def train(self, steps: int) -> None:
        """Make so many steps of both."""
        self.a.train(steps)

    @property
    def difference(self) -> Mapping[str, float]:
        """B minus A: of the last losses and accuracies."""
        now = self.a.snapshot()
        return _b_of(now).minus(now)

    def straight_line(self) -> LossLine:
        """The loss along the straight line from A's weights to B's; ValueError if B has ended."""
        line = self.a.straight_line()
        if line is None:
            raise ValueError("B has diverged, or A and B are not in lockstep any more.")
        return line

    def end(self) -> None:
        """Go on with A alone; B stays as a branch of it."""
        self.a.apply(EndLockstep())


def _b_of(now: Snapshot) -> OtherRun:
    if now.other is None:
        raise ValueError("A and B are not in lockstep any more.")
    return now.other

"""A branch of a link, repeated while the run beside it waits: its curves can be drawn then."""

from collections.abc import Callable

from engine.measure.instruments import InstrumentState
from engine.runtime.branches import Branch
from engine.runtime.run import Run
from engine.runtime.script import Script
from engine.training.training import Training

PATIENCE = 10.0  # seconds of computing for a branch: a link may hold any number of steps


class BranchReplay:
    """A branch that is repeated from its first step."""

    def __init__(
        self, branch: Branch, host: Training, max_bytes: int, work: Callable[[], float]
    ) -> None:
        """`host` is any run over the same data."""
        self.of = branch
        training = host.restarted(branch.first)
        self._run = Run.begun(branch.info.run, training, max_bytes, work)
        self._run.parent = branch.info.parent
        self._script = Script(branch.turns, branch.info.step)
        self._work, self._worked = work, 0.0
        self._follow_script()

    @property
    def done(self) -> bool:
        """Whether it has reached the step at which it was left."""
        return self._run.step == self._script.until

    @property
    def in_vain(self) -> bool:
        """Whether it takes too long, or cannot reach that step."""
        return self._worked > PATIENCE or (self._run.diverged is not None and not self.done)

    def advance(self, seconds: float) -> None:
        """Repeat for about so many seconds; ValueError if the link has an impossible change."""
        begun = self._work()
        while not (self.done or self.in_vain or self._work() - begun >= seconds):
            self._run.update()
            self._follow_script()
        self._worked += self._work() - begun

    def _follow_script(self) -> None:
        while turn := self._script.take(self._run.step):
            self._run.turn(turn)

    def branch(self, later: InstrumentState) -> Branch:
        """The branch with its curves and checkpoints."""
        return self._run.beside(later)

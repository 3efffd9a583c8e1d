"""Checkpoints of a run, from which its last steps can be replayed to the bit."""

import math
from collections import deque

from engine.training.config import RunConfig
from engine.training.training import State, Training

APART = 50  # steps between two checkpoints; two are kept, so at least so many can be replayed
MOST_AGAIN = 1.2e10  # multiplications that a replay may take: about a second


class Checkpoints:
    """Saves the state of a run now and then, for less than a hundredth of its time."""

    def __init__(self, training: Training) -> None:
        self._training = training
        self.renew()

    def renew(self) -> None:
        """Start here: earlier steps cannot be replayed, or are of no interest any more."""
        self._states: deque[State] = deque(maxlen=2)
        self._turns: list[tuple[int, RunConfig]] = []  # the step at which each config took effect
        self._config = self._training.config
        self.keep()

    def keep(self) -> None:
        """Save the current state; called when `due`."""
        training = self._training
        self.due = math.inf
        if _work(training) * APART > MOST_AGAIN:
            return
        self._states.append(training.save())
        self._turns = [x for x in self._turns if x[0] >= self._states[0].step]
        self.due = training.step + APART

    def turn(self) -> None:
        """A setting has changed, and the run continues under another config."""
        now, before = self._training.config.optimization, self._config.optimization
        self._config = self._training.config
        if (now.optimizer.name, now.loss) != (before.optimizer.name, before.loss):
            self.renew()  # another optimizer has state of another shape
        else:
            self._turns.append((self._training.step, self._config))

    def start_again(self, steps: int) -> "Again | None":
        """A copy of the run about so many steps ago; None if the replay would take too long."""
        last = self._training.step
        work = _work(self._training)
        can = [x for x in self._states if work * (last - x.step) <= MOST_AGAIN]
        if not can:
            return None
        early = [x for x in can if x.step <= last - steps]
        state = early[-1] if early else can[0]
        return Again(self._training.fork(state), [x for x in self._turns if x[0] >= state.step])


class Again:
    """A copy of a run that repeats its steps."""

    def __init__(self, training: Training, turns: list[tuple[int, RunConfig]]) -> None:
        self.training = training
        self._turns = turns

    def update(self) -> float:
        """Make the next step and return its loss; raises Diverged where the run did."""
        while self._turns and self._turns[0][0] == self.training.step:
            self.training.follow(self._turns.pop(0)[1])
        return self.training.update()


def _work(training: Training) -> float:
    """Multiplications of one step: forward, and backward to the inputs and to the weights."""
    return 3.0 * training.network.batch * training.network.work

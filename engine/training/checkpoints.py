"""The last steps of a run, kept so that they can be made again, to the bit, and looked at."""

import math
from collections import deque

from engine.training.config import RunConfig
from engine.training.training import State, Training

APART = 50  # steps from one saved state to the next; two are kept: at least so many can be repeated
MOST_AGAIN = 1.2e10  # multiplications that repeating may take: about a second


class Checkpoints:
    """Saves the state of a run now and then, for less than a hundredth of its time."""

    def __init__(self, training: Training) -> None:
        self._training = training
        self.renew()

    def renew(self) -> None:
        """Start here: what came before cannot be repeated, or is of no interest any more."""
        self._states: deque[State] = deque(maxlen=2)
        self._turns: list[tuple[int, RunConfig]] = []  # at which step which config came into force
        self._config = self._training.config
        self.keep()

    def keep(self) -> None:
        """Save the state of now; to be called when `due`."""
        training = self._training
        self.due = math.inf
        if _work(training) * APART > MOST_AGAIN:
            return
        self._states.append(training.save())
        self._turns = [x for x in self._turns if x[0] >= self._states[0].step]
        self.due = training.step + APART

    def turn(self) -> None:
        """Somebody has turned a knob, and the run goes on under another config."""
        now, before = self._training.config.optimization, self._config.optimization
        self._config = self._training.config
        if (now.optimizer.name, now.loss) != (before.optimizer.name, before.loss):
            self.renew()  # the memory of another rule has another shape
        else:
            self._turns.append((self._training.step, self._config))

    def start_again(self, steps: int) -> "Again | None":
        """A copy of the run, so many steps ago or a little more; None where that is too dear."""
        last = self._training.step
        work = _work(self._training)
        can = [x for x in self._states if work * (last - x.step) <= MOST_AGAIN]
        if not can:
            return None
        early = [x for x in can if x.step <= last - steps]
        state = early[-1] if early else can[0]
        return Again(self._training.fork(state), [x for x in self._turns if x[0] >= state.step])


class Again:
    """A copy of a run that goes the same way once more."""

    def __init__(self, training: Training, turns: list[tuple[int, RunConfig]]) -> None:
        self.training = training
        self._turns = turns

    def update(self) -> float:
        """The next step, and its loss; raises Diverged where the run did."""
        while self._turns and self._turns[0][0] == self.training.step:
            self.training.follow(self._turns.pop(0)[1])
        return self.training.update()


def _work(training: Training) -> float:
    """Multiplications of one step: forward, and backward to the inputs and to the weights."""
    return 3.0 * training.network.batch * training.network.work

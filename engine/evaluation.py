"""Looking at a network from outside, without disturbing its training."""

import numpy as np

from engine.architecture import build_network
from engine.config import RunConfig
from engine.datasets import Examples
from engine.losses import LOSSES, accuracy, explained
from engine.network import Network, Parameters
from engine.types import Array

JUDGED = 512  # examples of each split that a row of the history is computed on, at most
_ROOM = 1_000_000  # numbers that the layers of a judging network may hold


class Judge:
    """A second network over the same parameters, which runs on a fixed set of examples."""

    def __init__(self, config: RunConfig, examples: Examples, parameters: Parameters) -> None:
        dtype = parameters.theta.dtype
        batch = fitting_batch(config, examples)
        judged = examples.take(np.arange(min(JUDGED, len(examples)) // batch * batch))
        self._x = judged.x
        self._answers = judged.y
        self._target = judged.target(dtype)
        self._scores = np.empty_like(self._target)
        self._dz = np.empty_like(self._target)
        self._row = np.empty_like(self._target[:, 0])
        self._loss = LOSSES.build(config.optimization.loss)
        self._score = accuracy if examples.classes else explained
        self.network: Network = build_network(
            config.model,
            examples.shape,
            examples.outputs,
            batch,
            parameters=parameters,
            dtype=dtype,
        )

    @property
    def examples(self) -> int:
        """How many examples it judges on."""
        return len(self._x)

    def judge(self) -> tuple[float, float]:
        """The mean loss, and the accuracy, or of values the share explained: at best 1."""
        scores = self.answer()
        loss = self._loss(scores, self._target, self._dz, self._row)
        return loss, self._score(scores, self._answers)

    def answer(self) -> Array:  # (N, O)
        """What the network puts out for each example, in a buffer that the next call overwrites."""
        batch = self.network.batch
        for start in range(0, len(self._x), batch):
            piece = slice(start, start + batch)
            self._scores[piece] = self.network.forward(self._x[piece], train=False)
        return self._scores

    def losses(self) -> Array:  # (N,)
        """The loss of each example by itself, of the last answers."""
        parts = self._scores, self._target, self._dz, self._row
        rows = (slice(n, n + 1) for n in range(self.examples))
        return np.array([self._loss(*(part[row] for part in parts)) for row in rows])

    def look(self) -> Network:
        """The network after a forward pass over its first examples."""
        self.network.forward(self._x[: self.network.batch], train=False)
        return self.network


def fitting_batch(config: RunConfig, examples: Examples) -> int:
    """So many examples at a time that the layers' outputs stay small, whatever the network."""
    one = build_network(config.model, examples.shape, examples.outputs, 1)
    numbers = sum(layer.out.size for layer in one.layers)
    return int(np.clip(_ROOM // numbers, 1, min(JUDGED, len(examples))))

"""Evaluates a network on fixed examples without disturbing its training."""

import math
from dataclasses import dataclass

import msgspec
import numpy as np

from engine.data import Examples
from engine.memoize import memoize
from engine.nn.losses import LOSSES, accuracy, explained
from engine.nn.network import Network
from engine.training.build_network import build_network
from engine.training.config import RunConfig
from engine.types import Array

EVALUATED = 512  # examples of each split on which a row of the history is computed, at most
_AT_A_TIME = 128  # or a few more: so few that activations stay in the processor's cache
_ROOM = 1_000_000  # numbers that the buffers of an evaluation network may hold
_CACHED = 4096  # weights whose results are cached for each set of examples, at most


@dataclass(slots=True)
class _Result:
    """The loss and the score of a network under certain weights, as far as they are computed."""

    loss: float | None = None
    score: float | None = None


@memoize
def _results_on(examples: Examples) -> dict[tuple[bytes, str], _Result]:
    """The results of all networks evaluated on these examples, by kind and weights."""
    return {}


class Evaluator:
    """Computes the loss and the accuracy of a network on a fixed set of examples."""

    def __init__(self, config: RunConfig, examples: Examples, network: Network) -> None:
        self.network = network  # only runs forward, so evaluators can share it
        self.target = examples.target[:EVALUATED]
        self._labels = examples.y[:EVALUATED] if examples.classes else self.target
        self.x = examples.x[:EVALUATED]
        if len(self.x) < network.batch:  # its batch size is fixed: repeat them
            self.x = np.resize(self.x, (network.batch, self.x.shape[1]))
        self._scores = np.empty((len(self.x), examples.outputs), self.x.dtype)
        self._loss = LOSSES.build(config.optimization.loss)
        self._score = accuracy if examples.classes else explained
        self._scored_under = ""  # the weights under which the scores in the buffer were computed
        self._kind = msgspec.json.encode((config.model, config.optimization.loss))
        self._results = _results_on(examples)

    @property
    def examples(self) -> int:
        """The number of examples."""
        return len(self.target)

    def evaluate(self) -> tuple[float, float]:
        """The mean loss, and the accuracy; in regression R² (at best 1) in place of accuracy."""
        weights = self.network.parameters.state_digest
        return self.loss_under(weights), self.score_under(weights)

    # The same weights are evaluated once: curves and plots ask for the same step, and a class that
    # plays a lesson, or has just opened the page, has the same weights at the same steps. Who asks
    # more than one evaluator of a network computes the digest once.

    def loss_under(self, weights: str) -> float:
        """The mean loss under the current weights, whose digest this is."""
        result = self._under(weights)
        if result.loss is None:
            scores = self._scores_under(weights)
            result.loss = self._loss(scores, self.target, *self._buffers())
        return result.loss

    def score_under(self, weights: str) -> float:
        """The accuracy or R² under the current weights, whose digest this is."""
        result = self._under(weights)
        if result.score is None:
            result.score = self._score(self._scores_under(weights), self._labels)
        return result.score

    def _under(self, weights: str) -> _Result:
        if len(self._results) >= _CACHED:
            self._results.clear()
        return self._results.setdefault((self._kind, weights), _Result())

    def _scores_under(self, weights: str) -> Array:  # (N, O)
        if weights != self._scored_under:
            self.predict()
            self._scored_under = weights
        return self._scores[: self.examples]

    def predict(self) -> Array:  # (N, O)
        """The scores of each example, in a buffer that the next call overwrites."""
        self._scored_under = ""
        batch = self.network.batch
        for start in range(0, self.examples, batch):
            begin = min(start, len(self.x) - batch)  # the last piece overlaps the one before
            piece = slice(begin, begin + batch)
            self._scores[piece] = self.network.forward(self.x[piece], train=False)
        return self._scores[: self.examples]

    def losses(self) -> Array:  # (N,)
        """The loss of each example, from the last call of `predict`."""
        parts = self._scores, self.target, *self._buffers()
        rows = (slice(n, n + 1) for n in range(self.examples))
        return np.array([self._loss(*(part[row] for part in parts)) for row in rows])

    def _buffers(self) -> tuple[Array, Array]:  # (N, O), (N,)
        """Throw-away buffers for what a loss writes besides its value."""
        return np.empty_like(self.target), np.empty_like(self.target[:, 0])

    def run_forward(self) -> Network:
        """The network after a forward pass over its first examples."""
        self.network.forward(self.x[: self.network.batch], train=False)
        return self.network


def evaluation_network(config: RunConfig, examples: Examples, training: Network) -> Network:
    """A second network over the same parameters, which evaluates without disturbing training.

    Its batch size is so small that its activations take little memory, however large the network.
    """
    numbers = sum(layer.out.size for layer in training.layers) // training.batch
    evaluated = min(EVALUATED, len(examples))
    even = math.ceil(evaluated / max(1, evaluated // _AT_A_TIME))
    return build_network(
        config.model,
        examples.shape,
        examples.outputs,
        min(even, max(1, _ROOM // numbers)),
        parameters=training.parameters,
        dtype=training.parameters.theta.dtype,
    )

"""Counts dead units: ReLU units that are 0 on every training example."""

import numpy as np

from engine.nn.channels import Channels
from engine.training.training import Training
from engine.types import Array

COUNTED = 2048  # training examples on which a unit must be 0, at most
_PIECES = 2  # run forward per call, so that a complete count takes about a second


class DeadUnits:
    """Runs training examples forward, piece by piece, and remembers which units were active."""

    def __init__(self, training: Training) -> None:
        self._training = training
        self.begin()

    def begin(self) -> None:
        """Start over with the current weights."""
        self.dead: dict[str, float] = {}  # share of each layer's units, once every piece was run
        self._x = self._training.data.train.x[:COUNTED]
        self._network = self._training.evaluators[0].network
        self._restart()

    def _restart(self) -> None:
        self._seen = 0
        self._largest: dict[str, Array] = {}

    def go_on(self) -> None:
        """Run the next few pieces forward."""
        for _ in range(_PIECES):
            self._run_piece()

    def _run_piece(self) -> None:
        """Run the next piece forward; after the last one, store the shares and start over."""
        batch = self._network.batch
        start = min(self._seen, len(self._x) - batch)  # the last piece overlaps the one before
        self._network.forward(self._x[start : start + batch], train=False)
        for layer in self._network.layers:
            if layer.shown:
                largest = np.abs(layer.out).max(axis=Channels(layer.out.shape).others)
                before = self._largest.get(layer.name, 0.0)
                self._largest[layer.name] = np.maximum(largest, before)
        self._seen += batch
        if self._seen >= len(self._x):
            self._store()

    def _store(self) -> None:
        self.dead = {name: float(np.mean(a == 0)) for name, a in self._largest.items()}
        self._restart()

    def finish(self) -> None:
        """Run pieces at once, with the current weights, until it is known who is dead."""
        self._restart()
        self._run_piece()
        while self._seen and not self._none_dead:
            self._run_piece()
        if self._seen:
            self._store()

    @property
    def _none_dead(self) -> bool:
        """Whether every unit was active already, whatever the other examples are."""
        return all(np.all(largest != 0) for largest in self._largest.values())

"""Counts dead units: those that are 0 whatever the network is shown."""

import math

import numpy as np

from engine.nn.channels import Channels
from engine.training.training import Training
from engine.types import Array

COUNTED = 2048  # training examples that a unit must be 0 on, at most
_PIECES = 2  # that are looked at when it goes on: then a count lasts about a second


class Census:
    """Goes through the training examples a piece at a time and remembers who was ever active."""

    def __init__(self, training: Training) -> None:
        self._training = training
        self.begin()

    def begin(self) -> None:
        """Start over with the network as it is now."""
        self.dead: dict[str, float] = {}  # share of each layer's units, once all were seen
        self._x = self._training.data.train.x[:COUNTED]
        self._network = self._training.judges[0].network
        self._restart()

    def _restart(self) -> None:
        self._seen = 0
        self._largest: dict[str, Array] = {}

    def go_on(self) -> None:
        """Look at the next pieces."""
        for _ in range(_PIECES):
            self._look()

    def _look(self) -> None:
        """Look at the next piece; after the last one, say who is dead and start over."""
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
            self.dead = {name: float(np.mean(a == 0)) for name, a in self._largest.items()}
            self._restart()

    def finish(self) -> None:
        """Look at all pieces at once, with the network of now."""
        self._restart()
        for _ in range(math.ceil(len(self._x) / self._network.batch)):
            self._look()

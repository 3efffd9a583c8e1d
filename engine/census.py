"""Counts dead units: those that are 0 whatever the network is shown."""

import math

import numpy as np

from engine.architecture import build_network
from engine.channels import Channels
from engine.training import Training
from engine.types import Array

COUNTED = 2048  # training examples that a unit must be 0 on, at most
_AT_A_TIME = 256


class Census:
    """Goes through the training examples a piece at a time and remembers who was ever active."""

    def __init__(self, training: Training) -> None:
        self._training = training
        self.dead: dict[str, float] = {}  # share of each layer's units, once all were seen
        self.begin()

    def begin(self) -> None:
        """Start over with the network as it is now."""
        training = self._training
        data = training.data.train
        self._count = min(COUNTED, len(data))
        batch = min(_AT_A_TIME, self._count, training.judges[0].network.batch)
        self._network = build_network(
            training.config.model,
            data.shape,
            data.outputs,
            batch,
            parameters=training.network.parameters,
            dtype=training.dtype,
        )
        self.dead = {}
        self._restart()

    def _restart(self) -> None:
        self._seen = 0
        self._largest: dict[str, Array] = {}

    def go_on(self) -> None:
        """Look at the next piece; after the last one, say who is dead and start over."""
        batch = self._network.batch
        start = min(self._seen, self._count - batch)  # the last piece overlaps the one before
        self._network.forward(self._training.data.train.x[start : start + batch], train=False)
        for layer in self._network.layers:
            if layer.shown:
                largest = np.abs(layer.out).max(axis=Channels(layer.out.shape).others)
                before = self._largest.get(layer.name, 0.0)
                self._largest[layer.name] = np.maximum(largest, before)
        self._seen += batch
        if self._seen >= self._count:
            self.dead = {name: float(np.mean(a == 0)) for name, a in self._largest.items()}
            self._restart()

    def finish(self) -> None:
        """Look at all pieces at once, with the network of now."""
        self._restart()
        for _ in range(math.ceil(self._count / self._network.batch)):
            self.go_on()

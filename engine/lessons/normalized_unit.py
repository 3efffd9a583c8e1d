"""An exhibit: one unit's sums of a mini-batch before and after batch normalization."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.nn.normalization import EPSILON, BatchNorm
from engine.types import Array

MEAN, DEVIATION = 1.0, 2.0  # of the sums that the unit gets
WATCHED = 2.0  # the sum of the first example of each batch
BEFORE = 200  # batches of training, from which the running averages come

type Statistics = Literal["its own statistics", "running averages"]
type Learned = Literal["1 and 0", "deviation and mean"]


@dataclass(frozen=True, slots=True, eq=False)
class NormalizedBatch:
    """One unit's sums and outputs for the examples of a mini-batch."""

    name: str  # of the batch and the statistics
    sums: Array  # (B,)
    outputs: Array  # (B,)

    @property
    def watched(self) -> float:
        """The output for the first example, whose sum is the same in every batch."""
        return float(self.outputs[0])

    @property
    def changed(self) -> float:
        """By how much the outputs differ from the sums at most."""
        return float(np.abs(self.outputs - self.sums).max())


@dataclass(frozen=True)
class NormalizedUnit:
    """A unit with batch norm that is given a mini-batch, by the layer that trains."""

    batch: int  # its number: the other examples are drawn anew
    statistics: Statistics = "its own statistics"
    learned: Learned = "1 and 0"  # gamma and beta
    examples: int = 8

    def show(self) -> NormalizedBatch:
        """Gather running averages over some batches, then pass this one."""
        layer = BatchNorm("unit", (self.examples, 1), "f8")
        layer.params = {"gamma": np.ones(1), "beta": np.zeros(1)}
        layer.running = {"mean": np.zeros(1), "variance": np.ones(1)}
        for number in range(BEFORE):
            layer.forward(self._drawn(1000 + number), train=True)
        sums = self._drawn(self.batch)
        sums[0] = WATCHED
        if self.learned == "deviation and mean":
            layer.params["gamma"] = np.sqrt(sums.var(axis=0) + EPSILON)
            layer.params["beta"] = sums.mean(axis=0)
        outputs = layer.forward(sums, train=self.statistics == "its own statistics").copy()
        name = f"batch {self.batch}, {self.statistics}, gamma and beta {self.learned}"
        return NormalizedBatch(name, sums.ravel(), outputs.ravel())

    def _drawn(self, number: int) -> Array:
        rng = np.random.default_rng(number)
        return rng.normal(MEAN, DEVIATION, (self.examples, 1))

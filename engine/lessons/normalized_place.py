"""An exhibit: one ReLU unit with batch norm before the nonlinearity, or behind it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.lessons.normalized_unit import NormalizedBatch
from engine.nn.normalization import BatchNorm

EXAMPLES = 32
DEVIATION = 0.5  # of the sums


@dataclass(frozen=True)
class NormalizedPlace:
    """A unit whose sums lie far from 0, as large weights or a bias can make them."""

    where: Literal["before ReLU", "behind ReLU", "nowhere"]
    mean: float = -2.0  # of the sums
    seed: int = 0

    def show(self) -> NormalizedBatch:
        """Pass a mini-batch of sums through ReLU and, where it stands, batch norm."""
        sums = np.random.default_rng(self.seed).normal(self.mean, DEVIATION, (EXAMPLES, 1))
        x = _normalized(sums) if self.where == "before ReLU" else sums
        x = np.maximum(x, 0)
        outputs = _normalized(x) if self.where == "behind ReLU" else x
        return NormalizedBatch(f"batch norm {self.where}", sums.ravel(), outputs.ravel())


def _normalized(x: np.ndarray) -> np.ndarray:
    layer = BatchNorm("unit", x.shape, "f8")
    layer.params = {"gamma": np.ones(1), "beta": np.zeros(1)}
    layer.running = {"mean": np.zeros(1), "variance": np.ones(1)}
    return layer.forward(x, train=True).copy()

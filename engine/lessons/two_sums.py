"""An exhibit: Maxout's larger of two sums, beside the activation that it is for some weights."""

from dataclasses import dataclass
from typing import cast

import numpy as np

from engine.lessons.graph import Graph, Line
from engine.lessons.words import choice
from engine.nn.activations import ACTIVATIONS, Elementwise
from engine.number_format import written
from engine.registry import Choice


@dataclass(frozen=True, slots=True, eq=False)
class LargerSum(Graph):
    """The larger of two sums over one input, and how far it is from an activation."""

    apart: float  # the largest difference from the activation
    below: float  # its slope below zero


@dataclass(frozen=True)
class TwoSums:
    """A Maxout unit of one input, w1 x and w2 x, without biases."""

    first: float  # w1
    second: float  # w2
    beside: Choice

    def show(self) -> LargerSum:
        """Take the larger of both sums at each input, and compare it with the activation."""
        x = np.linspace(-3.0, 3.0, 121)
        larger = np.maximum(self.first * x, self.second * x)
        wanted = np.empty_like(x)
        cast(Elementwise, ACTIVATIONS.build(self.beside)).value(x, wanted)
        apart = float(np.abs(larger - wanted).max())
        name = choice(self.beside)
        weights = f"weights {written(self.first)} and {written(self.second)}"
        return LargerSum(
            weights,
            ("input", "output"),
            (Line("Maxout", x, larger), Line(name, x, wanted, dashed=True)),
            (False, False),
            f"dashed {name}; at most {written(apart, 3)} apart",
            (-1.0, 3.0),
            apart,
            float((larger[1] - larger[0]) / (x[1] - x[0])),
        )

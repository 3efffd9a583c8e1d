"""An exhibit: how many multiplications and additions an exponential takes."""

import math
from dataclasses import dataclass

import numpy as np

from engine.lessons.graph import Graph, Line

HALF = math.log(2) / 2  # exp(x) is a power of 2, which is cheap, times exp of this at most
MOST = 16  # terms


@dataclass(frozen=True, slots=True, eq=False)
class Effort(Graph):
    """The operations that an exponential takes until it is exact to some digits."""

    operations: int


@dataclass(frozen=True)
class Exponential:
    """exp as a sum of terms: each takes a multiplication and an addition."""

    digits: int  # as many as it is to be exact to, at most 15

    def show(self) -> Effort:
        """Add term after term, and measure how far the sum is from exp at most."""
        x = np.linspace(-HALF, HALF, 201)
        terms = np.arange(1.0, MOST + 1)
        errors = np.array([_error(x, int(n)) for n in terms])
        wanted = 0.5 * 10.0**-self.digits
        needed = int(terms[np.argmax(errors < wanted)])
        return Effort(
            f"exp to {self.digits} digits",
            ("multiplications and additions", "largest relative error"),
            (
                Line("exp", 2 * terms, errors),
                Line("wanted", 2 * terms, np.full(MOST, wanted), dashed=True),
            ),
            (False, True),
            f"{2 * needed} multiplications and additions until {self.digits} digits are right",
            None,
            2 * needed,
        )


def _error(x: np.ndarray, terms: int) -> float:
    """The largest relative error of 1 + x + x^2/2! + ... with so many terms behind the 1."""
    total = np.ones_like(x)
    for n in range(terms, 0, -1):
        total = 1 + total * x / n
    return max(float(np.abs(total / np.exp(x) - 1).max()), 1e-17)

"""Detects row numbers that reveal the class, in a table that is sorted by class.

A network that is given such a number needs nothing else, and fails on new examples.
"""

import numpy as np

from engine.types import Array

FEWEST = 20  # rows: in fewer it may be a coincidence
CHANGES = 0.05  # share of the rows after which the class may change


def tell_classes(numbers: Array, answers: np.ndarray) -> bool:
    """Whether examples, ordered by `numbers (N,)`, are sorted by class, given `answers (N,)`."""
    if len(numbers) < FEWEST:
        return False
    ordered = answers[np.argsort(numbers, kind="stable")]
    changes = np.count_nonzero(ordered[1:] != ordered[:-1])
    return bool(1 <= changes <= CHANGES * len(numbers))

"""Whether the numbers of a table's rows tell the classes: those of a table that is sorted by class.

A network that is given such a number needs nothing else, and knows nothing of a new example.
"""

import numpy as np

from engine.types import Array

FEWEST = 20  # rows, from which on it is no accident
CHANGES = 0.05  # of the rows, after which another class may come


def tell_classes(numbers: Array, answers: np.ndarray) -> bool:
    """Whether rows in the order of their numbers (N,) come class by class, of answers (N,)."""
    if len(numbers) < FEWEST:
        return False
    ordered = answers[np.argsort(numbers, kind="stable")]
    changes = np.count_nonzero(ordered[1:] != ordered[:-1])
    return bool(1 <= changes <= CHANGES * len(numbers))

"""What is worth knowing of examples before anything learns from them: sizes, classes, an index.

For whoever diagnoses a run, and whoever shows a file before it is used.
"""

import math

import numpy as np

from engine.data.examples import Examples
from engine.memoize import memoize

FEWEST = 20  # examples, from which on an index that tells the answer is no accident
CHANGES = 0.05  # of the rows, after which another class may come where an index tells it


@memoize
def input_size(examples: Examples) -> float:
    """The root mean square of that input which is largest."""
    squares = np.einsum("ni,ni->i", examples.x, examples.x)
    return math.sqrt(float(squares.max()) / len(examples))


@memoize
def target_size(examples: Examples) -> float:
    """The root mean square of the largest of the values to predict, as trained; NaN of classes."""
    if examples.classes:
        return math.nan
    return math.sqrt(float(np.square(examples.target, dtype=np.float64).mean(axis=0).max()))


@memoize
def class_counts(examples: Examples) -> tuple[int, ...]:
    """How many examples each class has; empty where values are to be predicted."""
    if not examples.classes:
        return ()
    labels = np.asarray(examples.y, np.intp)
    return tuple(np.bincount(labels, minlength=len(examples.classes)).tolist())


@memoize
def telling_index(examples: Examples) -> int | None:
    """The input, from 0, that only numbers the rows and yet tells the class; None if none does.

    Of a table that is sorted by its classes, the number of a row is all that a network needs.
    """
    if len(examples.shape) > 1 or len(examples.classes) < 2 or len(examples) < FEWEST:
        return None
    x, rows = examples.x, len(examples)
    whole = (x == np.round(x)).all(axis=0)
    for column in np.flatnonzero(whole).tolist():
        order = np.argsort(x[:, column], kind="stable")
        if (np.diff(x[order, column]) == 1).all():
            changes = np.count_nonzero(np.diff(examples.y[order]))
            return column if changes <= CHANGES * rows else None
    return None

"""What is worth knowing of examples before anything learns from them: sizes, classes, an index.

For whoever diagnoses a run, and whoever shows a file before it is used.
"""

import math

import numpy as np

from engine.data.examples import Examples
from engine.data.row_numbers import tell_classes
from engine.memoize import memoize


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
    if len(examples.shape) > 1 or len(examples.classes) < 2:
        return None
    x = examples.x
    whole = (x == np.round(x)).all(axis=0)
    for column in np.flatnonzero(whole).tolist():
        if (np.diff(np.sort(x[:, column])) == 1).all():
            return column if tell_classes(x[:, column], examples.y) else None
    return None

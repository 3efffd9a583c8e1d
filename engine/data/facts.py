"""Statistics of examples before training: sizes, class counts, a column of row numbers.

Used by the diagnosis of runs and by the preview of a file.
"""

import math

import numpy as np

from engine.data.examples import Examples
from engine.data.row_numbers import tell_classes
from engine.memoize import memoize


@memoize
def input_size(examples: Examples) -> float:
    """The root mean square of the largest input."""
    squares = np.einsum("ni,ni->i", examples.x, examples.x)
    return math.sqrt(float(squares.max()) / len(examples))


@memoize
def target_size(examples: Examples) -> float:
    """The root mean square of the largest target, as trained on; NaN in classification."""
    if examples.classes:
        return math.nan
    return math.sqrt(float(np.square(examples.target, dtype=np.float64).mean(axis=0).max()))


@memoize
def class_counts(examples: Examples) -> tuple[int, ...]:
    """The number of examples of each class; empty in regression."""
    if not examples.classes:
        return ()
    labels = np.asarray(examples.y, np.intp)
    return tuple(np.bincount(labels, minlength=len(examples.classes)).tolist())


@memoize
def telling_index(examples: Examples) -> int | None:
    """The input, from 0, that only numbers the rows and yet reveals the class; None if none does.

    In a table sorted by class, the row number is all that a network needs.
    """
    if len(examples.shape) > 1 or len(examples.classes) < 2:
        return None
    x = examples.x
    whole = (x == np.round(x)).all(axis=0)
    for column in np.flatnonzero(whole).tolist():
        if (np.diff(np.sort(x[:, column])) == 1).all():
            return column if tell_classes(x[:, column], examples.y) else None
    return None

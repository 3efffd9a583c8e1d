"""Splits examples into a training and a validation set."""

import numpy as np

from engine.data.examples import Examples, Split
from engine.number_format import written
from engine.types import Integers


def split(examples: Examples, held_out: float, rng: np.random.Generator) -> Split:
    """Shuffle, then hold out the share `held_out` for validation, with examples of every class.

    Where chance would leave a class on one side only, one of its examples is exchanged for one of a
    common class; all others stay where the shuffle put them. ValueError: none is left to train on.
    """
    if examples.for_validation is not None:  # the split of their file
        theirs, ours = (
            np.flatnonzero(x) for x in (examples.for_validation, ~examples.for_validation)
        )
        return Split(examples.take(rng.permutation(ours)), examples.take(theirs), examples)
    rows = rng.permutation(len(examples))
    kept = max(1, round(held_out * len(examples)))
    if kept >= len(examples):
        raise ValueError(
            f"holding out {written(held_out)} of {len(examples)} examples leaves none to train on"
        )
    if examples.classes:
        _share_out(rows, np.asarray(examples.y[rows], np.intp), kept)
    return Split(examples.take(rows[kept:]), examples.take(rows[:kept]), examples)


def subset(examples: Examples, count: int) -> Examples:
    """The first `count` examples, with every class: a rare one is exchanged for a common one."""
    rows = np.arange(len(examples))
    if examples.classes:
        labels = np.asarray(examples.y, np.intp).copy()
        chosen, rest = rows[:count].copy(), rows[count:].copy()
        for label in np.unique(labels):
            if not (labels[chosen] == label).any():
                _exchange(rows, labels, label, chosen, rest)
    return examples.take(rows[:count])


def _share_out(
    rows: Integers,  # (N,) of which the first `kept` are for validation; changed in place
    labels: Integers,  # (N,) of these rows; changed with them
    kept: int,
) -> None:
    """Put an example of each class on both sides; a class's only example goes to training."""
    validation, training = np.arange(kept), np.arange(kept, len(rows))
    for label, count in enumerate(np.bincount(labels)):
        for to, of, least in ((validation, training, 2), (training, validation, 1)):
            if count >= least and not (labels[to] == label).any():
                _exchange(rows, labels, label, to, of)


def _exchange(rows: Integers, labels: Integers, label: int, to: Integers, of: Integers) -> None:
    """Exchange the last example of a class for one of the other side's most common class."""
    common = np.bincount(labels[to]).argmax()
    theirs, ours = (places[labels[places] == kind] for places, kind in ((to, common), (of, label)))
    if len(theirs) > 1:  # else there are more classes than places
        swapped, places = [ours[-1], theirs[-1]], [theirs[-1], ours[-1]]
        for array in (rows, labels):
            array[places] = array[swapped]

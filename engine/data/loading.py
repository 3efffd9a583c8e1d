"""Loads or describes the data set that is chosen in the menu."""

import inspect
from typing import Protocol, cast

import numpy as np

from engine.data.description import DataDescription, Source, describe_examples
from engine.data.examples import DataSet, Examples
from engine.data.reading import AS_FOUND, Reading


class Choosable(Protocol):
    """A data set for which target, task and missing values can be chosen."""

    def __call__(self, rng: np.random.Generator, reading: Reading) -> Examples: ...


def load(data_set: DataSet, reading: Reading, rng: np.random.Generator) -> Examples:
    """The examples of a data set; those of a table under a reading.

    A ValueError says that the data set has no columns to choose from.
    """
    if reading == AS_FOUND:
        return data_set(rng)
    if "reading" not in inspect.signature(data_set).parameters:
        raise ValueError(
            "data.target, data.task and data.missing are for files of your own:"
            " this data set has no columns to choose from"
        )
    return cast(Choosable, data_set)(rng, reading)


def describe(source: Source | Examples, reading: Reading = AS_FOUND) -> DataDescription:
    """A description of a source, or of examples without one."""
    if isinstance(source, Examples):
        return describe_examples(source)
    return source.describe(reading)

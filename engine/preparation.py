"""From a data config to examples that are ready for a network."""

from dataclasses import replace

import numpy as np
from numpy.typing import DTypeLike

from engine.config import DataConfig
from engine.datasets import DATASETS, Examples, Split, split
from engine.preprocessing import PREPROCESSING


def prepare(config: DataConfig, rng: np.random.Generator, dtype: DTypeLike) -> Split:
    """Load, split and preprocess; what preprocessing learns, it learns from the training part."""
    raw = DATASETS.build(config.dataset)(rng)
    examples = _only(raw, config.classes) if config.classes else raw
    parts = split(examples, config.held_out, rng)
    train, validation = parts.train, parts.validation
    if config.examples is not None:
        train = train.take(np.arange(min(config.examples, len(train))))
    transform = PREPROCESSING.build(config.preprocessing)(train.x, train.shape)
    return Split(
        replace(train, x=transform(train.x).astype(dtype)),
        replace(validation, x=transform(validation.x).astype(dtype)),
        raw,
        transform,
    )


def _only(examples: Examples, classes: tuple[str, ...]) -> Examples:
    """The examples of these classes alone, which are then numbered in this order."""
    if unknown := [name for name in classes if name not in examples.classes]:
        known = ", ".join(examples.classes) or "none"
        raise ValueError(f"unknown class {unknown[0]!r}; choose from {known}")
    numbers = np.full(len(examples.classes), -1)
    numbers[[examples.classes.index(name) for name in classes]] = np.arange(len(classes))
    chosen = examples.take(np.flatnonzero(numbers[examples.y] >= 0))
    return replace(chosen, y=numbers[chosen.y], classes=classes)

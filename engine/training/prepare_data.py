"""Loads, splits and preprocesses the data that a config describes."""

import threading
from dataclasses import replace
from weakref import WeakValueDictionary

import msgspec
import numpy as np
from numpy.typing import DTypeLike

from engine.data import DATASETS, Examples, Split, load, split, subset
from engine.data.preprocessing import PREPROCESSING, Transform
from engine.data.target_scaling import TARGET_SCALING, TargetTransform
from engine.suggestions import instead_of, quoted
from engine.training.config_sections import DataConfig

# Prepared data are shared and live as long as a run that uses them: a class on Fashion-MNIST
# holds its 19 MB once. The key is the identity of the raw examples, not their name: an uploaded or
# changed file has an entry of its own, which is freed with its last run.
_prepared: WeakValueDictionary[tuple[Examples, bytes, str, str], Split] = WeakValueDictionary()
_lock = threading.Lock()


def prepare(config: DataConfig, rng: np.random.Generator, dtype: DTypeLike) -> Split:
    """Load, split and preprocess; equal requests share one read-only result."""
    raw = load(DATASETS.build(config.dataset), config.reading, rng)
    draws = repr(rng.bit_generator.state)
    key = raw, msgspec.json.encode(config), draws, np.dtype(dtype).str
    parts = _prepared.get(key) or _prepare(raw, config, rng, dtype)
    with _lock:  # two threads may have prepared it at once: keep one result
        return _prepared.setdefault(key, parts)


def _prepare(
    raw: Examples, config: DataConfig, rng: np.random.Generator, dtype: DTypeLike
) -> Split:
    """Preprocessing is fitted on the training set alone."""
    examples = _only(raw, config.classes) if config.classes else raw
    parts = split(examples, config.held_out, rng)
    train, validation = parts.train, parts.validation
    if config.examples is not None:
        train = subset(train, config.examples)
    transform = PREPROCESSING.build(config.preprocessing)(train.x, train.shape)
    scaling = None if raw.classes else TARGET_SCALING.build(config.target_scaling)(train.y)
    train, validation = (_ready(part, transform, scaling, dtype) for part in (train, validation))
    return Split(train, validation, raw, transform)


def _ready(
    part: Examples, transform: Transform, scaling: TargetTransform | None, dtype: DTypeLike
) -> Examples:
    x = transform(part.x).astype(dtype)
    for array in (x, part.y, part.rows):
        if array is not None:
            array.setflags(write=False)
    return replace(part, x=x, scaling=scaling)


def _only(examples: Examples, classes: tuple[str, ...]) -> Examples:
    """Only the examples of these classes, renumbered in this order."""
    if unknown := [name for name in classes if name not in examples.classes]:
        known = instead_of(unknown[0], examples.classes)
        raise ValueError(f"unknown class {quoted(unknown[0])}; {known}")
    numbers = np.full(len(examples.classes), -1)
    numbers[[examples.classes.index(name) for name in classes]] = np.arange(len(classes))
    chosen = examples.take(np.flatnonzero(numbers[examples.y] >= 0))
    return replace(chosen, y=numbers[chosen.y], classes=classes)

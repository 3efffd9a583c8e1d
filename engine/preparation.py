"""From a data config to examples that are ready for a network."""

from dataclasses import replace

import numpy as np
from numpy.typing import DTypeLike

from engine.config import DataConfig
from engine.datasets import DATASETS, Split, split
from engine.preprocessing import PREPROCESSING


def prepare(config: DataConfig, rng: np.random.Generator, dtype: DTypeLike) -> Split:
    """Load, split and preprocess; what preprocessing learns, it learns from the training part."""
    parts = split(DATASETS.build(config.dataset)(rng), config.held_out, rng)
    train, validation = parts.train, parts.validation
    if config.examples is not None:
        train = train.take(np.arange(min(config.examples, len(train))))
    transform = PREPROCESSING.build(config.preprocessing)(train.x, train.shape)
    return Split(
        replace(train, x=transform(train.x).astype(dtype)),
        replace(validation, x=transform(validation.x).astype(dtype)),
    )

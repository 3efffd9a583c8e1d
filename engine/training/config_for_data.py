"""Adapts a config to its data, so that every data set on offer learns with it at once."""

from collections.abc import Container

import numpy as np

from engine.data import DATASETS, Examples, load
from engine.nn.losses import LOSSES
from engine.registry import Choice
from engine.training.config import RunConfig

DATASET = "data.dataset"
PREPROCESSING = "data.preprocessing"
TARGET_SCALING = "data.target_scaling"
LOSS = "optimization.loss"


def suit_data(config: RunConfig, had_classes: bool, kept: Container[str] = ()) -> RunConfig:
    """This config for its new data, with the usual preprocessing, target scaling and loss.

    The settings in `kept` stay: somebody chose them for these data. The loss changes only between
    classification and regression; `had_classes` is the task of the data before.
    """
    data = config.data
    rng = np.random.default_rng(config.seed)
    examples = load(DATASETS.build(data.dataset), data.reading, rng)
    suits = {
        PREPROCESSING: usual_preprocessing(examples),
        TARGET_SCALING: Choice("none" if examples.classes else "standardize"),
    }
    if bool(examples.classes) != had_classes:
        wanted = "classes" if examples.classes else "either"
        suits[LOSS] = next(Choice(x) for x in LOSSES if LOSSES.build(Choice(x)).predicts == wanted)
    for path, choice in suits.items():
        if path not in kept:
            config = config.replace(path, choice)
    return config


def usual_preprocessing(examples: Examples) -> Choice:
    """Images: the mean is subtracted. Tables: standardized, as columns have different units."""
    return Choice("centre" if len(examples.shape) > 1 else "standardize")

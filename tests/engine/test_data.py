"""The bundled data is what its licence file says, and is split honestly."""

import hashlib
from importlib import resources

import numpy as np

from engine.batches import Batches
from engine.config import DataConfig
from engine.datasets import DATASETS, Examples
from engine.preparation import prepare
from engine.registry import Choice


def digits() -> Examples:
    return DATASETS.build(Choice("digits"))(np.random.default_rng(0))


def test_the_digits_are_the_published_ones():
    raw = resources.files("engine.datasets").joinpath("data/digits.npz").read_bytes()
    assert hashlib.sha256(raw).hexdigest().startswith("6f801551877abf69")
    examples = digits()
    assert examples.x.shape == (1797, 64)
    assert (examples.x.min(), examples.x.max()) == (0, 1)
    counts = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert np.bincount(examples.y).tolist() == counts


def test_training_and_validation_examples_are_disjoint_and_complete():
    data = prepare(DataConfig(), np.random.default_rng(0), np.float32)
    assert (len(data.train), len(data.validation)) == (1438, 359)
    labels = np.concatenate([data.train.y, data.validation.y])
    np.testing.assert_array_equal(np.bincount(labels), np.bincount(digits().y))


def test_an_epoch_shows_every_example_once():
    x = np.arange(12.0)[:, None]
    batches = Batches(x, x, 4, np.random.default_rng(0))
    for epoch in range(1, 4):
        seen = []
        for _ in range(3):
            batches.advance()
            seen += batches.x[:, 0].tolist()
        assert sorted(seen) == list(range(12))
        assert batches.epoch == epoch


def test_a_batch_is_never_larger_than_the_data():
    x = np.arange(5.0)[:, None]
    batches = Batches(x, x, 100, np.random.default_rng(0))
    batches.advance()
    assert sorted(batches.x[:, 0]) == [0, 1, 2, 3, 4]

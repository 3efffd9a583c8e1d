"""Each preprocessing's effect on the inputs; it is fitted on the training set alone."""

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from engine import Choice, DataConfig, Experiment, RunConfig
from engine.data import Examples, Split
from engine.data.preprocessing import PREPROCESSING, Transform
from engine.registry import Registry
from engine.training import prepare_data
from engine.types import Array
from tests.waiting import PATIENCE

MIXED = np.array([[2.0, 0.5, -1.0, 0.3], [0, 1, 0.2, 0], [0, 0, 3, 1], [0, 0, 0, 0.1]])


def correlated() -> Array:  # (500, 4)
    """Correlated inputs of different sizes and means."""
    return np.random.default_rng(0).standard_normal((500, 4)) @ MIXED + [10, -5, 0, 100]


def fitted(name: str, x: Array, shape: tuple[int, ...] | None = None) -> Transform:
    return PREPROCESSING.build(Choice(name))(x, shape or x.shape[1:])


def covariance(x: Array) -> Array:
    return np.cov(x, rowvar=False, ddof=0)


def test_none_leaves_inputs_unchanged():
    np.testing.assert_array_equal(fitted("none", correlated())(correlated()), correlated())


def test_centred_inputs_have_mean_0_and_keep_their_size():
    x = fitted("centre", correlated())(correlated())
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(covariance(x), covariance(correlated()), rtol=1e-9)


def test_standardized_inputs_have_mean_0_and_deviation_1():
    x = fitted("standardize", correlated())(correlated())
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(x.std(axis=0), 1, rtol=1e-12)


def test_principal_components_are_uncorrelated_and_sorted():
    x = fitted("PCA", correlated())(correlated())
    measured = covariance(x)
    variances = np.diagonal(measured)
    np.testing.assert_allclose(measured, np.diag(variances), atol=1e-12 * variances[0])
    assert (np.diff(variances) < 0).all()
    expected = np.linalg.svd(correlated() - correlated().mean(axis=0), compute_uv=False) ** 2 / 500
    np.testing.assert_allclose(variances, expected, rtol=1e-9)
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-11)


def test_principal_components_keep_every_distance():
    x = correlated()
    turned = fitted("PCA", x)(x)
    before, after = (np.linalg.norm(some[1:] - some[:-1], axis=1) for some in (x, turned))
    np.testing.assert_allclose(after, before, rtol=1e-9)


def test_whitened_inputs_have_the_identity_as_covariance():
    x = fitted("whiten", correlated())(correlated())
    np.testing.assert_allclose(covariance(x), np.eye(4), atol=1e-9)
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-11)


# ---- constant inputs ------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", sorted(set(PREPROCESSING) - {"none", "channel mean"}))
def test_a_constant_input_becomes_0(name, dtype, value):
    x = correlated()
    x[:, 1] = value
    x = x.astype(dtype)
    done = fitted(name, x)(x)
    assert np.isfinite(done).all()
    column = {"PCA": 3, "whiten": 3}.get(name, 1)  # the component with the least variance
    np.testing.assert_allclose(done[:, column], 0, atol=1e-6 * max(1, value))


def test_a_constant_input_stays_small_if_it_varies_in_validation():
    x = correlated()
    x[:, 1] = 5
    fresh = x.copy()
    fresh[:, 1] = 6
    for name in ("standardize", "whiten"):
        assert np.abs(fitted(name, x)(fresh)).max() < 10


def test_more_inputs_than_examples_can_be_whitened():
    x = np.random.default_rng(0).standard_normal((5, 20))
    done = fitted("whiten", x)(x)
    np.testing.assert_allclose(np.diagonal(covariance(done))[:4], 1, rtol=1e-9)
    np.testing.assert_allclose(done[:, 4:], 0, atol=1e-9)


# ---- images ---------------------------------------------------------------------------------


def test_channel_mean_subtracts_the_mean_of_each_colour():
    images = np.random.default_rng(0).random((30, 5, 4, 3)) * [1, 2, 3] + [0, 5, 9]
    x = images.reshape(30, -1)
    done = fitted("channel mean", x, (5, 4, 3))(x).reshape(images.shape)
    np.testing.assert_allclose(done, images - images.mean(axis=(0, 1, 2)), rtol=1e-12, atol=1e-14)
    assert np.abs(done.mean(axis=0)).max() > 0.01  # the mean image is not subtracted


@pytest.mark.parametrize("shape", [(6, 5), (30,)])
def test_channel_mean_subtracts_one_mean_from_grey_images_and_tables(shape):
    x = np.random.default_rng(0).random((40, 30)) + 2
    np.testing.assert_allclose(fitted("channel mean", x, shape)(x), x - x.mean(), rtol=1e-9)


# ---- honesty --------------------------------------------------------------------------------


def split_of(x: Array, preprocessing: str, monkeypatch) -> Split:
    """`x`, with row numbers as targets, split and preprocessed."""
    rows = np.arange(len(x), dtype=float)[:, None]
    made_up: Registry = Registry("data set")
    made_up.register("digits")(lambda rng: Examples(x, rows, (), (x.shape[1],)))
    monkeypatch.setattr(prepare_data, "DATASETS", made_up)
    config = DataConfig(preprocessing=Choice(preprocessing))
    return prepare_data.prepare(config, np.random.default_rng(3), np.float64)


@pytest.mark.parametrize("name", PREPROCESSING)
def test_preprocessing_ignores_the_validation_set(name, monkeypatch):
    """Whatever the validation set contains, the training set is transformed in the same way."""
    x = correlated()
    before = split_of(x, name, monkeypatch)
    held_out = before.validation.y[:, 0].astype(int)
    assert len(held_out) == 100
    x[held_out] = 1000
    after = split_of(x, name, monkeypatch)
    np.testing.assert_array_equal(after.validation.y, before.validation.y)
    np.testing.assert_array_equal(after.train.x, before.train.x)
    assert not np.allclose(after.validation.x, before.validation.x)


@pytest.mark.parametrize("name", PREPROCESSING)
def test_validation_examples_get_the_fitted_transform(name, monkeypatch):
    parts = split_of(correlated(), name, monkeypatch)
    rows, held_out = (part.y[:, 0].astype(int) for part in (parts.train, parts.validation))
    transform = fitted(name, correlated()[rows])
    np.testing.assert_allclose(parts.validation.x, transform(correlated()[held_out]), rtol=1e-9)


def test_preprocessing_is_fitted_on_the_examples_trained_on():
    config = DataConfig(preprocessing=Choice("standardize"), examples=20)
    train = prepare_data.prepare(config, np.random.default_rng(0), np.float64).train
    assert len(train) == 20
    np.testing.assert_allclose(train.x.mean(axis=0), 0, atol=1e-6)


@pytest.mark.parametrize("name", PREPROCESSING)
@pytest.mark.parametrize("dataset", ["digits", "wine", "circle"])
def test_every_kind_of_data_can_be_prepared(dataset, name):
    config = DataConfig(dataset=Choice(dataset), preprocessing=Choice(name))
    parts = prepare_data.prepare(config, np.random.default_rng(0), np.float32)
    for part in (parts.train, parts.validation):
        assert part.x.dtype == np.float32
        assert np.isfinite(part.x).all()


# ---- sharing --------------------------------------------------------------------------------


def prepared(seed: int = 0, dtype: str = "f4", **data: object) -> Split:
    return prepare_data.prepare(DataConfig(**data), np.random.default_rng(seed), dtype)


def test_equal_requests_share_one_result():
    one = prepared()
    assert prepared() is one
    for other in (prepared(seed=1), prepared(dtype="f8"), prepared(held_out=0.5)):
        assert other is not one
        assert not np.shares_memory(other.train.x, one.train.x)


def test_shared_data_are_read_only():
    for part in (prepared().train, prepared().validation):
        for array in (part.x, part.y, part.rows, part.target):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 1


def test_two_runs_on_the_same_data_share_it_until_both_are_gone():
    config = RunConfig(data=DataConfig(examples=77))
    mine, yours = Experiment(config), Experiment(config)
    assert mine.data is yours.data
    for evaluator in mine.training.evaluators:  # evaluators hold views of it
        assert not evaluator.x.flags.owndata and not evaluator.target.flags.owndata
    left = weakref.ref(mine.data)
    del mine, evaluator
    gc.collect()
    assert left() is not None
    del yours
    gc.collect()
    assert left() is None


def test_other_data_of_the_same_name_are_not_shared(monkeypatch):
    one, other = (split_of(correlated(), "centre", monkeypatch) for _ in range(2))
    assert one is not other


def test_simultaneous_requests_share_one_result():
    start = threading.Barrier(4)

    def ask(_: int) -> Split:
        start.wait(PATIENCE)
        return prepared(seed=5)

    with ThreadPoolExecutor(4) as threads:
        assert len({id(split) for split in list(threads.map(ask, range(4)))}) == 1

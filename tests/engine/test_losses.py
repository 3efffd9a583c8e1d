"""Losses for equal, confident, and absurd scores."""

import math

import numpy as np
import pytest

from engine import Choice, DataConfig, Experiment, ModelConfig, OptimizationConfig, RunConfig
from engine.nn.losses import LOSSES, accuracy, explained
from engine.types import Array

CROSS_ENTROPY, HINGE, SQUARES = "softmax cross-entropy", "multiclass hinge", "mean squared error"


def judged(name: str, z: Array, target: Array) -> tuple[float, Array]:
    """The loss and its gradient, which must not depend on the content of the buffers."""
    dz, row = np.full_like(z, np.nan), np.full_like(z[:, 0], np.nan)
    kept = z.copy(), target.copy()
    loss = LOSSES.build(Choice(name))(z, target, dz, row)
    for array, before in zip((z, target), kept, strict=True):
        np.testing.assert_array_equal(array, before)
    assert type(loss) is float
    return loss, dz


def one_hot(*labels: int, classes: int = 3, dtype=np.float64) -> Array:
    return np.eye(classes, dtype=dtype)[list(labels)]


# ---- chance -----------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [2, 3, 10])
@pytest.mark.parametrize(
    ("name", "expected"), [(CROSS_ENTROPY, math.log), (HINGE, lambda classes: classes - 1)]
)
def test_equal_scores_have_the_loss_of_chance(name, expected, classes):
    z = np.full((4, classes), 7.0)
    loss, _ = judged(name, z, one_hot(0, 1, 1, 0, classes=classes))
    assert loss == pytest.approx(expected(classes), rel=1e-12)
    assert LOSSES.build(Choice(name)).of_chance(classes) == pytest.approx(expected(classes))


def test_regression_losses_have_no_chance_loss():
    assert LOSSES.build(Choice(SQUARES)).of_chance(3) is None


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("dataset", "classes"), [("digits", 10), ("iris", 3)])
def test_an_untrained_network_starts_with_the_loss_of_chance(dataset, classes, loss):
    config = RunConfig(
        data=DataConfig(dataset=Choice(dataset)),
        model=ModelConfig(initializer=Choice("small normal", {"scale": 1e-4})),
        optimization=OptimizationConfig(loss=Choice(loss)),
    )
    first = {CROSS_ENTROPY: math.log(classes), HINGE: classes - 1, SQUARES: 1 / classes}[loss]
    curves = Experiment(config).snapshot().curves
    assert curves["loss"][0] == pytest.approx(first, rel=1e-4)


# ---- numbers worked out by hand ---------------------------------------------------------------


def test_a_worked_hinge():
    z = np.array([[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]])  # CS231n's cat, car, frog
    loss, dz = judged(HINGE, z, one_hot(0, 1, 2))
    assert loss == pytest.approx((2.9 + 0 + 12.9) / 3)
    np.testing.assert_allclose(3 * dz, [[-1, 1, 0], [0, 0, 0], [1, 1, -2]], rtol=1e-12)


def test_a_worked_cross_entropy():
    z = np.log([[1.0, 2.0, 5.0], [4.0, 4.0, 8.0]])
    loss, dz = judged(CROSS_ENTROPY, z, one_hot(1, 2))
    assert loss == pytest.approx(-(math.log(2 / 8) + math.log(8 / 16)) / 2)
    np.testing.assert_allclose(2 * dz, [[1 / 8, -6 / 8, 5 / 8], [1 / 4, 1 / 4, -1 / 2]], rtol=1e-12)


def test_a_worked_mean_of_squares():
    loss, dz = judged(SQUARES, np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.0, 2], [5, 3]]))
    assert loss == pytest.approx((1 + 0 + 4 + 1) / 4)
    np.testing.assert_allclose(dz, [[0.5, 0], [-1, 0.5]], rtol=1e-12)


@pytest.mark.parametrize("name", [CROSS_ENTROPY, HINGE])
def test_gradients_of_the_scores_sum_to_0(name):
    z = np.random.default_rng(0).standard_normal((6, 3))
    loss, dz = judged(name, z, one_hot(0, 1, 2, 2, 1, 0))
    np.testing.assert_allclose(dz.sum(axis=1), 0, atol=1e-15)
    shifted, _ = judged(name, z + 5, one_hot(0, 1, 2, 2, 1, 0))
    assert shifted == pytest.approx(loss, rel=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_the_loss_is_the_mean_over_the_batch(name):
    z = np.random.default_rng(0).standard_normal((4, 3))
    target = one_hot(0, 2, 1, 1)
    loss, dz = judged(name, z, target)
    twice, dz_twice = judged(name, np.tile(z, (2, 1)), np.tile(target, (2, 1)))
    assert twice == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(dz_twice, np.tile(dz / 2, (2, 1)), rtol=1e-12)


# ---- absurd scores ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1e4, 1e15])
def test_large_scores_do_not_overflow(size, dtype):
    z = np.array([[size, 0, -size], [-size, 0, size]], dtype)
    loss, dz = judged(CROSS_ENTROPY, z, one_hot(0, 0, dtype=dtype))
    assert loss == pytest.approx(size)  # 0 for the first, 2 size for the second
    np.testing.assert_allclose(dz, [[0, 0, 0], [-0.5, 0, 0.5]], atol=1e-7)
    loss, dz = judged(HINGE, z, one_hot(0, 0, dtype=dtype))
    assert loss == pytest.approx(1.5 * size, rel=1e-3)
    np.testing.assert_array_equal(dz, [[0, 0, 0], [-1, 0.5, 0.5]])
    assert dz.dtype == dtype


@pytest.mark.parametrize("name", LOSSES)
def test_a_nan_score_gives_a_nan_loss(name):
    z = np.array([[1.0, np.nan, 0.0]])
    assert math.isnan(judged(name, z, one_hot(0))[0])


# ---- scores of a network ----------------------------------------------------------------------


def test_accuracy_counts_correct_predictions():
    z = np.array([[1.0, 2, 0], [3, 1, 2], [0, 0, 1], [5, 4, 9]])
    assert accuracy(z, np.array([1, 0, 1, 2])) == 0.75


@pytest.mark.parametrize("outputs", [1, 2])
def test_r_squared_is_1_for_the_targets_and_0_for_their_mean(outputs):
    values = np.random.default_rng(0).standard_normal((50, outputs)) + 4
    mean = np.broadcast_to(values.mean(axis=0), values.shape)
    assert explained(values, values) == 1
    assert explained(mean, values) == pytest.approx(0, abs=1e-12)
    assert explained(2 * mean - values, values) == pytest.approx(-3)
    assert explained((values + mean) / 2, values) == pytest.approx(0.75)


def test_r_squared_of_constant_targets():
    assert math.isnan(explained(np.zeros((4, 1)), np.ones((4, 1))))

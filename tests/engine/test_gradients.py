"""Every gradient against centred differences of the loss, in float64."""

import numpy as np
import pytest

from engine.activations import ACTIVATIONS
from engine.config import ModelConfig
from engine.initializers import INITIALIZERS
from engine.losses import LOSSES
from engine.network import Network, build_network
from engine.registry import Choice

BATCH, INPUTS, CLASSES = 5, 4, 3
STEP = 1e-6
TOLERANCE = 1e-7


def relative_error(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a - b) / max(np.linalg.norm(a) + np.linalg.norm(b), 1e-12))


def difference_quotients(loss, theta: np.ndarray) -> np.ndarray:
    quotients = np.empty_like(theta)
    for i, value in enumerate(theta.copy()):
        theta[i] = value + STEP
        above = loss()
        theta[i] = value - STEP
        below = loss()
        theta[i] = value
        quotients[i] = (above - below) / (2 * STEP)
    return quotients


def some_network(activation: str, hidden: tuple[int, ...]) -> Network:
    model = ModelConfig(activation=Choice(activation), hidden=hidden)
    network = build_network(model, INPUTS, CLASSES, BATCH, dtype=np.float64)
    rng = np.random.default_rng(1)
    network.draw(INITIALIZERS.build(Choice("Xavier")), rng)
    network.parameters.theta[:] += 0.1 * rng.standard_normal(network.parameters.theta.size)
    return network


@pytest.mark.parametrize("loss_name", LOSSES)
@pytest.mark.parametrize("hidden", [(), (6,), (6, 5, 4)], ids=["linear", "one", "three"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_backward_agrees_with_finite_differences(activation, hidden, loss_name):
    network = some_network(activation, hidden)
    rng = np.random.default_rng(2)
    x = rng.standard_normal((BATCH, INPUTS))
    target = np.eye(CLASSES)[rng.integers(CLASSES, size=BATCH)]
    dz = np.empty((BATCH, CLASSES))
    criterion = LOSSES.build(Choice(loss_name))

    def loss() -> float:
        return criterion(network.forward(x, train=True), target, dz)

    loss()
    network.backward(dz)
    backward = network.parameters.grad.copy()
    assert (
        relative_error(backward, difference_quotients(loss, network.parameters.theta)) < TOLERANCE
    )


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_slope_is_the_derivative_of_the_value(activation):
    function = ACTIVATIONS.build(Choice(activation))
    z = np.linspace(-6, 6, 121) + 0.01  # off the kink at 0
    above, below, value, slope = (np.empty_like(z) for _ in range(4))
    function.value(z + STEP, above)
    function.value(z - STEP, below)
    function.value(z, value)
    function.slope(z, value, slope)
    np.testing.assert_allclose(slope, (above - below) / (2 * STEP), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_activations_are_clean_at_large_arguments(activation, dtype):
    function = ACTIVATIONS.build(Choice(activation))
    z = np.array([-1e4, -100, 0, 100, 1e4], dtype)
    value, slope = np.empty_like(z), np.empty_like(z)
    function.value(z, value)
    function.slope(z, value, slope)
    assert np.isfinite(value).all()
    assert np.isfinite(slope).all()


def test_a_layer_never_changes_its_argument():
    network = some_network("leaky ReLU", (6,))
    x = np.random.default_rng(0).standard_normal((BATCH, INPUTS))
    dz = np.ones((BATCH, CLASSES))
    kept = x.copy()
    network.forward(x, train=True)
    network.backward(dz)
    np.testing.assert_array_equal(x, kept)
    np.testing.assert_array_equal(dz, np.ones((BATCH, CLASSES)))


def test_a_second_network_follows_training():
    network = some_network("tanh", (6,))
    model = ModelConfig(activation=Choice("tanh"), hidden=(6,))
    other = build_network(
        model, INPUTS, CLASSES, 2, parameters=network.parameters, dtype=np.float64
    )
    x = np.random.default_rng(0).standard_normal((BATCH, INPUTS))
    network.parameters.theta[...] *= 3
    np.testing.assert_allclose(
        other.forward(x[:2], train=False), network.forward(x, train=True)[:2], rtol=1e-12
    )

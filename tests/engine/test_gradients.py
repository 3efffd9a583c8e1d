"""Every gradient against centred differences of the loss, in float64."""

from collections.abc import Callable
from functools import cache
from itertools import product

import numpy as np
import pytest

from engine import Choice, Convolution, DataConfig, ModelConfig, OptimizationConfig, RunConfig
from engine.nn.activations import ACTIVATIONS
from engine.nn.initializers import INITIALIZERS
from engine.nn.layers import PReLULayer
from engine.nn.losses import LOSSES
from engine.nn.network import Network
from engine.nn.normalization import NORMALIZATIONS
from engine.training.build_network import build_network
from engine.training.training import Training
from engine.types import Array

BATCH, OUTPUTS = 5, 3
STEP = 1e-6
TOLERANCE = 1e-7

ELEMENTWISE = [name for name in ACTIVATIONS if name != "Maxout"]  # not a function of one number
NETS = {  # shape of an example, convolutions, hidden layers
    "linear": ((4,), (), ()),
    "dense": ((4,), (), (5,)),
    "deep": ((4,), (), (5, 4, 4)),
    "convolutional": ((5, 4), (Convolution(filters=2, size=2, padding=1, pool=2),), (3,)),
    "two convolutions": (
        (6, 6, 2),
        (
            Convolution(filters=2, size=3, stride=1, padding=1, pool=1),
            Convolution(filters=2, size=2, stride=2, padding=0, pool=1),
        ),
        (),
    ),
}


def relative_error(a: Array, b: Array) -> float:
    return float(np.linalg.norm(a - b) / max(np.linalg.norm(a) + np.linalg.norm(b), 1e-12))


def difference_quotients(loss: Callable[[], float], theta: Array) -> Array:
    above, below = beside(loss, theta)
    return (above - below) / (2 * STEP)


def beside(look: Callable[[], object], theta: Array) -> Array:
    """What is seen with each parameter a step above its value, and with each a step below."""
    seen = []
    for step in (STEP, -STEP):
        for i, value in enumerate(theta.copy()):
            theta[i] = value + step
            seen.append(look())
            theta[i] = value
    return np.array(seen).reshape(2, theta.size, *np.shape(seen[0]))


def some_network(
    net: str, activation: str, normalization: str = "none", dropout: float = 0.0
) -> tuple[Network, np.random.Generator]:
    """A network with weights of a realistic size, and the generator of its dropout.

    Biases, slopes and batch norm's factors are moved away from the round numbers they start at.
    """
    shape, convolutions, hidden = NETS[net]
    model = ModelConfig(
        activation=Choice(activation),
        normalization=Choice(normalization),
        dropout=dropout,
        convolutions=convolutions,
        hidden=hidden,
    )
    silencing = np.random.default_rng(3)
    network = build_network(model, shape, OUTPUTS, BATCH, dtype=np.float64, rng=silencing)
    rng = np.random.default_rng(1)
    network.draw(INITIALIZERS.build(Choice("Xavier")), rng, inputs(net))
    network.parameters.theta[:] += 0.1 * rng.standard_normal(network.parameters.theta.size)
    return network, silencing


def inputs(net: str) -> Array:
    return np.random.default_rng(2).standard_normal((BATCH, int(np.prod(NETS[net][0]))))


def repeatable(
    net: str, activation: str, normalization: str, dropout: float
) -> tuple[Network, Callable[[], Array]]:
    """A network, and its output for the same inputs with the same units dropped."""
    network, silencing = some_network(net, activation, normalization, dropout)
    state, x = silencing.bit_generator.state, inputs(net)

    def outputs() -> Array:
        silencing.bit_generator.state = state
        return network.forward(x, train=True)

    return network, outputs


@cache
def outputs_beside(net: str, activation: str, normalization: str, dropout: float) -> Array:
    """The outputs from which all losses are computed. (2, P, B, O)"""
    network, outputs = repeatable(net, activation, normalization, dropout)
    seen = beside(lambda: outputs().copy(), network.parameters.theta)
    seen.flags.writeable = False  # no loss may change what the next one is computed from
    return seen


def gradient_error(
    net: str, activation: str, loss_name: str, normalization: str = "none", dropout: float = 0.0
) -> float:
    """The relative distance between the gradient and differences of the loss."""
    network, outputs = repeatable(net, activation, normalization, dropout)
    target = np.eye(OUTPUTS)[[0, 2, 1, 1, 0]]
    dz, row = np.empty((BATCH, OUTPUTS)), np.empty(BATCH)
    criterion = LOSSES.build(Choice(loss_name))
    network.parameters.grad[...] = np.nan  # gradients are assigned, not added
    criterion(outputs(), target, dz, row)
    network.backward(dz)
    above, below = (
        np.array([criterion(z, target, np.empty_like(dz), row) for z in side])
        for side in outputs_beside(net, activation, normalization, dropout)
    )
    return relative_error(network.parameters.grad, (above - below) / (2 * STEP))


@pytest.mark.parametrize(
    ("activation", "normalization", "net", "loss_name"),  # losses last: they share outputs
    list(product(ACTIVATIONS, NORMALIZATIONS, NETS, LOSSES)),
)
def test_backward_agrees_with_finite_differences(activation, normalization, net, loss_name):
    assert gradient_error(net, activation, loss_name, normalization) <= TOLERANCE


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_backward_agrees_under_dropout(activation, normalization):
    assert gradient_error("deep", activation, "mean squared error", normalization, 0.4) <= TOLERANCE


@pytest.mark.parametrize("net", ["deep", "two convolutions"])
def test_an_error_of_a_thousandth_is_detected(net, monkeypatch):
    tanh = ACTIVATIONS["tanh"].make
    slope = tanh.slope
    monkeypatch.setattr(
        tanh, "slope", lambda *args: slope(*args) or np.multiply(args[3], 1.001, out=args[3])
    )
    assert gradient_error(net, "tanh", "softmax cross-entropy") > 100 * TOLERANCE


def test_the_gradient_of_a_step_includes_both_penalties():
    config = RunConfig(
        data=DataConfig(dataset=Choice("iris")),
        model=ModelConfig(activation=Choice("tanh"), hidden=(4,)),
        optimization=OptimizationConfig(
            learning_rate=0.5, optimizer=Choice("SGD"), l2=0.05, l1=0.02
        ),
    )
    training = Training(config, np.float64)
    theta = training.network.parameters.theta
    theta += 0.1 * np.random.default_rng(0).standard_normal(theta.size)  # so that no bias is 0
    before = theta.copy()
    training.update()
    gradient = (before - theta) / 0.5
    theta[...] = before
    dz, row = np.empty_like(training.batches.target), np.empty(len(training.batches.x))
    criterion = LOSSES.build(config.optimization.loss)

    def objective() -> float:
        scores = training.network.forward(training.batches.x, train=True)
        return criterion(scores, training.batches.target, dz, row) + training.regularization.penalty

    assert relative_error(gradient, difference_quotients(objective, theta)) <= TOLERANCE


# ---- activations by themselves ------------------------------------------------------------------


@pytest.mark.parametrize("activation", ELEMENTWISE)
def test_the_slope_is_the_derivative_of_the_value(activation):
    function = ACTIVATIONS.build(Choice(activation))
    z = np.linspace(-6, 6, 121) + 0.01  # avoids the kink at 0
    above, below, value, slope = (np.empty_like(z) for _ in range(4))
    function.value(z + STEP, above)
    function.value(z - STEP, below)
    function.value(z, value)
    function.slope(z, value, slope)
    np.testing.assert_allclose(slope, (above - below) / (2 * STEP), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_are_clean_at_large_arguments(activation, dtype):
    """No NaN, the right values, and no warning, which pytest turns into an error."""
    z = np.array([[-1e4, -1e3, -100, -30, -1, 0, 1, 30, 100, 1e3, 1e4]], dtype)
    model = ModelConfig(activation=Choice(activation), hidden=(z.size,))
    layer = build_network(model, (2,), OUTPUTS, 1, dtype=dtype).layers[1]
    for slopes in layer.params.values():
        slopes[...] = 0.25
    value = layer.forward(np.hstack([z, z]) if activation == "Maxout" else z, train=True)
    dx = layer.backward(np.ones_like(value))
    assert value.dtype == dx.dtype == dtype
    assert np.isfinite(value).all()
    assert np.isfinite(dx).all()
    if bounds := ACTIVATIONS.build(Choice(activation)).bounds:
        np.testing.assert_allclose(value[0, [0, -1]], bounds, atol=1e-3)
        np.testing.assert_allclose(dx[0, [0, -1]], 0, atol=1e-6)
    else:  # linear on the right; SELU is a little steeper
        steepness = 1.0507009873554805 if activation == "SELU" else 1
        np.testing.assert_allclose(value[0, -3:], steepness * z[0, -3:], rtol=1e-6)


# ---- contract of all layers ---------------------------------------------------------------------


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("net", ["deep", "convolutional"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_layer_never_changes_its_argument(activation, net, normalization):
    network, _ = some_network(net, activation, normalization, dropout=0.3)
    x, kept = inputs(net), []
    for layer in network.layers:
        kept.append((x, x.copy()))
        x = layer.forward(x, train=True)
    dy = np.ones((BATCH, OUTPUTS))
    for layer in reversed(network.layers):
        kept.append((dy, dy.copy()))
        dy = layer.backward(dy)
    for array, before in kept:
        np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("net", NETS)
def test_a_second_network_follows_training(net, normalization):
    network, _ = some_network(net, "PReLU", normalization)
    shape, convolutions, hidden = NETS[net]
    model = ModelConfig(
        activation=Choice("PReLU"),
        normalization=Choice(normalization),
        convolutions=convolutions,
        hidden=hidden,
    )
    other = build_network(model, shape, OUTPUTS, 2, parameters=network.parameters, dtype=np.float64)
    x = inputs(net)
    before = other.forward(x[:2], train=False).copy()
    network.forward(x, train=True)
    network.parameters.theta[...] *= 3
    after = other.forward(x[:2], train=False)
    assert not np.allclose(after, before)
    np.testing.assert_allclose(after, network.forward(x, train=False)[:2], rtol=1e-12)


def test_learned_slopes_start_at_the_value_of_the_knob():
    model = ModelConfig(activation=Choice("PReLU", {"start": 0.4}), hidden=(3,))
    network = build_network(model, (2,), 2, 1, dtype=np.float64)
    network.draw(INITIALIZERS.build(Choice("He")), np.random.default_rng(0), np.zeros((1, 2)))
    slopes = [layer for layer in network.layers if isinstance(layer, PReLULayer)]
    np.testing.assert_array_equal(slopes[0].params["slope"], [0.4, 0.4, 0.4])

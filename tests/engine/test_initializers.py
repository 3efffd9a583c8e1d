"""Initial weights have the size that each initializer promises, for every kind of layer."""

import math

import numpy as np
import pytest

from engine import Choice, Convolution, ModelConfig
from engine.nn.activations import ACTIVATIONS
from engine.nn.channels import examples_first
from engine.nn.convolution import Conv2D
from engine.nn.initializers import INITIALIZERS, LSUV_TOLERANCE
from engine.nn.layers import Dense, Weighted
from engine.nn.network import Network, Parameters
from engine.training.build_network import build_network
from engine.types import Array

EXAMPLES = 64
DENSE = [(400, 300), (784, 100), (100, 784)]  # inputs, outputs
MAPS = [(8, 5, 24), (40, 3, 30)]  # channels, pixels of the window, filters
RELU = math.sqrt(2)  # its gain


def bound(layer: Weighted) -> Weighted:
    top = Dense("top", 1, 1, 1, np.float64, first=True)
    Network([layer, top], Parameters([layer, top], np.float64))
    return layer


def some(*shape: int) -> Array:
    return 0.5 + 2 * np.random.default_rng(7).standard_normal(shape)


# The variance according to each paper, for a ReLU layer with `n` inputs and `m` outputs.
VARIANCES = {
    "He": lambda n, m: 2 / n,
    "Xavier": lambda n, m: 1 / n,
    "Xavier uniform": lambda n, m: 1 / n,
    "Glorot": lambda n, m: 2 / (n + m),
    "Glorot uniform": lambda n, m: 2 / (n + m),
    "LeCun": lambda n, m: 1 / n,
    "small normal": lambda n, m: 1e-4,
    "unit normal": lambda n, m: 1,
}
UNIFORM = {"Xavier uniform", "Glorot uniform"}
MEASURED = {"LSUV", "data-dependent"}  # these use data
DETERMINED = {"constant", "zeros"}
SCALED = [name for name, entry in INITIALIZERS.items() if entry.knobs]


def dense(inputs: int, outputs: int, gain: float = RELU) -> tuple[Weighted, Array]:
    """A layer with its own parameters, and inputs not quite of mean 0 and size 1."""
    layer = Dense("dense", inputs, outputs, EXAMPLES, np.float64, first=True, gain=gain)
    return bound(layer), some(EXAMPLES, inputs)


def convolution(channels: int, size: int, filters: int) -> tuple[Weighted, Array]:
    """The same for a convolution."""
    x = some(channels, 8, 8, EXAMPLES)
    return bound(Conv2D("conv", x.shape, filters, size, np.float64, first=True, gain=RELU)), x


LAYERS = [dense(50, 40), dense(20, 200), convolution(3, 3, 10)]


def drawn(layer: Weighted, x: Array, name: str, seed: int = 0, **knobs: float) -> Array:
    """The weights of the layer after drawing."""
    for tensor in layer.params.values():
        tensor[...] = 0
    INITIALIZERS.build(Choice(name, knobs))(np.random.default_rng(seed), layer, lambda: x)
    return layer.params["W"].copy()


def test_every_initializer_is_tested_here():
    judged = set(VARIANCES) | MEASURED | DETERMINED | {"orthogonal", "random walk"}
    assert judged == set(INITIALIZERS), "say what variance the new one promises"


# ---- size -------------------------------------------------------------------------------------


def judge_sample(W: Array, variance: float, uniform: bool) -> None:
    """Mean and variance are within four standard errors of a sample of this size."""
    kurtosis = 1.8 if uniform else 3.0
    assert abs(W.mean()) < 4 * math.sqrt(variance / W.size)
    assert W.var() == pytest.approx(variance, rel=4 * math.sqrt((kurtosis - 1) / W.size))
    if uniform:
        assert np.abs(W).max() == pytest.approx(math.sqrt(3 * variance), rel=1e-2)
        assert np.abs(W).max() <= math.sqrt(3 * variance)
    else:  # a normal sample of some 10,000 numbers exceeds 3.5 deviations
        assert np.abs(W).max() > 3.5 * math.sqrt(variance)


@pytest.mark.parametrize("fans", DENSE, ids=str)
@pytest.mark.parametrize("name", VARIANCES)
def test_the_variance_of_dense_weights(name, fans):
    judge_sample(drawn(*dense(*fans), name), VARIANCES[name](*fans), name in UNIFORM)


@pytest.mark.parametrize("fans", MAPS, ids=str)
@pytest.mark.parametrize("name", VARIANCES)
def test_the_variance_of_filters(name, fans):
    channels, size, filters = fans
    layer, x = convolution(channels, size, filters)
    assert (layer.fan_in, layer.fan_out) == (channels * size**2, filters * size**2)
    variance = VARIANCES[name](channels * size**2, filters * size**2)
    judge_sample(drawn(layer, x, name), variance, name in UNIFORM)


@pytest.mark.parametrize("name", SCALED)
def test_scale_multiplies_the_weights(name):
    layer, x = dense(50, 40)
    once, b = drawn(layer, x, name, scale=1.0), layer.params["b"].copy()
    np.testing.assert_allclose(drawn(layer, x, name, scale=0.25), 0.25 * once, rtol=1e-12)
    np.testing.assert_allclose(layer.params["b"], 0.25 * b, rtol=1e-12)


def test_all_but_zeros_can_be_scaled():
    assert set(INITIALIZERS) - set(SCALED) == {"zeros"}


@pytest.mark.parametrize("name", sorted(set(INITIALIZERS) - DETERMINED))
def test_the_seed_decides(name):
    one, again, other = (drawn(*dense(30, 20), name, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one, other)


@pytest.mark.parametrize("name", sorted(set(INITIALIZERS) - {"data-dependent"}))
def test_biases_start_at_zero(name):
    layer, x = dense(30, 20)
    drawn(layer, x, name)
    np.testing.assert_array_equal(layer.params["b"], np.zeros(20))


def test_constant_gives_all_weights_the_same_value():
    W = drawn(*dense(5, 4), "constant", scale=0.3)
    np.testing.assert_array_equal(W, np.full((5, 4), 0.3))
    np.testing.assert_array_equal(drawn(*dense(5, 4), "zeros"), np.zeros((5, 4)))


# ---- rotations --------------------------------------------------------------------------------


@pytest.mark.parametrize("gain", [1.0, RELU])
@pytest.mark.parametrize("fans", [(60, 40), (40, 60), (50, 50)], ids=str)
def test_orthogonal_weights_preserve_norms(fans, gain):
    W = drawn(*dense(*fans, gain=gain), "orthogonal")
    product = W.T @ W if fans[0] >= fans[1] else W @ W.T
    np.testing.assert_allclose(product, gain**2 * np.eye(min(fans)), atol=1e-12)


def test_orthogonal_filters_are_at_right_angles():
    W = drawn(*convolution(4, 3, 20), "orthogonal")
    np.testing.assert_allclose(W.T @ W, 2 * np.eye(20), atol=1e-12)


def test_rotations_and_reflections_are_equally_likely():
    layer, x = dense(2, 2, gain=1.0)
    many = np.array([drawn(layer, x, "orthogonal", seed) for seed in range(2000)])
    error = 4 / math.sqrt(2000)
    np.testing.assert_allclose(many.mean(axis=0), 0, atol=error)
    assert np.mean(np.linalg.det(many) > 0) == pytest.approx(0.5, abs=error)


@pytest.mark.parametrize("gain", [1.0, RELU])
def test_a_gradient_on_a_random_walk_neither_grows_nor_shrinks(gain):
    """Its logarithm has no drift over 60 layers: Sussillo & Abbott 2014, section 3."""
    width, depth, walks = 40, 60, 60
    ends = []
    for walk in range(walks):
        rng = np.random.default_rng(walk)
        dy = start = rng.standard_normal(width)
        layer, x = dense(width, width, gain=gain)
        for number in range(depth):
            if gain > 1:  # ReLU passes the gradient of about every second unit
                dy = dy * (rng.random(width) < 0.5)
            dy = drawn(layer, x, "random walk", 1000 * walk + number) @ dy
        ends.append(math.log(np.linalg.norm(dy) / np.linalg.norm(start)))
    error = np.std(ends) / math.sqrt(walks)
    assert abs(np.mean(ends)) < 3 * error
    assert error < 0.2  # with 1 / sqrt(width) or He it would end near -0.7 or -2.0


# ---- measured on data -------------------------------------------------------------------------


@pytest.mark.parametrize(("layer", "x"), LAYERS, ids=["tall", "wide", "filters"])
def test_lsuv_gives_sums_of_size_1(layer, x):
    drawn(layer, x, "LSUV")
    sums = layer.forward(x, train=False)
    assert sums.std() == pytest.approx(1, abs=LSUV_TOLERANCE)
    assert LSUV_TOLERANCE <= 0.01


@pytest.mark.parametrize(("layer", "x"), LAYERS, ids=["tall", "wide", "filters"])
def test_data_dependent_gives_each_unit_mean_0_and_size_1(layer, x):
    drawn(layer, x, "data-dependent")
    sums = examples_first(layer.forward(x, train=False)).reshape(-1, len(layer.params["b"]))
    np.testing.assert_allclose(sums.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(sums.std(axis=0), 1, rtol=1e-12)


@pytest.mark.parametrize("name", sorted(MEASURED))
def test_inputs_that_are_all_0_give_finite_weights(name):
    layer, x = dense(6, 5)
    assert np.isfinite(drawn(layer, np.zeros_like(x), name)).all()
    np.testing.assert_array_equal(layer.params["b"], np.zeros(5))


def test_each_layer_is_measured_on_what_the_layers_below_give_it():
    network = built("LSUV", ModelConfig(activation=Choice("tanh"), hidden=(30, 20, 30)))
    for layer in network.layers:
        if "W" in layer.params:
            assert layer.out.std() == pytest.approx(1, abs=0.011)


# ---- whole networks ---------------------------------------------------------------------------


def built(name: str, model: ModelConfig) -> Network:
    network = build_network(model, (8, 8, 3), 4, EXAMPLES, dtype=np.float64)
    network.parameters.theta[...] = np.nan
    x = np.random.default_rng(1).standard_normal((EXAMPLES, 192))
    network.draw(INITIALIZERS.build(Choice(name)), np.random.default_rng(0), x)
    network.forward(x, train=True)
    return network


@pytest.mark.parametrize("normalization", ["none", "batch norm"])
@pytest.mark.parametrize("activation", ["ReLU", "PReLU", "Maxout"])
@pytest.mark.parametrize("name", INITIALIZERS)
def test_a_convolutional_network_can_be_drawn(name, activation, normalization):
    model = ModelConfig(
        activation=Choice(activation),
        normalization=Choice(normalization),
        convolutions=(Convolution(filters=4, size=3), Convolution(filters=6, size=2, pool=1)),
        hidden=(10,),
    )
    network = built(name, model)
    assert np.isfinite(network.parameters.theta).all()
    assert np.isfinite(network.layers[-1].out).all()
    for tensor in network.parameters.weights:
        assert network.parameters.theta[tensor.span].any() == (name != "zeros")


@pytest.mark.parametrize("name", INITIALIZERS)
def test_the_precision_does_not_change_what_is_drawn(name):
    networks = [
        build_network(ModelConfig(hidden=(10,)), (6,), 3, EXAMPLES, dtype=dtype)
        for dtype in (np.float32, np.float64)
    ]
    x = np.random.default_rng(1).standard_normal((EXAMPLES, 6))
    for network in networks:
        start = INITIALIZERS.build(Choice(name))
        network.draw(start, np.random.default_rng(0), x.astype(network.parameters.theta.dtype))
    single, double = (network.parameters.theta for network in networks)
    np.testing.assert_allclose(single, double, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_only_data_dependent_initializers_run_forward(name):
    network = build_network(ModelConfig(hidden=(10,)), (6,), 3, EXAMPLES)
    x = np.ones((EXAMPLES, 6), np.float32)
    network.draw(INITIALIZERS.build(Choice(name)), np.random.default_rng(0), x)
    assert hasattr(network.layers[1], "x") == (name in MEASURED)


@pytest.mark.parametrize("activation", ["ReLU", "leaky ReLU", "PReLU"])
def test_he_keeps_the_size_of_a_signal_through_many_rectifiers(activation):
    network = built("He", ModelConfig(activation=Choice(activation), hidden=(200,) * 10))
    sizes = [np.square(x.out).mean() for x in network.layers if x.name.startswith("dense")]
    assert 0.4 < sizes[-1] / sizes[0] < 2.5


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_gain_of_an_activation_is_at_least_that_of_a_line(activation):
    assert 1 <= ACTIVATIONS.build(Choice(activation)).gain <= RELU

"""Layers apart from their gradients: shapes, batch norm's two modes, dropout, memory."""

import hashlib
import tracemalloc

import numpy as np
import pytest

from engine import Choice, Convolution, ModelConfig, OptimizationConfig, RunConfig
from engine.nn.activations import ACTIVATIONS
from engine.nn.convolution import Conv2D, MaxPool2D, Unflatten
from engine.nn.dropout import Dropout
from engine.nn.initializers import INITIALIZERS
from engine.nn.layers import Dense, Layer
from engine.nn.losses import LOSSES
from engine.nn.network import Network, Parameters
from engine.nn.normalization import EPSILON, NORMALIZATIONS
from engine.training.build_network import build_network
from engine.training.optimizers import OPTIMIZERS
from engine.training.training import Training

NORM = Choice("batch norm")


def built(model: ModelConfig, shape=(3,), batch=8, parameters=None) -> Network:
    network = build_network(model, shape, 2, batch, parameters=parameters, dtype=np.float64)
    if parameters is None:
        x = np.random.default_rng(1).standard_normal((batch, int(np.prod(shape))))
        network.draw(INITIALIZERS.build(Choice("He")), np.random.default_rng(0), x)
    return network


def alone(layer: Layer, **params: np.ndarray) -> Layer:
    """The layer with these parameters, in float64."""
    top = Dense("top", 1, 1, 1, np.float64, first=True)  # a network needs weights
    layers = [layer, top]
    Network(layers, Parameters(layers, np.float64))
    for name, start in layer.starts.items():
        (layer.params if name in layer.params else layer.running)[name][...] = start
    for name, value in params.items():
        layer.params[name][...] = value
    return layer


def called(network: Network, name: str) -> Layer:
    return next(layer for layer in network.layers if layer.name == name)


# ---- shapes -----------------------------------------------------------------------------------


def test_six_filters_of_five_make_28_28_6_of_a_colour_image():
    layer = Conv2D("conv", (3, 32, 32, 2), 6, 5, np.float32, first=True)
    assert layer.out.shape == (6, 28, 28, 2)
    assert sum(np.prod(shape) for shape in layer.shapes.values()) == 6 * (5 * 5 * 3 + 1)


@pytest.mark.parametrize(
    ("pixels", "size", "stride", "padding", "places"),
    [(32, 5, 1, 2, 32), (7, 3, 2, 0, 3), (7, 3, 1, 0, 5), (7, 3, 1, 1, 7), (8, 3, 2, 1, 4)],
)
def test_where_a_window_fits(pixels, size, stride, padding, places):
    layer = Conv2D(
        "conv", (1, pixels, pixels, 1), 1, size, np.float32,
        stride=stride, padding=padding, first=True,
    )  # fmt: skip
    assert layer.out.shape == (1, places, places, 1)


def test_a_window_larger_than_the_image_is_refused():
    with pytest.raises(ValueError, match="a filter of 5 pixels does not fit into an image of 4"):
        Conv2D("conv", (1, 4, 4, 1), 1, 5, np.float32, first=True)


def test_pooling_that_leaves_nothing_is_refused():
    model = ModelConfig(convolutions=(Convolution(filters=2, size=3, pool=4),))
    with pytest.raises(ValueError, match="pooling by 4 leaves nothing of maps of 3 x 3"):
        build_network(model, (5, 5), 2, 1)


def test_convolutions_of_numbers_that_are_no_image_are_refused():
    with pytest.raises(ValueError, match="convolutions need images"):
        build_network(ModelConfig(convolutions=(Convolution(),)), (13,), 2, 1)


def test_unflatten_puts_colours_and_pixels_in_the_right_place():
    layer = Unflatten("image", 2, 3, 3, 2, np.float64)
    images = np.arange(36.0).reshape(2, 2, 3, 3)  # (B, H, W, C)
    maps = layer.forward(images.reshape(2, -1), train=True)
    for b, i, j, c in np.ndindex(images.shape):
        assert maps[c, i, j, b] == images[b, i, j, c]


def test_a_convolution_is_the_weighted_sum_of_each_window():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 5, 6, 3))
    layer = Conv2D("conv", x.shape, 4, 3, np.float64, stride=2, padding=1, first=True)
    alone(layer, W=rng.standard_normal((18, 4)), b=rng.standard_normal(4))
    y = layer.forward(x, train=True)
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    filters = layer.params["W"].reshape(2, 3, 3, 4)
    for f, i, j, b in np.ndindex(y.shape):
        window = padded[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3, b]
        expected = (window * filters[..., f]).sum() + layer.params["b"][f]
        assert y[f, i, j, b] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("convolutions", [(), (Convolution(filters=3, size=2, pool=1),)])
def test_maxout_takes_twice_the_weights_and_shows_as_many_units(convolutions):
    plain, maxout = (
        built(
            ModelConfig(activation=Choice(name), convolutions=convolutions, hidden=(6,)),
            shape=(4, 4),
        )
        for name in ("ReLU", "Maxout")
    )
    hidden = [
        sum(t.span.stop - t.span.start for t in network.parameters.tensors if t.layer != "scores")
        for network in (plain, maxout)
    ]
    assert hidden[1] == 2 * hidden[0]
    for one, other in zip(plain.shown, maxout.shown, strict=True):
        assert one.out.shape == other.out.shape


def test_pooling_passes_the_gradient_to_the_first_maximum():
    layer = MaxPool2D("pool", (1, 3, 5, 1), 2, np.float64)
    x = np.array([[1, 1, 0, 2, 9], [1, 1, 2, 2, 9], [9, 9, 9, 9, 9]], float)
    out = layer.forward(x[None, :, :, None], train=True)
    np.testing.assert_array_equal(out[0, :, :, 0], [[1, 2]])
    dx = layer.backward(np.array([[[3], [4]]], float)[None])
    expected = [[3, 0, 0, 4, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
    np.testing.assert_array_equal(dx[0, :, :, 0], expected)


# ---- batch norm -------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(64, 3), (3, 5, 4, 8)], ids=["flat", "maps"])
def test_batch_norm_gives_each_channel_mean_0_and_deviation_1(shape):
    layer = alone(NORMALIZATIONS.build(NORM)("norm", shape, np.float64))
    x = 5 * np.random.default_rng(0).standard_normal(shape) + 7
    out = layer.forward(x, train=True)
    others = (0,) if len(shape) == 2 else (1, 2, 3)
    np.testing.assert_allclose(out.mean(axis=others), 0, atol=1e-12)
    np.testing.assert_allclose(out.std(axis=others), 1, rtol=1e-6)


def test_batch_norm_of_a_constant_channel_is_its_shift():
    layer = alone(NORMALIZATIONS.build(NORM)("norm", (4, 2), np.float64), beta=[0.5, -1])
    out = layer.forward(np.full((4, 2), 3.0), train=True)
    np.testing.assert_array_equal(out, [[0.5, -1]] * 4)
    assert np.isfinite(layer.backward(np.array([[1, 2], [3, 4], [5, 6], [7, 8.0]]))).all()


def test_batch_norm_uses_running_averages_in_evaluation():
    network = built(ModelConfig(hidden=(5,), normalization=NORM), batch=64)
    x = np.random.default_rng(2).standard_normal((64, 3))
    for _ in range(200):  # the running averages forget their start
        network.forward(x, train=True)
    norm, dense = called(network, "norm 1"), called(network, "dense 1")
    np.testing.assert_allclose(norm.running["mean"], dense.out.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(norm.running["variance"], dense.out.var(axis=0, ddof=1), rtol=1e-6)
    gathered = network.parameters.statistics.copy()
    shifted = network.forward(x + 100, train=False).copy()
    np.testing.assert_array_equal(network.parameters.statistics, gathered)
    assert not np.allclose(shifted, network.forward(x, train=False))  # not by its own statistics
    sums = dense.forward(x[:1].repeat(64, axis=0), train=False)
    alone = (sums - gathered[:5]) / np.sqrt(gathered[5:] + EPSILON)
    np.testing.assert_allclose(norm.forward(sums, train=False), alone, rtol=1e-9)


def test_another_network_shares_running_averages():
    model = ModelConfig(hidden=(5,), normalization=NORM)
    network = built(model, batch=64)
    other = built(model, batch=2, parameters=network.parameters)
    x = 3 + np.random.default_rng(2).standard_normal((64, 3))
    before = other.forward(x[:2], train=False).copy()
    for _ in range(30):
        network.forward(x, train=True)
    after = other.forward(x[:2], train=False)
    assert not np.allclose(after, before)
    np.testing.assert_allclose(after, network.forward(x, train=False)[:2], rtol=1e-12)


def test_redrawing_resets_running_averages():
    network = built(ModelConfig(hidden=(5,), normalization=NORM))
    x = 3 + np.random.default_rng(2).standard_normal((8, 3))
    network.forward(x, train=True)
    network.parameters.theta += 1
    network.draw(INITIALIZERS.build(Choice("He")), np.random.default_rng(0), x)
    norm = called(network, "norm 1")
    np.testing.assert_array_equal(norm.running["mean"], np.zeros(5))
    np.testing.assert_array_equal(norm.running["variance"], np.ones(5))
    np.testing.assert_array_equal(norm.params["gamma"], np.ones(5))
    np.testing.assert_array_equal(norm.params["beta"], np.zeros(5))


# ---- dropout ----------------------------------------------------------------------------------


def dropout(rate: float, seed: int = 0) -> Dropout:
    return Dropout("dropout", rate, (200, 300), np.float64, np.random.default_rng(seed))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_drops_its_share_and_keeps_the_mean(rate):
    x = np.full((200, 300), 2.0)
    layer = dropout(rate)
    out = layer.forward(x, train=True)
    silenced = out == 0
    error = np.sqrt(rate * (1 - rate) / x.size)
    assert silenced.mean() == pytest.approx(rate, abs=4 * error)
    np.testing.assert_allclose(out[~silenced], 2 / (1 - rate), rtol=1e-6)
    assert out.mean() == pytest.approx(2, abs=4 * 2 * error / (1 - rate))
    dx = layer.backward(np.ones_like(x))
    np.testing.assert_array_equal(dx == 0, silenced)
    np.testing.assert_allclose(dx[~silenced], 1 / (1 - rate), rtol=1e-6)


def test_dropout_is_off_in_evaluation():
    x = np.random.default_rng(0).standard_normal((200, 300))
    rng = np.random.default_rng(0)
    layer = Dropout("dropout", 0.5, x.shape, np.float64, rng)
    state = rng.bit_generator.state
    np.testing.assert_array_equal(layer.forward(x, train=False), x)
    assert rng.bit_generator.state == state  # evaluation does not change what training draws


def test_dropout_draws_anew_each_step_and_the_same_from_the_same_seed():
    x = np.ones((200, 300))
    one, other = dropout(0.5), dropout(0.5)
    first = one.forward(x, train=True).copy()
    np.testing.assert_array_equal(first, other.forward(x, train=True))
    second = one.forward(x, train=True).copy()
    assert (first != second).mean() == pytest.approx(0.5, abs=0.02)
    np.testing.assert_array_equal(second, other.forward(x, train=True))


def test_dropout_follows_hidden_layers_only():
    model = ModelConfig(dropout=0.3, hidden=(4, 4), convolutions=(Convolution(size=2),))
    names = [layer.name for layer in built(model, shape=(4, 4)).layers]
    assert [names[i - 1] for i, name in enumerate(names) if "dropout" in name] == [
        "hidden 1",
        "hidden 2",
    ]


# ---- memory -----------------------------------------------------------------------------------

IMAGES = (Convolution(filters=4, size=3, padding=1, pool=2),)
WIDE = 1024  # examples in a batch, and units where parameters are counted
ALLOWED = 250_000  # bytes: block-wise code takes up to three blocks of float32, 197 kB


def most_taken(model: ModelConfig, optimization: OptimizationConfig) -> tuple[int, Training]:
    """The peak of temporary memory, in bytes, during some steps after a warm-up."""
    training = Training(RunConfig(model=model, optimization=optimization), np.float32)
    for _ in range(3):
        training.update()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(3):
            training.update()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak - before, training


@pytest.mark.parametrize(
    "extra",
    [{}, {"normalization": NORM}, {"dropout": 0.5}, {"convolutions": IMAGES}],
    ids=["plain", "batch norm", "dropout", "convolution"],
)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_step_takes_no_memory_that_grows_with_the_batch(activation, extra):
    model = ModelConfig(
        activation=Choice(activation), initializer=Choice("small normal"), hidden=(512,), **extra
    )
    taken, training = most_taken(model, OptimizationConfig(batch_size=WIDE))
    hidden = called(training.network, "hidden 1")
    assert taken < ALLOWED < hidden.out.nbytes / 4


@pytest.mark.parametrize("extra", [{}, {"normalization": NORM}, {"dropout": 0.5}])
@pytest.mark.parametrize("convolutions", [(), IMAGES])
def test_buffers_of_backward_are_allocated_by_the_first_backward(convolutions, extra):
    model = ModelConfig(hidden=(64,), convolutions=convolutions, **extra)
    x, dz = np.ones((WIDE, 64)), np.ones((WIDE, 2))
    tracemalloc.start()
    try:
        network = built(model, shape=(8, 8), batch=WIDE)
        network.forward(x, train=False)
        looking, _ = tracemalloc.get_traced_memory()
        network.forward(x, train=True)
        network.backward(dz)
        training, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    sums = sum(layer.x.nbytes for layer in network.layers[1 if not convolutions else 2 :])
    assert training - looking >= sums > 1e6


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_takes_no_memory_that_grows_with_the_scores(loss):
    z = np.random.default_rng(0).standard_normal((WIDE, 200)).astype(np.float32)
    target = np.eye(200, dtype=np.float32)[np.arange(WIDE) % 200]
    dz, row = np.empty_like(z), np.empty_like(z[:, 0])
    criterion = LOSSES.build(Choice(loss))
    criterion(z, target, dz, row)
    tracemalloc.start()
    try:
        criterion(z, target, dz, row)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < z.nbytes / 20


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_an_optimizer_takes_no_memory_that_grows_with_the_parameters(optimizer):
    taken, training = most_taken(
        ModelConfig(hidden=(WIDE, 512)),
        OptimizationConfig(learning_rate=1e-4, optimizer=Choice(optimizer), batch_size=8),
    )
    assert taken < ALLOWED < training.network.parameters.theta.nbytes / 4


@pytest.mark.parametrize("penalty", ["l2", "l1", "clip", "max_norm"])
def test_a_penalty_takes_no_memory_that_grows_with_the_parameters(penalty):
    optimization = OptimizationConfig(learning_rate=1e-4, batch_size=8, **{penalty: 0.1})
    taken, training = most_taken(ModelConfig(hidden=(WIDE, 512)), optimization)
    assert taken < ALLOWED < training.network.parameters.theta.nbytes / 4


def test_the_gradient_cosine_takes_no_memory_that_grows_with_the_parameters():
    training = Training(RunConfig(model=ModelConfig(hidden=(WIDE, 512))), np.float32)
    for _ in range(2):
        training.compare_next()
        training.update()
    tracemalloc.start()
    try:
        training.compare_next()
        training.update()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < ALLOWED < training.network.parameters.theta.nbytes / 4


def test_a_fingerprint_takes_no_copy_of_the_parameters():
    parameters = Training(
        RunConfig(model=ModelConfig(hidden=(WIDE, 512))), np.float32
    ).network.parameters
    state = parameters.theta.tobytes() + parameters.statistics.tobytes()
    tracemalloc.start()
    try:
        assert parameters.state_digest == hashlib.sha256(state).hexdigest()
        assert parameters.digest
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < ALLOWED < parameters.theta.nbytes / 4


def test_a_temporary_array_would_be_noticed(monkeypatch):
    tanh = ACTIVATIONS["tanh"].make
    monkeypatch.setattr(tanh, "slope", lambda _, z, a, out: np.copyto(out, 1 - a * a))
    model = ModelConfig(activation=Choice("tanh"), hidden=(512,))
    taken, _ = most_taken(model, OptimizationConfig(batch_size=WIDE))
    assert taken > ALLOWED

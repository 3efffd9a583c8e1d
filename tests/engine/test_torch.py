"""The engine against PyTorch 2.13: every activation, layer, loss, optimizer and schedule.

The numbers are frozen in `tests/reference/torch_2_13.npz`, which `torch_reference.py` beside it
makes, and makes again here where PyTorch is installed.
"""

import runpy
from pathlib import Path

import numpy as np
import pytest

from engine import Choice, Convolution, DataConfig, ModelConfig, OptimizationConfig, RunConfig
from engine.nn.activations import ACTIVATIONS, Maxout, PReLU
from engine.nn.convolution import Conv2D, Flatten, MaxPool2D
from engine.nn.initializers import INITIALIZERS
from engine.nn.layers import Dense, Layer, MaxoutLayer, PReLULayer
from engine.nn.losses import LOSSES
from engine.nn.network import Network, Parameters
from engine.nn.normalization import NORMALIZATIONS, BatchNorm
from engine.training.build_network import build_network
from engine.training.optimizers import OPTIMIZERS
from engine.training.schedules import SCHEDULES, warm_up
from engine.training.training import Training

REFERENCE = Path(__file__).parent.parent / "reference"
with np.load(REFERENCE / "torch_2_13.npz") as file:
    FROZEN = dict(file)

EXACT = {"rtol": 1e-9, "atol": 1e-12}
# PyTorch adds 1e-6 to the length of a gradient that it clips, and 1e-7 to that of a column.
NEARLY = {"rtol": 1e-5, "atol": 1e-6}
WITHOUT_COUNTERPART = {"random walk", "LSUV", "data-dependent"}  # see test_initializers.py


def cases(kind: str) -> list[str]:
    """The frozen cases of a kind, as `name|knobs`, or `name|knobs|rest` for training."""
    parts = 2 if kind == "training" else 1
    keys = (key.split("|") for key in FROZEN)
    found = ("|".join(rest[: parts + 1]) for head, *rest in keys if head == kind)
    return list(dict.fromkeys(found))


def arrays(kind: str, case: str) -> dict[str, np.ndarray]:
    prefix = f"{kind}|{case}|"
    return {key[len(prefix) :]: FROZEN[key] for key in FROZEN if key.startswith(prefix)}


def knobs(text: str) -> dict[str, float]:
    pairs = (knob.split("=") for knob in text.split(",") if knob)
    return {name: float(value) for name, value in pairs}


def choice(case: str) -> Choice:
    name, given, *_ = case.split("|")
    return Choice(name, knobs(given))


def names(kind: str) -> set[str]:
    return {case.partition("|")[0] for case in cases(kind)}


# ---- nothing goes without a reference ---------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "entries"),
    [
        ("activation", {name for name in ACTIVATIONS if name != "Maxout"}),  # Maxout is a layer
        ("loss", set(LOSSES)),
        ("training", set(OPTIMIZERS)),
        ("schedule", set(SCHEDULES)),
        ("initializer", set(INITIALIZERS) - WITHOUT_COUNTERPART),
    ],
)
def test_every_entry_has_a_reference(kind, entries):
    missing = entries - names(kind)
    assert not missing, (
        f"no number of PyTorch's to compare {kind} {sorted(missing)} with:"
        " add it to tests/reference/torch_reference.py, and run that where PyTorch is installed"
    )


def test_every_normalization_has_a_reference():
    assert set(NORMALIZATIONS) == {"none", "batch norm"}, (
        "add the new one to tests/reference/torch_reference.py"
    )


def test_the_reference_is_of_the_version_that_the_readme_names():
    assert str(FROZEN["torch"]).startswith("2.13.")


# ---- activations ----------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("activation"))
def test_values_and_slopes(case):
    function = ACTIVATIONS.build(choice(case))
    z = FROZEN["grid"]
    a, slope = np.empty_like(z), np.empty_like(z)
    function.value(z, a)
    function.slope(z, a, slope)
    np.testing.assert_allclose(a, FROZEN[f"activation|{case}|value"], **EXACT)
    np.testing.assert_allclose(slope, FROZEN[f"activation|{case}|slope"], **EXACT)


# ---- layers -----------------------------------------------------------------------------------


def ours(x: np.ndarray) -> np.ndarray:
    """PyTorch's images `(B, C, H, W)` as our maps `(C, H, W, B)`; rows are unchanged."""
    return np.ascontiguousarray(x.transpose(1, 2, 3, 0)) if x.ndim == 4 else x


def ours_W(W: np.ndarray) -> np.ndarray:
    return W.reshape(len(W), -1).T


def prepared(layer: Layer, **given: np.ndarray) -> Layer:
    """The layer with these parameters, and buffers for its gradients."""
    top = Dense("top", 1, 1, 1, np.float64, first=True)  # a network needs weights
    layers = [layer, top]
    Network(layers, Parameters(layers, np.float64))
    for name, view in layer.params.items():
        view[...] = given[name]
        layer.grads[name][...] = np.nan  # gradients are assigned, not added
    for name, view in layer.running.items():
        view[...] = layer.starts.get(name, 0)
    return layer


def compare(layer: Layer, frozen: dict[str, np.ndarray]) -> None:
    """Compare output, input gradient and parameter gradients."""
    np.testing.assert_allclose(
        layer.forward(ours(frozen["x"]), train=True), ours(frozen["y"]), **EXACT
    )
    dx = layer.backward(ours(frozen["dy"]))
    np.testing.assert_allclose(dx, ours(frozen["dx"]), **EXACT)
    for name, gradient in layer.grads.items():
        np.testing.assert_allclose(gradient, frozen[f"d{name}"], **EXACT)


def test_a_dense_layer():
    frozen = arrays("layer", "dense|")
    layer = Dense("dense", 4, 3, 5, np.float64, first=False)
    compare(prepared(layer, **frozen), frozen)


@pytest.mark.parametrize("case", [c for c in cases("layer") if c.startswith("convolution")])
def test_a_convolution(case):
    frozen, given = arrays("layer", case), knobs(case.partition("|")[2])
    frozen["W"], frozen["dW"] = ours_W(frozen["W"]), ours_W(frozen["dW"])
    layer = Conv2D(
        "conv", ours(frozen["x"]).shape, 2, 3, np.float64,
        stride=int(given["stride"]), padding=int(given["padding"]), first=False,
    )  # fmt: skip
    compare(prepared(layer, **frozen), frozen)


@pytest.mark.parametrize("case", [c for c in cases("layer") if c.startswith("pooling")])
def test_pooling(case):
    frozen, given = arrays("layer", case), knobs(case.partition("|")[2])
    layer = MaxPool2D("pool", ours(frozen["x"]).shape, int(given["size"]), np.float64)
    compare(prepared(layer), frozen)


@pytest.mark.parametrize("case", [c for c in cases("layer") if c.startswith("batch norm")])
def test_batch_norm(case):
    frozen, given = arrays("layer", case), knobs(case.partition("|")[2])
    fresh = ours(frozen["fresh"])
    layer = prepared(BatchNorm("norm", fresh.shape, np.float64, **given), **frozen)
    for batch, expected in zip(frozen["batches"], frozen["trained"], strict=True):
        np.testing.assert_allclose(layer.forward(ours(batch), train=True), ours(expected), **EXACT)
    for name in ("mean", "variance"):
        np.testing.assert_allclose(layer.running[name], frozen[name], **EXACT)
    np.testing.assert_allclose(layer.forward(fresh, train=False), ours(frozen["looked"]), **EXACT)
    compare(layer, frozen)


@pytest.mark.parametrize("layout", ["flat", "maps"])
def test_learned_slopes(layout):
    frozen = arrays("layer", f"learned slope, {layout}|")
    layer = PReLULayer("slopes", PReLU().start, ours(frozen["x"]).shape, np.float64)
    compare(prepared(layer, **frozen), frozen)


@pytest.mark.parametrize("layout", ["flat", "maps"])
def test_maxout(layout):
    frozen = arrays("layer", f"maxout, {layout}|")
    assert isinstance(ACTIVATIONS.build(Choice("Maxout")), Maxout)
    compare(prepared(MaxoutLayer("larger", ours(frozen["y"]).shape, np.float64)), frozen)


def test_the_order_in_which_maps_are_flattened():
    frozen = arrays("layer", "flatten|")
    compare(prepared(Flatten("flatten", ours(frozen["x"]).shape, np.float64)), frozen)


def test_a_whole_convolutional_network():
    frozen = {key.removeprefix("whole|"): FROZEN[key] for key in FROZEN if key[:6] == "whole|"}
    model = ModelConfig(
        activation=Choice("tanh"),
        normalization=Choice("batch norm"),
        convolutions=(
            Convolution(filters=3, size=3, stride=1, padding=1, pool=2),
            Convolution(filters=2, size=2, stride=2, padding=0, pool=1),
        ),
        hidden=(5,),
    )
    network = build_network(model, (9, 8, 2), 3, 4, dtype=np.float64)
    learning = [layer for layer in network.layers if layer.shapes]
    places = dict.fromkeys(key.partition(".")[0] for key in frozen if key[0].isdigit())
    pairs = [
        (layer, name, f"{place}.{theirs}")
        for layer, place in zip(learning, places, strict=True)
        for name, theirs in zip(layer.shapes, ("weight", "bias"), strict=True)
    ]
    for layer, name, key in pairs:
        layer.params[name][...] = ours_W(frozen[key]) if name == "W" else frozen[key]
    network.parameters.grad[...] = np.nan
    scores = network.forward(frozen["x"].reshape(4, -1), train=True)
    np.testing.assert_allclose(scores, frozen["scores"], **EXACT)
    dz = np.empty((4, 3))
    criterion = LOSSES.build(Choice("softmax cross-entropy"))
    loss = criterion(scores, np.eye(3)[frozen["labels"]], dz, np.empty(4))
    np.testing.assert_allclose(loss, frozen["loss"], **EXACT)
    network.backward(dz)
    for layer, name, key in pairs:
        expected = frozen[f"d{key}"]
        np.testing.assert_allclose(
            layer.grads[name], ours_W(expected) if name == "W" else expected, **EXACT
        )


# ---- losses ---------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("loss"))
def test_losses(case):
    frozen = arrays("loss", case)
    dz, row = (np.full(shape, np.nan) for shape in ((7, 4), 7))
    loss = LOSSES.build(Choice(case.partition("|")[0]))(frozen["z"], frozen["target"], dz, row)
    np.testing.assert_allclose(loss, frozen["value"], **EXACT)
    np.testing.assert_allclose(dz, frozen["dz"], **EXACT)


# ---- training ---------------------------------------------------------------------------------


class Given:
    """Returns the frozen mini-batches in place of random ones."""

    def __init__(self) -> None:
        self._batches = zip(FROZEN["start|x"], FROZEN["start|target"], strict=True)
        self.x, self.target = (np.empty_like(FROZEN[f"start|{key}"][0]) for key in ("x", "target"))

    def advance(self) -> None:
        self.x[...], self.target[...] = next(self._batches)


@pytest.mark.parametrize("case", cases("training"))
def test_twenty_steps(case):
    optimization = OptimizationConfig(
        **{"learning_rate": 0.1, "l2": 0.0, "batch_size": 6, "optimizer": choice(case)}
        | knobs(case.split("|")[2])
    )
    model = ModelConfig(activation=Choice("tanh"), hidden=(5,))
    data = DataConfig(dataset=Choice("iris"))  # also 4 inputs and 3 classes
    training = Training(RunConfig(data=data, model=model, optimization=optimization), np.float64)
    training.batches = Given()
    first, _, last = training.network.layers
    tensors = {
        "W1": first.params["W"],
        "b1": first.params["b"],
        "W2": last.params["W"],
        "b2": last.params["b"],
    }
    for name, tensor in tensors.items():
        tensor[...] = FROZEN[f"start|{name}"]
    losses = [training.update() for _ in FROZEN["start|x"]]
    tolerance = NEARLY if "clip" in case or "max_norm" in case else EXACT
    frozen = arrays("training", case)
    np.testing.assert_allclose(losses[-1], frozen["loss"], **tolerance)
    for name, tensor in tensors.items():
        np.testing.assert_allclose(tensor, frozen[name], **tolerance)


@pytest.mark.parametrize("case", [c for c in cases("schedule") if not c.startswith("warm-up")])
def test_schedules(case):
    schedule = SCHEDULES.build(choice(case))
    frozen = FROZEN[f"schedule|{case}|factors"]
    np.testing.assert_allclose([schedule(step) for step in range(41)], frozen, **EXACT)


def test_the_cosine_stays_at_0_where_that_of_pytorch_rises():
    schedule = SCHEDULES.build(Choice("cosine", {"length": 40}))
    np.testing.assert_allclose([schedule(step) for step in (40, 41, 60, 80)], 0, atol=1e-15)


def test_warming_up():
    frozen = FROZEN["schedule|warm-up|length=10|factors"]
    np.testing.assert_allclose([warm_up(step, 10) for step in range(41)], frozen, **EXACT)


# ---- initializers -----------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("initializer"))
@pytest.mark.parametrize("kind", ["dense", "convolution"])
def test_initializers(case, kind):
    if kind == "dense":
        layer = Dense("dense", 300, 200, 1, np.float64, first=True, gain=np.sqrt(2))
    else:
        layer = Conv2D("conv", (12, 5, 5, 1), 40, 5, np.float64, first=True, gain=np.sqrt(2))
    assert [layer.fan_in, layer.fan_out] == FROZEN[f"fans|{kind}"].tolist()
    prepared(layer, W=np.full(layer.shapes["W"], np.nan), b=np.zeros(layer.shapes["b"]))
    x = np.zeros((1, 300) if kind == "dense" else (12, 5, 5, 1))
    INITIALIZERS.build(choice(case))(np.random.default_rng(0), layer, lambda: x)
    W = layer.params["W"]
    deviation, largest, *stretch = FROZEN[f"initializer|{case}|{kind}"]
    # The standard deviations of two such samples differ by at most 1 / sqrt(samples).
    np.testing.assert_allclose(W.std(), deviation, rtol=4 / np.sqrt(W.size), atol=1e-12)
    assert abs(W.mean() - 0.01 * ("constant" in case)) <= 5 * deviation / np.sqrt(W.size)
    if "uniform" in case:
        np.testing.assert_allclose(np.abs(W).max(), largest, rtol=1e-2)
    if "orthogonal" in case:
        stretched = np.linalg.svd(W, compute_uv=False)
        np.testing.assert_allclose([stretched.min(), stretched.max()], stretch, rtol=1e-12)


# ---- the numbers themselves -------------------------------------------------------------------


def test_pytorch_still_gives_the_frozen_numbers():
    pytest.importorskip("torch", reason="PyTorch is not installed; the frozen numbers stand for it")
    live = runpy.run_path(str(REFERENCE / "torch_reference.py"))["everything"]()
    assert set(live) == set(FROZEN)
    for key in set(live) - {"torch"}:
        np.testing.assert_allclose(live[key], FROZEN[key], rtol=1e-9, atol=1e-12, err_msg=key)

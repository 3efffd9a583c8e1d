"""The views of the panel "Inside", without a browser, against independent numbers."""

import functools
import math

import msgspec
import numpy as np
import pytest

from app import numbers, palette, theme
from app.plots import view_of
from engine import (
    Choice,
    Experiment,
    LookBack,
    ModelConfig,
    Play,
    RunConfig,
    SetKnob,
    Snapshot,
    percent,
)
from engine.training.config_sections import OptimizationConfig
from tests.app.view_contract import check_view, part
from tests.pairwise import pairwise

INSIDE = ("signal", "health", "functions", "network", "cost", "autopsy")
LOOKS = frozenset({"preactivations", "signal_theory", "model_summary"})
TEN = ModelConfig(hidden=(50,) * 10, activation=Choice("tanh"), initializer=Choice("unit normal"))
CONVOLUTIONAL = (
    RunConfig(model=ModelConfig(hidden=(20,), dropout=0.25, normalization=Choice("batch norm")))
    .replace("data.dataset", Choice("Fashion-MNIST"))
    .replace("model.convolutions", "8 of 5x5")
)
CASES = {
    "default": RunConfig(),
    "no hidden layer": RunConfig(model=ModelConfig(hidden=())),
    "ten": RunConfig(model=TEN),
    "64 layers": RunConfig(model=ModelConfig(hidden=(4,) * 64)),
    "convolutional": CONVOLUTIONAL,
    "PReLU": RunConfig(model=ModelConfig(activation=Choice("PReLU"))),
    "Maxout": RunConfig(model=ModelConfig(activation=Choice("Maxout"))),
    "values": RunConfig(optimization=OptimizationConfig(loss=Choice("mean squared error"))).replace(
        "data.dataset", Choice("plane")
    ),
    "diverged": RunConfig(optimization=OptimizationConfig(learning_rate=1e5)),
}


def seen(config: RunConfig, steps: int = 0) -> Snapshot:
    experiment = Experiment(config)
    experiment.train(steps)
    return experiment.snapshot(LOOKS)


@functools.cache
def begun(case: str, looked: bool) -> Snapshot:
    """The run of a case after a few steps: built once for all views."""
    experiment = Experiment(CASES[case])
    experiment.train(3)
    return experiment.snapshot(LOOKS if looked else frozenset())


@pytest.mark.parametrize(("name", "case", "looked"), pairwise(INSIDE, CASES, [True, False]))
def test_a_view_fills_exactly_what_it_draws(name, case, looked):
    check_view(name, begun(case, looked))


# ---- signal -------------------------------------------------------------------------------------


def test_signal_shows_the_inputs_and_each_layer_forward_and_backward():
    experiment = Experiment(RunConfig())
    experiment.train(40)
    snapshot = experiment.snapshot(LOOKS)
    shown = part("signal", snapshot).set["signal"]
    x = experiment.data.train.x[:512]
    assert shown["layer"] == [0, 1, 2, 3]
    assert shown["forward"][0] == pytest.approx(np.std(x.astype(float)), rel=1e-3)
    for column, name in (("forward", "std"), ("backward", "backward")):
        told = [getattr(layer, name) for layer in snapshot.layers]
        assert shown[column][1:] == pytest.approx(told, rel=1e-3)
    assert shown["backward"][0] is None


@pytest.mark.parametrize("activation", ["ReLU", "tanh", "GELU"])
def test_theory_agrees_with_a_fresh_wide_network(activation):
    model = ModelConfig(hidden=(400, 300, 500, 400), activation=Choice(activation))
    snapshot = seen(RunConfig(model=model).replace("optimization.learning_rate", 1e-6), 1)
    columns = part("signal", snapshot).set
    measured, theory = columns["signal"], columns["signal.theory"]
    assert theory["forward"] == pytest.approx(measured["forward"], rel=0.2)
    assert theory["backward"][1:] == pytest.approx(measured["backward"][1:], rel=0.2)


def test_the_prediction_is_fixed_and_its_backward_line_ends_at_the_current_gradient():
    experiment = Experiment(RunConfig())
    first = experiment.snapshot(LOOKS).on_demand.signal_theory
    experiment.train(300)
    snapshot = experiment.snapshot(LOOKS)
    assert snapshot.on_demand.signal_theory is first
    columns = part("signal", snapshot).set
    assert columns["signal.theory"]["backward"][-1] == columns["signal"]["backward"][-1]
    experiment.apply(SetKnob("model.initializer", Choice("small normal")))
    assert experiment.snapshot(LOOKS).on_demand.signal_theory.forward[0] < 0.5 * first.forward[0]


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (ModelConfig(activation=Choice("Maxout")), "Maxout"),
        (ModelConfig(normalization=Choice("batch norm")), "normalization"),
        (ModelConfig(initializer=Choice("zeros")), "not drawn around 0"),
        (ModelConfig(hidden=(3, 3), initializer=Choice("constant")), "not drawn around 0"),
        (ModelConfig(initializer=Choice("data-dependent")), "biases"),
    ],
    ids=["Maxout", "batch norm", "zeros", "constant", "data-dependent"],
)
def test_where_the_theory_does_not_apply_a_note_replaces_the_line(model, words):
    told = part("signal", seen(RunConfig(model=model)))
    assert told.set["signal.theory"]["layer"] == []
    assert words in told.text["signal.theory"]
    assert told.text["signal.theory"].startswith("none")


@pytest.mark.parametrize(
    "initializer", ["He", "Xavier uniform", "orthogonal", "LSUV", "small normal", "random walk"]
)
def test_theory_holds_for_all_initializers_with_mean_0(initializer):
    model = ModelConfig(initializer=Choice(initializer))
    assert part("signal", seen(RunConfig(model=model))).set["signal.theory"]["forward"]


# ---- health -------------------------------------------------------------------------------------


def test_health_shows_counted_shares():
    experiment = Experiment(RunConfig())
    first = experiment.network.layers[0]
    first.params["b"][:16] = -100.0  # a quarter of 64 units is always 0
    snapshot = experiment.snapshot(LOOKS)
    told = part("health", snapshot)
    assert told.set["health.dead"]["share"][0] == pytest.approx(0.25, abs=0.02)
    assert told.set["health.zero"]["share"][0] > 0.25
    assert told.set["health.saturated"]["share"] == [None, None]
    assert "cannot saturate" in told.set["health.saturated.empty"]["words"][0]
    assert told.text["health.saturated"] == "–"


def test_bars_have_the_warning_colour_where_the_diagnosis_warns():
    snapshot = seen(RunConfig(model=TEN))
    bars = part("health", snapshot).set["health.saturated"]
    (finding,) = [x for x in snapshot.findings if x.rule == "saturation"]
    for share, colour in zip(bars["share"], bars["colour"], strict=True):
        assert (colour == palette.ACCENT) == (share > finding.band[1])
    experiment = Experiment(RunConfig())
    experiment.network.layers[0].params["b"][:40] = -100.0
    snapshot = experiment.snapshot()
    (finding,) = [x for x in snapshot.findings if x.rule == "dead units"]
    bars = part("health", snapshot).set["health.dead"]
    assert (bars["colour"][0], bars["colour"][1]) == (palette.ACCENT, palette.colour(1))
    assert bars["share"][0] > finding.band[1] > bars["share"][1]


# ---- functions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("activation", "value", "slope"),
    [
        ("tanh", math.tanh, lambda x: 1 / math.cosh(x) ** 2),
        ("sigmoid", lambda x: 1 / (1 + math.exp(-x)), None),
        ("ReLU", lambda x: max(0, x), lambda x: float(x > 0)),
        ("softplus", lambda x: math.log1p(math.exp(x)), lambda x: 1 / (1 + math.exp(-x))),
    ],
)
def test_the_activation_curve_agrees_with_its_formula(activation, value, slope):
    snapshot = seen(RunConfig(model=ModelConfig(activation=Choice(activation))))
    curve = part("functions", snapshot).set["functions"]
    assert (curve["x"][0], curve["x"][-1]) == (-10, 10)
    assert curve["value"] == pytest.approx([value(x) for x in curve["x"]], rel=1e-3, abs=1e-9)
    if slope:
        assert curve["slope"] == pytest.approx([slope(x) for x in curve["x"]], rel=1e-3, abs=3e-4)


def sums_by_hand(experiment: Experiment) -> np.ndarray:
    """The preactivations of the first hidden layer on the first 128 training examples."""
    params = experiment.network.layers[0].params
    return experiment.data.train.x[:128] @ params["W"] + params["b"]


def test_preactivations_are_those_of_the_first_training_examples():
    experiment = Experiment(RunConfig(model=ModelConfig(activation=Choice("tanh"))))
    experiment.train(50)
    snapshot = experiment.snapshot(LOOKS)
    z = sums_by_hand(experiment)
    counts, _ = np.histogram(z, bins=80, range=(-10, 10))
    (first, _) = snapshot.on_demand.preactivations.layers
    np.testing.assert_allclose(first.counts, counts, atol=2)
    assert first.counts.sum() + first.below + first.above == z.size
    assert first.flat == pytest.approx(np.mean(1 - np.tanh(z) ** 2 < 0.05), abs=1e-4)
    drawn = part("functions", snapshot).set["functions.sums"]
    assert drawn["x"][0] == -9.875
    tallest = max(layer.counts.max() for layer in snapshot.on_demand.preactivations.layers)
    np.testing.assert_allclose(drawn["layer0"], 100 * counts / tallest, atol=2)


def test_units_on_flat_parts_are_counted():
    experiment = Experiment(RunConfig(model=TEN))
    snapshot = experiment.snapshot(LOOKS)
    told = part("functions", snapshot)
    flat = np.mean(1 - np.tanh(sums_by_hand(experiment)) ** 2 < 0.05)
    assert told.set["functions.flat"]["length"][0] == pytest.approx(flat, abs=0.002)
    assert told.set["functions.flat"]["words"][0] == numbers.percent(flat)
    shares = {
        x.name: (x.below + x.above) / (x.below + x.above + x.counts.sum())
        for x in snapshot.on_demand.preactivations.layers
    }
    most = max(shares, key=lambda name: shares[name])
    assert told.text["functions.beyond"] == f"{numbers.percent(shares[most])} in {most}"


def test_a_learned_slope_is_current_and_maxout_is_never_flat():
    experiment = Experiment(RunConfig(model=ModelConfig(activation=Choice("PReLU"))))
    slopes = [x.params["slope"] for x in experiment.network.layers if "slope" in x.params]
    slopes[0][...], slopes[1][...] = 0.9, 0.01
    snapshot = experiment.snapshot(LOOKS)
    curve = part("functions", snapshot).set["functions"]
    assert curve["slope"][0] == pytest.approx(0.455, rel=1e-3)
    first, second = snapshot.on_demand.preactivations.layers
    assert first.flat == 0
    assert 0.3 < second.flat < 0.7
    drawn = view_of("functions")(snapshot, theme.PROJECTOR).figures[0].renderers
    (began,) = (x.data_source.data for x in drawn if getattr(x.glyph, "line_dash", "") == [2, 4])
    assert min(began["y"]) == pytest.approx(0.25 * min(began["x"]))
    maxout = seen(RunConfig(model=ModelConfig(activation=Choice("Maxout"))))
    assert [layer.flat for layer in maxout.on_demand.preactivations.layers] == [0, 0]


# ---- network and cost ---------------------------------------------------------------------------


def test_the_network_summary_has_sizes_worked_out_by_hand():
    told = part("network", seen(RunConfig()))
    assert told.set["network.boxes"]["size"] == ["8×8", "64", "64", "10"]
    assert told.set["network.words"]["parameters"] == ["4,160", "4,160", "650"]
    assert told.set["network.words"]["then"] == ["ReLU", "ReLU", ""]
    assert told.text["network.parameters"] == "8,970"
    assert told.text["network.work"] == f"{64 * 64 + 64 * 64 + 64 * 10:,}"


def test_the_network_summary_of_a_convolutional_network():
    snapshot = seen(CONVOLUTIONAL)
    told = part("network", snapshot)
    assert told.set["network.boxes"]["name"] == ["input", "maps 1", "hidden 1", "scores"]
    assert told.set["network.boxes"]["size"] == ["28×28", "12×12×8", "20", "10"]
    assert told.set["network.words"]["weights"] == ["filters 5×5", "dense", "dense"]
    assert told.set["network.words"]["then"] == [
        "batch norm, ReLU, pool 2×2",
        "batch norm, ReLU, dropout 0.25",
        "",
    ]
    filters, dense, scores = 25 * 8 + 8 + 16, 12 * 12 * 8 * 20 + 20 + 40, 20 * 10 + 10
    assert told.text["network.parameters"] == f"{filters + dense + scores:,}"
    work = 24 * 24 * 25 * 8 + 12 * 12 * 8 * 20 + 200
    assert told.text["network.work"] == f"{work:,}"


def test_a_taller_box_holds_more_and_a_darker_link_more_parameters():
    told = part("network", seen(RunConfig(model=ModelConfig(hidden=(200, 5))))).set
    inputs, large, small, scores = told["network.boxes"]["height"]
    assert large > inputs > scores > small > 0
    assert told["network.links"]["alpha"][0] == max(told["network.links"]["alpha"])


def test_cost_shows_the_time_of_a_step_and_an_epoch_and_the_work():
    running: list[Experiment] = []
    experiment = Experiment(RunConfig(), work=lambda: 0.004 * sum(e.step for e in running))
    running.append(experiment)
    experiment.apply(Play())
    experiment.advance(0.4)  # a step takes 4 ms
    snapshot = experiment.cached_snapshot(LOOKS)
    experiment.advance(0.4)
    snapshot = experiment.cached_snapshot(LOOKS)
    told = part("cost", snapshot).text
    assert told["cost.step"] == "4 ms"
    epoch = 0.004 * (snapshot.data.training // 32)
    assert told["cost.epoch"] == f"{1000 * epoch:.3g} ms"
    assert told["cost.work"] == f"{3 * 32 * 8832:,}"
    assert told["cost.watching"] == numbers.decimal_percent(snapshot.metrics.cost)
    assert told["cost.noise"] == numbers.count(snapshot.metrics.noise_scale)


def test_cost_has_no_noise_scale_where_batch_norm_couples_the_examples():
    snapshot = seen(RunConfig(model=ModelConfig(normalization=Choice("batch norm"))), 5)
    assert part("cost", snapshot).text["cost.noise"] == "–"


def test_cost_compares_instruments_and_layers():
    snapshot = seen(RunConfig(), 5)
    snapshot = msgspec.structs.replace(snapshot, costs={"quick": 1e-4, "slow": 2e-3})
    told = part("cost", snapshot).set
    assert told["cost"]["length"] == [0.05, 1]
    assert told["cost"]["words"] == ["100 µs", "2 ms"]
    assert told["cost.work"]["words"] == list(map(percent, (0.46, 0.46, 0.07)))


# ---- autopsy ------------------------------------------------------------------------------------


def test_a_healthy_run_has_no_autopsy_and_says_so():
    told = part("autopsy", seen(RunConfig(), 20))
    assert told.set["autopsy"]["step"] == []
    assert "not diverged" in told.text["autopsy.where"]


def test_a_divergence_shows_its_last_steps():
    experiment = Experiment(RunConfig())
    experiment.train(100)
    experiment.apply(SetKnob("optimization.learning_rate", 1e4))
    experiment.train(100)
    snapshot = experiment.snapshot(LOOKS)
    told, found = part("autopsy", snapshot), snapshot.autopsy
    lines = told.set["autopsy"]
    assert lines["step"] == found.steps.tolist()
    assert lines["loss"][:-1] == pytest.approx(found.loss[:-1], rel=1e-3)
    for name in ("weights", "gradient", "update"):
        norms = np.linalg.norm(getattr(found, name)[:-1], axis=1)
        assert lines[name][:-1] == pytest.approx(norms, rel=1e-3)
    ratios = found.update[:-1, 1] / found.weights[:-1, 1]
    assert told.set["autopsy.ratios"]["W2"][:-1] == pytest.approx(ratios, rel=1e-3)
    assert told.set["autopsy.end"]["step"] == [experiment.step]
    assert f"Step {found.fault.step}" in told.text["autopsy.where"]
    assert found.fault.layer in told.text["autopsy.where"]
    assert part("network", snapshot).text["network.parameters"] == "8,970"  # diverged, too
    experiment.apply(LookBack(50))
    experiment.advance(1e6)
    before = part("autopsy", experiment.snapshot(LOOKS))
    assert before.text["autopsy.where"].startswith("At step 50 nothing has diverged yet")

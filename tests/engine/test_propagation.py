"""The lecture's ten layers of 500 units: its printed figures, and the theory's predictions."""

import math

import numpy as np
import pytest

from engine import Choice, Experiment, Laboratory, ModelConfig
from engine.lessons import slides
from engine.measure.propagation import measure_signal, predict_backward, predict_signal

# Standard deviation of each layer's activations, as the slides print it (LECTURE, section 4).
SLIDES = {
    ("tanh", "small normal"): [
        *(0.213081, 0.047551, 0.010630, 0.002378, 0.000532),
        *(0.000119, 0.000026, 0.000006, 0.000001, 0.000000),
    ],
    ("tanh", "unit normal"): [
        *(0.981879, 0.981649, 0.981601, 0.981755, 0.981614),
        *(0.981560, 0.981520, 0.981913, 0.981728, 0.981736),
    ],
    ("tanh", "Xavier"): [
        *(0.627953, 0.486051, 0.407723, 0.357108, 0.320917),
        *(0.292116, 0.273387, 0.254935, 0.239266, 0.228008),
    ],
    ("ReLU", "Xavier"): [
        *(0.582273, 0.403795, 0.276912, 0.198685, 0.140299),
        *(0.103280, 0.072748, 0.051572, 0.038583, 0.026076),
    ],
    ("ReLU", "He"): [
        *(0.825232, 0.827835, 0.813855, 0.826902, 0.834092),
        *(0.860035, 0.870610, 0.889348, 0.845357, 0.844523),
    ],
}
HE_MEANS = [
    *(0.562488, 0.553614, 0.545867, 0.565396, 0.547678),
    *(0.587103, 0.596867, 0.623214, 0.567498, 0.552531),
]
# The measured relative spread between seeds, at layers 1 and 10.
SPREADS = {
    ("tanh", "small normal"): (0.004, 0.01),
    ("tanh", "unit normal"): (0.001, 0.001),
    ("tanh", "Xavier"): (0.004, 0.01),
    ("ReLU", "Xavier"): (0.003, 0.10),
    ("ReLU", "He"): (0.002, 0.12),
}
PRINTED = 0.5e-6  # the slides round to six decimals


def model(activation: str, initializer: str) -> ModelConfig:
    return ModelConfig(
        activation=Choice(activation), initializer=Choice(initializer), hidden=(500,) * 10
    )


def inputs(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((1000, 500)).astype(np.float32)


@pytest.mark.parametrize("case", SLIDES, ids=" ".join)
def test_the_slides_standard_deviations_are_reproduced(case):
    signals = measure_signal(model(*case), inputs(0), np.random.default_rng(1))
    spreads = np.linspace(*SPREADS[case], 10)
    for signal, printed, spread in zip(signals, SLIDES[case], spreads, strict=True):
        assert abs(signal.std - printed) <= 4 * spread * printed + PRINTED, signal.name


def test_the_slides_means_are_reproduced():
    signals = measure_signal(model("ReLU", "He"), inputs(0), np.random.default_rng(1))
    spreads = np.linspace(*SPREADS["ReLU", "He"], 10)
    for signal, printed, spread in zip(signals, HE_MEANS, spreads, strict=True):
        assert signal.mean == pytest.approx(printed, rel=4 * spread)
    tanh = measure_signal(model("tanh", "Xavier"), inputs(0), np.random.default_rng(1))
    assert max(abs(signal.mean) for signal in tanh) < 0.001


@pytest.mark.parametrize("case", SLIDES, ids=" ".join)
def test_theory_agrees_with_measurement(case):
    signals = measure_signal(model(*case), inputs(2), np.random.default_rng(3))
    theory = predict_signal(Choice(case[0]), [signal.variance_gain for signal in signals])
    # Width 500 is not infinite: with ReLU, which is unbounded, the deviation grows with depth.
    tolerances = np.linspace(0.01, 0.17 if case[0] == "ReLU" else 0.02, 10)
    for signal, moments, tolerance in zip(signals, theory, tolerances, strict=True):
        assert signal.std == pytest.approx(moments.std, rel=tolerance)


def test_theory_agrees_with_known_results():
    he = predict_signal(Choice("ReLU"), [2.0] * 10)
    assert [m.mean**2 + m.std**2 for m in he] == pytest.approx([1.0] * 10, rel=1e-6)
    assert [m.backward for m in he] == pytest.approx([1.0] * 10, rel=1e-6)
    xavier = predict_signal(Choice("ReLU"), [1.0] * 10)
    squares = [m.mean**2 + m.std**2 for m in xavier]
    assert squares == pytest.approx([0.5**n for n in range(1, 11)], rel=1e-6)
    saturated = predict_signal(Choice("tanh"), [500.0])
    assert saturated[0].std == pytest.approx(0.982, abs=0.0005)


# ---- backward, and the lab ----------------------------------------------------------------------


def lab(activation: str, initializer: str, **size: int) -> Laboratory:
    return Laboratory(activation=Choice(activation), initializer=Choice(initializer), **size)


@pytest.mark.parametrize("case", SLIDES, ids=" ".join)
def test_theory_agrees_with_measured_backward_gradients(case):
    for layer in lab(*case).show().layers:
        assert layer.backward == pytest.approx(layer.expected_backward, rel=0.25), layer.name


def test_a_backward_gradient_is_a_product_of_weight_matrices():
    x = np.random.default_rng(0).standard_normal((50, 40))
    linear = ModelConfig(
        activation=Choice("identity"), initializer=Choice("orthogonal"), hidden=(40,) * 5
    )
    signals = measure_signal(linear, x, np.random.default_rng(1))
    # Rotations preserve norms, also backward.
    assert [s.backward for s in signals] == pytest.approx([signals[-1].backward] * 5, rel=0.01)
    moments = predict_signal(Choice("identity"), [4.0] * 3)
    assert predict_backward(moments) == pytest.approx([4.0, 2.0, 1.0])


def test_the_engines_copy_of_the_slides_is_correct():
    assert {case: list(column) for case, column in slides.STDS.items()} == SLIDES
    assert list(slides.MEANS["ReLU", "He"]) == HE_MEANS


@pytest.mark.parametrize("case", SLIDES, ids=" ".join)
def test_the_lab_puts_the_slides_figures_beside_its_own(case):
    report = lab(*case).show()
    assert [layer.slide_std for layer in report.layers] == SLIDES[case]
    if case == ("ReLU", "He"):
        assert [layer.slide_mean for layer in report.layers] == HE_MEANS
        assert report.layers[0].mean == pytest.approx(report.layers[0].expected_mean, rel=0.02)
    assert report.input_std == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    "other",
    [
        lab("tanh", "Xavier", depth=5),
        lab("tanh", "Xavier", width=100),
        lab("tanh", "He"),
        Laboratory(initializer=Choice("Xavier", {"scale": 2.0})),
    ],
    ids=["depth", "width", "initializer", "scale"],
)
def test_other_experiments_have_no_slide_figures(other):
    report = other.show()
    assert len(report.layers) == other.depth
    assert all(math.isnan(layer.slide_std) for layer in report.layers)


@pytest.mark.parametrize("activation", ["tanh", "ReLU", "PReLU", "Maxout", "sigmoid"])
def test_the_lab_works_with_every_activation(activation):
    report = lab(activation, "Xavier", depth=3, width=60).show()
    edges = report.layers[0].edges
    for layer in report.layers:
        assert np.array_equal(layer.edges, edges)  # comparable
        assert layer.counts.sum() == round((1 - layer.zero) * report.examples * 60)
        assert not layer.counts.flags.writeable
        assert math.isnan(layer.expected_std) == (activation == "Maxout")


def test_training_from_the_lab_has_its_layers(config):
    from_here = lab("tanh", "small normal", depth=3, width=20).train_from_here(config)
    assert from_here.model.hidden == (20, 20, 20)
    assert from_here.model.activation == Choice("tanh")
    assert from_here.data == config.data
    experiment = Experiment(from_here)
    experiment.train(5)
    assert experiment.step == 5

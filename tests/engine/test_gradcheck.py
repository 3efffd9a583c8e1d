"""The gradient check passes on a correct network and finds every injected fault."""

import numpy as np
import pytest

from engine import (
    Choice,
    Convolution,
    DataConfig,
    Experiment,
    ModelConfig,
    OptimizationConfig,
    RunConfig,
)
from engine.diagnosis.gradcheck import GradientCheck, check_gradients
from engine.nn.activations import ACTIVATIONS
from engine.nn.convolution import Conv2D
from engine.nn.losses import LOSSES
from engine.training.training import Training

MODELS = {
    "dense": ModelConfig(hidden=(16, 12)),
    "smooth": ModelConfig(activation=Choice("GELU"), hidden=(16, 12)),
    "normalized": ModelConfig(
        activation=Choice("tanh"), normalization=Choice("batch norm"), dropout=0.3, hidden=(12, 12)
    ),
    "convolutional": ModelConfig(
        activation=Choice("Maxout"), convolutions=(Convolution(filters=3, size=3),), hidden=(10,)
    ),
}


def some_training(model: ModelConfig, dtype=np.float32, steps: int = 20, **changed) -> Training:
    training = Training(RunConfig(model=model, optimization=OptimizationConfig(**changed)), dtype)
    for _ in range(steps):
        training.update()
    return training


def checked(training: Training, coordinates: int = 60) -> GradientCheck:
    return check_gradients(training, np.random.default_rng(0), coordinates)


@pytest.mark.parametrize("loss", ["softmax cross-entropy", "multiclass hinge"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", MODELS)
def test_a_healthy_run_passes(name, dtype, loss):
    outcome = checked(some_training(MODELS[name], dtype, loss=Choice(loss)))
    errors = np.array([check.error for check in outcome.checks if not check.kink])
    assert len(errors) > 50
    assert np.mean(errors <= 1e-7) > 0.8
    assert 0 < outcome.error <= 1e-7


def test_every_tensor_is_checked():
    training = some_training(MODELS["normalized"])
    tensors = training.network.parameters.tensors
    checks = checked(training, 2 * len(tensors)).checks
    assert len(checks) == 2 * len(tensors)
    assert {(c.layer, c.tensor) for c in checks} == {(t.layer, t.name) for t in tensors}
    sizes = {(t.layer, t.name): t.span.stop - t.span.start for t in tensors}
    assert all(0 <= check.index < sizes[check.layer, check.tensor] for check in checks)


def test_it_measures_the_gradient_of_the_last_batch():
    training = some_training(MODELS["smooth"], np.float64, steps=1)
    batches = training.batches
    scores = training.network.forward(batches.x, train=True)  # at the weights after the step
    dz = np.empty_like(scores)
    criterion = LOSSES.build(training.config.optimization.loss)
    criterion(scores, batches.target, dz, np.empty_like(dz[:, 0]))
    training.network.backward(dz)
    layers = {layer.name: layer for layer in training.network.layers}
    for check in checked(training).checks:
        gradient = layers[check.layer].grads[check.tensor].flat[check.index]
        assert check.backward == pytest.approx(gradient, rel=1e-9, abs=1e-15)


def test_an_error_of_a_thousandth_is_found(monkeypatch):
    tanh = ACTIVATIONS["tanh"].make
    slope = tanh.slope

    def faulty(self, z, a, out):
        slope(self, z, a, out)
        out *= 1.001

    training = some_training(ModelConfig(activation=Choice("tanh"), hidden=(16, 12)))
    monkeypatch.setattr(tanh, "slope", faulty)
    outcome = checked(training)
    assert outcome.error > 5e-4
    for check in outcome.checks:
        if check.layer == "scores" or check.error == 0:  # above the fault, or too small to compare
            assert check.error < 1e-4
        else:
            layers_below = {"dense 2": 1e-3, "dense 1": 2e-3}
            assert check.error == pytest.approx(layers_below[check.layer], rel=0.05)


def test_a_forgotten_bias_of_a_filter_is_found(monkeypatch):
    backward = Conv2D.backward

    def forgetful(self, dy):
        dx = backward(self, dy)
        self.grads["b"][...] = 0
        return dx

    training = some_training(MODELS["convolutional"])
    monkeypatch.setattr(Conv2D, "backward", forgetful)
    outcome = checked(training)
    assert outcome.error > 0.1
    wrong = {(check.layer, check.tensor) for check in outcome.checks if check.error > 1e-3}
    assert wrong == {("conv 1", "b")}


def test_a_kink_is_recognized_and_does_not_count():
    """With all preactivations at 0, ReLU's kink, a bias moves them to both sides of it."""
    training = some_training(ModelConfig(hidden=(16,)))
    dense = training.network.layers[0]
    for tensor in dense.params.values():
        tensor[...] = 0
    outcome = checked(training)
    bent = [check for check in outcome.checks if check.layer == "dense 1" and check.tensor == "b"]
    assert bent
    for check in bent:
        assert check.backward == 0
        assert check.kink == (check.difference != 0)
    assert outcome.kinks >= len(bent) / 2
    assert outcome.error < 1e-4


def test_a_smooth_network_has_almost_no_kinks():
    """The curvature where the gradient is almost 0 may look like a kink."""
    assert checked(some_training(MODELS["smooth"]), 200).kinks <= 4


@pytest.mark.parametrize("name", MODELS)
def test_the_gradient_check_does_not_disturb_training(name):
    watched, other = some_training(MODELS[name]), some_training(MODELS[name])
    for _ in range(3):
        checked(watched)
        losses = {training.update() for training in (watched, other)}
        assert len(losses) == 1
    for what in ("theta", "grad", "statistics"):
        mine, theirs = (getattr(x.network.parameters, what) for x in (watched, other))
        assert mine.tobytes() == theirs.tobytes()


def test_values_to_predict_are_checked_too():
    config = RunConfig(
        data=DataConfig(dataset=Choice("plane")),
        model=ModelConfig(activation=Choice("softplus"), hidden=(8,)),
        optimization=OptimizationConfig(loss=Choice("mean squared error")),
    )
    training = Training(config, np.float32)
    training.update()
    assert checked(training).error < 1e-4


def test_before_the_first_step_the_check_is_refused():
    with pytest.raises(ValueError, match="make a step first"):
        checked(some_training(MODELS["dense"], steps=0))


def test_a_running_experiment_can_be_asked(config):
    experiment = Experiment(config)
    with pytest.raises(ValueError, match="make a step first"):
        experiment.check_gradients()
    experiment.train(50)
    outcome = experiment.check_gradients(coordinates=12)
    assert len(outcome.checks) == 12
    assert outcome.error <= 1e-7

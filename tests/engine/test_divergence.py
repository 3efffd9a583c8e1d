"""The last steps before a divergence are replayed to the bit, and the first fault is named."""

import numpy as np
import pytest

from engine import Choice, Experiment, ModelConfig, Play, RunConfig, SetKnob, Status
from engine.training.checkpoints import APART, Checkpoints
from engine.training.config_sections import OptimizationConfig
from engine.training.training import Diverged, Training

RATE = "optimization.learning_rate"
CONFIGS = {
    "default": RunConfig(),
    "dropout": RunConfig(model=ModelConfig(dropout=0.5)),
    "batch norm, Adam": RunConfig(
        model=ModelConfig(normalization=Choice("batch norm")),
        optimization=OptimizationConfig(optimizer=Choice("Adam")),
    ),
    "PReLU, clipped": RunConfig(
        model=ModelConfig(activation=Choice("PReLU")), optimization=OptimizationConfig(clip=1.0)
    ),
    "convolution": RunConfig().replace("model.convolutions", "4 of 3x3"),
    "schedule": RunConfig(optimization=OptimizationConfig(schedule=Choice("cosine"), warm_up=100)),
}


def broken(config: RunConfig, *changes: tuple[int, str, object], rate: float = 1e5) -> Experiment:
    """A healthy run whose learning rate is then raised."""
    experiment = Experiment(config)
    for step, path, value in changes:
        experiment.train(step - experiment.step)
        experiment.apply(SetKnob(path, value))
    experiment.train(230 - experiment.step)
    experiment.apply(SetKnob(RATE, rate))
    experiment.train(500)
    assert experiment.status is Status.DIVERGED
    return experiment


@pytest.mark.parametrize("name", CONFIGS)
def test_a_replay_from_a_checkpoint_is_the_same_to_the_bit(name):
    training = Training(CONFIGS[name], np.float32)
    trail = Checkpoints(training, [], lambda: None)
    losses = []
    for _ in range(3 * APART + 17):
        losses.append(training.update())
        if training.step >= trail.due:
            trail.save()
    again = trail.start_before_end(APART)
    assert APART <= training.step - again.training.step < 2 * APART
    first = again.training.step
    assert [again.update() for _ in losses[first:]] == losses[first:]
    mine, its = training.network.parameters, again.training.network.parameters
    assert mine.theta.tobytes() == its.theta.tobytes()
    assert mine.statistics.tobytes() == its.statistics.tobytes()


@pytest.mark.parametrize(
    "changes",
    [
        [],
        [(150, "optimization.batch_size", 7), (201, "model.dropout", 0.3)],
        [(199, "optimization.l2", 0.1), (200, "optimization.l2", 0.2), (200, RATE, 0.02)],
        [(190, "optimization.optimizer", Choice("Adam"))],
        [(190, "model.initializer", Choice("Xavier"))],
        [(190, "optimization.loss", Choice("multiclass hinge"))],
    ],
    ids=["none", "batch, dropout", "three", "rule", "weights", "loss"],
)
def test_replayed_losses_agree_with_the_curve_after_any_changes(changes):
    experiment = broken(RunConfig(), *changes)
    snapshot = experiment.snapshot()
    found, curves = snapshot.autopsy, snapshot.curves
    assert found.steps[-1] == experiment.step
    assert found.loss[-1] == pytest.approx(curves["loss"][-1], nan_ok=True, rel=0)
    dense = {int(s): loss for s, loss in zip(curves["step"], curves["loss_low"], strict=True)}
    single = [s for s in found.steps[:-1].tolist() if s in dense and s - 1 in dense]
    assert single  # single-step rows, right after a change
    assert all(found.loss[s - found.steps[0]] == dense[s] for s in single)


def test_replayed_norms_agree_with_a_monitored_run():
    config = RunConfig(optimization=OptimizationConfig(learning_rate=1e4))
    found = diverged(config).snapshot().autopsy
    training = Training(config, np.float32)
    for row in range(len(found.steps) - 1):
        training.update()
        theta, parameters = training.network.parameters.theta, training.network.parameters
        for column, tensor in enumerate(parameters.weights):
            for told, vector in (
                (found.weights, theta),
                (found.gradient, parameters.grad),
                (found.update, training.optimizer.last_update),
            ):
                norm = np.linalg.norm(vector[tensor.span].astype(np.float64))
                assert told[row, column] == pytest.approx(norm, rel=1e-12)
    with pytest.raises(Diverged):
        training.update()
    assert np.isnan(found.gradient[-1]).all()
    assert np.isnan(found.update[-1]).all()


def diverged(config: RunConfig) -> Experiment:
    experiment = Experiment(config)
    experiment.train(500)
    assert experiment.status is Status.DIVERGED
    return experiment


def test_at_most_the_last_fifty_steps_are_replayed():
    assert len(broken(RunConfig()).snapshot().autopsy.steps) == 50
    short = diverged(RunConfig(optimization=OptimizationConfig(learning_rate=1e6)))
    assert len(short.snapshot().autopsy.steps) == short.step


def test_the_first_number_that_is_not_finite_is_named():
    experiment = Experiment(RunConfig())
    experiment.train(60)
    experiment.network.layers[2].params["W"][3, 4] = np.inf
    experiment.checkpoints.renew()
    experiment.checkpoints.save()
    experiment.train(5)
    fault = experiment.snapshot().autopsy.fault
    assert (fault.step, fault.layer, fault.what) == (61, "dense 2", "the output")


def test_a_gradient_that_overflows_before_the_loss_is_named():
    """The weights are so large that the gradient of two examples overflows float32."""
    config = RunConfig(model=ModelConfig(hidden=(8,), activation=Choice("identity")))
    pixels = Choice("centre", {"scale": 255.0})
    experiment = Experiment(config.replace(RATE, 1e-6).replace("data.preprocessing", pixels))
    experiment.network.layers[2].params["W"][...] = 1e38 * np.where(np.arange(10) % 2, 1, -1)
    experiment.network.layers[0].params["W"][...] = 0
    experiment.checkpoints.renew()
    experiment.checkpoints.save()
    experiment.train(5)
    assert experiment.status is Status.DIVERGED
    fault = experiment.snapshot().autopsy.fault
    assert fault.step == 1
    assert fault.what.startswith("the gradient of")
    assert fault.layer == "dense 1"


def test_if_all_was_finite_the_fastest_growing_weights_are_named():
    fault = broken(RunConfig(), rate=1e3).snapshot().autopsy.fault
    assert fault.what == ""
    assert fault.layer in ("dense 1", "dense 2", "scores")


def test_a_healthy_redrawn_or_restarted_run_has_no_autopsy(config):
    experiment = Experiment(config)
    experiment.train(60)
    assert experiment.snapshot().autopsy is None
    experiment = broken(config)
    experiment.apply(SetKnob(RATE, 0.01))
    assert experiment.snapshot().autopsy is not None
    experiment.apply(SetKnob("model.initializer", Choice("Xavier")))
    assert experiment.snapshot().autopsy is None
    experiment.apply(Play())
    experiment.train(200)
    assert experiment.snapshot().curves.last("validation_accuracy") > 0.8


def test_an_autopsy_does_not_change_the_diverged_run(config):
    fork = Training(config.replace(RATE, 1e5), np.float32)
    with pytest.raises(Diverged), np.errstate(all="ignore"):
        while True:
            fork.update()
    experiment = diverged(config.replace(RATE, 1e5))
    assert experiment.step == fork.step
    theta = experiment.network.parameters.theta
    assert theta.tobytes() == fork.network.parameters.theta.tobytes()


def test_a_network_too_expensive_to_replay_has_no_autopsy():
    model = ModelConfig(hidden=(3000, 3000))
    optimization = OptimizationConfig(learning_rate=1e6, batch_size=256)
    experiment = diverged(RunConfig(model=model, optimization=optimization))
    assert experiment.snapshot().autopsy is None


def test_an_autopsy_is_read_only():
    found = broken(RunConfig()).snapshot().autopsy
    for array in (found.steps, found.loss, found.weights, found.gradient, found.update):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0

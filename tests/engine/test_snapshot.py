"""Snapshots are correct, and cost no more than allowed."""

import math

import numpy as np
import pytest

from engine import Choice, Experiment, ModelConfig, Pause, Play, RunConfig, SetKnob
from engine.measure.gradient_probe import Probe
from engine.measure.instruments import BUDGET, Instruments
from engine.measure.loss_range import LossRange
from engine.nn.losses import LOSSES
from engine.runtime.speed import Speed, StepRate
from engine.training.config_sections import OptimizationConfig
from engine.training.training import Training
from tests.waiting import Clock


def sgd(**options) -> RunConfig:
    return RunConfig(optimization=OptimizationConfig(optimizer=Choice("SGD"), **options))


def trained(config: RunConfig, steps: int) -> Training:
    training = Training(config, np.float64)
    for _ in range(steps):
        training.update()
    return training


def gradients_one_by_one(training: Training) -> np.ndarray:  # (B, P)
    """Each example's gradient before the last step, from a network with batch size 1."""
    single = Training(training.config.replace("optimization.batch_size", 1), np.float64)
    network, loss = single.network, LOSSES.build(single.config.optimization.loss)
    update = training.optimizer.last_update
    network.parameters.theta[...] = training.network.parameters.theta + update
    gradients = []
    for x, target in zip(training.batches.x, training.batches.target, strict=True):
        z = network.forward(x[None], train=True)
        dz, row = np.empty_like(z), np.empty(1)
        loss(z, target[None], dz, row)
        network.backward(dz)
        gradients.append(network.parameters.grad.copy())
    return np.array(gradients)


def test_layer_statistics_are_correct(config):
    experiment = Experiment(config)
    hidden, _, scores = experiment.snapshot().layers
    assert (hidden.name, scores.name) == ("hidden 1", "scores")
    assert 0.3 < hidden.zero < 0.7  # ReLU at the start: about half
    assert scores.zero == 0
    assert math.isnan(hidden.saturated)


def test_the_noise_scale_is_that_of_gradients_taken_one_by_one():
    training = trained(sgd(l2=0.0), 20)
    backward = Probe(training).backward()
    gradients = gradients_one_by_one(training)
    mean = gradients.mean(axis=0)
    trace = np.square(gradients - mean).sum() / (len(gradients) - 1)
    assert backward.noise == pytest.approx(trace, rel=1e-6)
    assert backward.length == pytest.approx(mean @ mean - trace / len(gradients), rel=1e-6)


def test_coupled_gradients_have_no_noise_scale():
    model = ModelConfig(normalization=Choice("batch norm"))
    training = trained(RunConfig(model=model), 5)
    assert math.isnan(Probe(training).backward().noise)


def test_overshoot_agrees_with_a_parabola():
    """For a linear network with squared error, the loss along a step is a parabola."""
    model = ModelConfig(hidden=(), activation=Choice("identity"))
    optimization = OptimizationConfig(
        optimizer=Choice("SGD"), loss=Choice("mean squared error"), l2=0.01, learning_rate=0.05
    )
    training = trained(RunConfig(model=model, optimization=optimization), 3)
    network, update = Training(training.config, np.float64).network, training.optimizer.last_update
    theta = training.network.parameters.theta
    loss = []
    for share in (0.0, 0.5, 1.0):  # of the step undone
        network.parameters.theta[...] = theta + share * update
        weights = network.parameters.theta[: network.parameters.regularized]
        z = network.forward(training.batches.x, train=True)
        loss.append(np.mean((z - training.batches.target) ** 2) + 0.005 * weights @ weights)
    curvature = 4 * (loss[0] - 2 * loss[1] + loss[2])
    slope_before = loss[2] - loss[0] + curvature / 2
    bottom = slope_before / curvature  # relative to a step of 1
    assert Probe(training).overshoot() == pytest.approx(1 / bottom - 1, rel=1e-6)


def test_the_gradient_cosine_is_between_two_consecutive_gradients():
    training = trained(sgd(), 10)
    before = training.network.parameters.grad.copy()
    training.compare_next()
    training.update()
    now = training.network.parameters.grad
    cosine = now @ before / np.linalg.norm(now) / np.linalg.norm(before)
    assert training.gradient_cosine == pytest.approx(cosine)


def test_a_unit_that_never_fires_is_dead(config):
    experiment = Experiment(config)
    layer = experiment.network.layers[0]
    layer.params["b"][:16] = -1e3
    experiment.train(1)
    hidden, second, scores = experiment.snapshot().layers
    assert hidden.dead == 16 / 64
    assert second.dead < 0.1
    assert math.isnan(scores.dead)


def test_saturated_units_are_counted(config):
    config = config.replace("model.activation", Choice("tanh"))
    calm = Experiment(config).snapshot().layers[0].saturated
    config = config.replace("model.initializer", Choice("unit normal", {"scale": 10.0}))
    assert calm < 0.05
    assert Experiment(config).snapshot().layers[0].saturated > 0.8


def test_distance_is_measured_from_the_initial_weights(config):
    experiment = Experiment(config)
    assert [tensor.distance for tensor in experiment.snapshot().tensors] == [0, 0, 0]
    experiment.train(200)
    start = Experiment(config)
    for tensor, frame in zip(
        experiment.network.parameters.weights, experiment.snapshot().tensors, strict=True
    ):
        drawn = start.network.parameters.theta[tensor.span]
        moved = experiment.network.parameters.theta[tensor.span] - drawn
        expected = np.linalg.norm(moved) / np.linalg.norm(drawn)
        assert frame.distance == pytest.approx(expected, rel=1e-5)


def test_instruments_keep_to_their_budget():
    """On a clock by which every measurement takes 3 ms and training is slow to pay for it."""
    times = iter(range(10**9))
    training = trained(sgd(), 1)
    instruments = Instruments(training, lambda: next(times) * 3e-3)
    for _ in range(2000):
        training.update()
        instruments.measure(5e-3)
    assert 0.8 * BUDGET < instruments.metrics.cost <= 1.05 * BUDGET


def test_expensive_instruments_take_turns():
    times = iter(range(10**9))
    training = trained(sgd(), 1)
    instruments = Instruments(training, lambda: next(times) * 3e-3)
    for _ in range(400):
        training.update()
        instruments.measure(5e-3)
    assert all(cost > 0 for cost in instruments.costs.values())


def test_a_cached_snapshot_is_complete_when_time_allows(config):
    ticks = iter(range(10**9))
    experiment = Experiment(config, work=lambda: next(ticks) * 1e-3)
    experiment.apply(Play())
    for _ in range(20):
        experiment.advance(0.3)
        cached_snapshot = experiment.cached_snapshot()
    whole = experiment.snapshot()
    assert cached_snapshot.metrics.cost < BUDGET
    for now, then in zip(whole.layers, cached_snapshot.layers, strict=True):
        assert (now.std, now.zero, now.dead) == (then.std, then.zero, then.dead)


def test_snapshots_have_first_and_chance_loss(config):
    metrics = Experiment(config.replace("model.initializer", Choice("small normal"))).snapshot()
    assert metrics.metrics.chance_loss == pytest.approx(math.log(10))
    assert metrics.metrics.first_loss == pytest.approx(math.log(10), rel=1e-2)


def test_the_shown_learning_rate_follows_the_schedule(config):
    experiment = Experiment(config)
    experiment.apply(SetKnob("optimization.schedule", Choice("step", {"every": 10.0})))
    experiment.train(11)
    assert experiment.snapshot().metrics.learning_rate == pytest.approx(0.005)


def test_no_spike_is_lost_between_rows():
    losses = LossRange()
    for loss in (1.0, 9.0, 2.0):
        losses.add(loss)
    assert losses.take() == {"loss": 4.0, "loss_low": 1.0, "loss_high": 9.0}


def test_the_step_rate_is_that_of_the_last_second():
    pace = StepRate()
    assert pace.rate(0, 0.0) == 0
    rates = [pace.rate(step, step / 100) for step in range(10, 1000, 10)]
    np.testing.assert_allclose(rates, 100)


def test_of_a_run_that_has_just_begun_no_rate_is_told():
    clock = Clock()
    speed = Speed(clock)
    assert speed.by_clock(0) == 0
    clock.now = 0.02
    assert speed.by_clock(1) == 0  # not 50 a second
    clock.now = 0.42
    assert speed.by_clock(2) == pytest.approx(2.5)  # not 2 in 0.42 s: the first was due at once


def test_a_run_that_goes_on_after_a_pause_is_not_said_to_be_slow(config):
    clock = Clock()
    experiment = Experiment(config, clock=clock)

    def rate_after(seconds: float, steps: int) -> float:
        experiment.train(steps)
        clock.now += seconds
        return experiment.snapshot().steps_per_second

    experiment.apply(Play())
    rates = [rate_after(0.5, 50) for _ in range(4)]
    experiment.apply(Pause())
    assert rate_after(60.0, 0) == 0
    experiment.apply(Play())
    rates += [rate_after(0.25, 25) for _ in range(8)]
    np.testing.assert_allclose([rate for rate in rates if rate], 100)


def test_a_snapshot_is_complete_after_a_cached_one(config):
    experiment = Experiment(config)
    experiment.train(10)
    assert math.isnan(experiment.cached_snapshot().layers[0].dead)  # not counted yet
    assert 0 <= experiment.snapshot().layers[0].dead <= 1


def test_after_a_change_gradients_are_unknown_until_the_next_step(config):
    experiment = Experiment(config)
    experiment.train(20)
    experiment.apply(SetKnob("optimization.batch_size", 16))
    now = experiment.snapshot()
    assert math.isnan(now.layers[0].backward)
    assert math.isnan(now.tensors[0].gradient)
    assert math.isnan(now.metrics.overshoot)
    assert now.findings == ()
    experiment.train(1)
    assert experiment.snapshot().layers[0].backward > 0

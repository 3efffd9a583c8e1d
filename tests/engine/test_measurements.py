"""Measurements of a run against saved weights and slow reference sums."""

import os
import subprocess
import sys

import msgspec
import numpy as np
import pytest

from engine import (
    Choice,
    DataConfig,
    Experiment,
    ModelConfig,
    OptimizationConfig,
    Restart,
    RunConfig,
    SetKnob,
    Status,
    take_checkup,
)
from engine.lessons.checklist import run_check
from engine.measure import instruments
from engine.measure.dead_units import COUNTED
from engine.measure.gradient_probe import Probe
from engine.nn.losses import LOSSES
from engine.nn.network import Network
from engine.runtime.background_results import CheckResult
from engine.training.build_network import build_network
from engine.training.evaluation import Evaluator
from engine.training.training import Diverged, Training

NORMALIZED = ModelConfig(normalization=Choice("batch norm"))


def optimized(model: ModelConfig | None = None, **optimization: object) -> RunConfig:
    return RunConfig(
        model=model or ModelConfig(hidden=(32, 32)),
        optimization=OptimizationConfig(**optimization),
    )


# ---- the first loss of networks with batch norm ------------------------------------------------


@pytest.mark.parametrize("scale", [1.0, 255.0])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_the_first_loss_with_batch_norm_is_that_of_training(scale, dropout):
    config = RunConfig(
        data=DataConfig(preprocessing=Choice("centre", {"scale": scale})),
        model=msgspec.structs.replace(NORMALIZED, dropout=dropout),
    )
    experiment = Experiment(config)
    now = experiment.snapshot()
    training = Training(config.replace("model.dropout", 0.0), np.float32)
    assert now.metrics.first_loss == pytest.approx(training.update(), rel=0.15)  # the first batch
    assert now.curves["loss"][0] == now.metrics.first_loss
    assert now.curves["validation_loss"][0] == pytest.approx(now.metrics.first_loss, rel=0.15)
    experiment.train(30)
    later = experiment.snapshot()
    assert np.nanmax(later.curves["validation_loss"]) < 1.3 * now.metrics.first_loss
    assert later.findings == ()
    (result,) = (
        x for x in run_check("first loss", take_checkup(experiment)) if isinstance(x, CheckResult)
    )
    assert result.number == now.metrics.first_loss
    assert result.passed


def test_divergence_with_batch_norm_is_relative_to_the_true_first_loss():
    config = RunConfig(
        data=DataConfig(preprocessing=Choice("centre", {"scale": 255.0})), model=NORMALIZED
    )
    training = Training(config, np.float32)
    training.network.layers[-1].params["W"][...] *= 1e5  # not normalized
    with pytest.raises(Diverged):
        training.update()


def test_measuring_the_first_loss_moves_no_statistics_in_a_run():
    experiment = Experiment(RunConfig(model=NORMALIZED))
    experiment.train(20)
    before = experiment.network.parameters.statistics.copy()
    experiment.apply(SetKnob("optimization.loss", Choice("multiclass hinge")))
    np.testing.assert_array_equal(experiment.network.parameters.statistics, before)
    assert 0 < experiment.snapshot().metrics.first_loss < 9


# ---- how often ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [SetKnob("model.initializer", Choice("Xavier")), SetKnob("model.activation", Choice("tanh"))],
)
def test_what_a_change_leaves_is_measured_once(change, monkeypatch):
    experiment = Experiment(optimized())
    experiment.train(20)
    experiment.snapshot()
    measured = []

    def count(where, name):
        function = getattr(where, name)

        def counted(*given):
            measured.append(name)
            return function(*given)

        monkeypatch.setattr(where, name, counted)

    count(Evaluator, "run_forward")  # the activations
    count(instruments, "norm_and_ratio")  # the weights of each layer
    experiment.apply(change)
    now = experiment.snapshot()
    assert measured.count("run_forward") == 1
    assert measured.count("norm_and_ratio") == len(now.tensors)
    assert experiment.cached_snapshot().layers == now.layers
    assert len(measured) == 1 + len(now.tensors)


# ---- the last step ------------------------------------------------------------------------------


def steps(config: RunConfig, count: int) -> tuple[Experiment, np.ndarray]:
    """A run after so many steps, and its parameters before the last step."""
    experiment = Experiment(config)
    experiment.train(count - 1)
    before = experiment.network.parameters.theta.copy()
    experiment.train(1)
    return experiment, before


@pytest.mark.parametrize("max_norm", [0.0, 0.5, 3.0])
def test_the_update_ratio_is_relative_to_the_weights_before_the_step(max_norm):
    experiment, before = steps(optimized(max_norm=max_norm), 200)
    parameters = experiment.network.parameters
    for tensor, shown in zip(parameters.weights, experiment.snapshot().tensors, strict=True):
        was, now = (theta[tensor.span].astype(float) for theta in (before, parameters.theta))
        ratio = np.linalg.norm(was - now) / np.linalg.norm(was)
        assert shown.ratio == pytest.approx(ratio, rel=1e-3)


@pytest.mark.parametrize("max_norm", [0.0, 1.0])
def test_the_overshoot_is_that_of_the_last_step(max_norm):
    sgd = {"optimizer": Choice("SGD"), "learning_rate": 0.1, "l2": 0.0}
    experiment, before = steps(optimized(max_norm=max_norm, **sgd), 200)
    training = experiment.training
    after = training.network.parameters.theta.copy()
    down = before - after

    def slope(theta: np.ndarray) -> float:
        data, batches = training.data.train, training.batches
        network = build_network(training.config.model, data.shape, data.outputs, len(batches.x))
        network.parameters.theta[...] = theta
        dz = np.empty_like(batches.target)
        scores = network.forward(batches.x, train=True)
        LOSSES.build(training.config.optimization.loss)(scores, batches.target, dz, dz[:, 0].copy())
        network.backward(dz)
        return float(np.vdot(network.parameters.grad, down))

    expected = max(-1.0, -slope(after) / slope(before))
    assert experiment.snapshot().metrics.overshoot == pytest.approx(expected, rel=2e-3)


def test_the_noise_scale_is_measured_at_the_weights_before_the_step():
    """Against single examples' gradients, at the weights before the step."""
    experiment, before = steps(optimized(optimizer=Choice("SGD"), learning_rate=0.5), 30)
    training = experiment.training
    data, batches = training.data.train, training.batches
    network = build_network(training.config.model, data.shape, data.outputs, 1, dtype=np.float64)
    network.parameters.theta[...] = before
    loss, dz, row = LOSSES.build(training.config.optimization.loss), np.empty((1, 10)), np.empty(1)
    gradients = []
    for x, target in zip(batches.x, batches.target, strict=True):
        scores = network.forward(x[None].astype(float), train=True)
        loss(scores, target[None].astype(float), dz, row)
        network.backward(dz)
        gradients.append(network.parameters.grad.copy())
    noise = float(np.var(gradients, axis=0, ddof=1).sum())
    length = float(np.square(np.mean(gradients, axis=0)).sum()) - noise / len(gradients)
    backward = Probe(training).backward()
    assert backward.noise == pytest.approx(noise, rel=1e-3)
    assert backward.length == pytest.approx(length, rel=1e-3)


@pytest.mark.parametrize(
    ("change", "rate"),
    [
        ({"schedule": Choice("step", {"factor": 0.05})}, 0.01),
        ({"schedule": Choice("1/t")}, 0.01),
        ({"warm_up": 100}, 0.0001),
    ],
)
def test_the_rate_before_the_first_step_is_that_of_the_first_step(change, rate):
    experiment = Experiment(optimized(**change))
    assert experiment.snapshot().metrics.learning_rate == pytest.approx(rate)
    experiment.train(1)
    assert experiment.snapshot().metrics.learning_rate == pytest.approx(rate)


# ---- a run that has diverged ------------------------------------------------------------------


def test_the_weights_of_a_diverged_run_are_those_of_its_last_step():
    experiment = Experiment(optimized(learning_rate=30.0))
    experiment.train(50)
    now = experiment.snapshot()
    assert now.status is Status.DIVERGED
    parameters = experiment.network.parameters
    for tensor, shown in zip(parameters.weights, now.tensors, strict=True):
        norm = np.linalg.norm(parameters.theta[tensor.span].astype(float))
        assert shown.norm == pytest.approx(norm, rel=1e-3)
        assert shown.distance > 0


# ---- the same bits everywhere ----------------------------------------------------------------

RUN = """
from engine import Experiment, ModelConfig, RunConfig, digest
experiment = Experiment(RunConfig(model=ModelConfig(hidden=(512, 512))))
experiment.train(20)
print(digest(experiment))
"""


def test_the_bits_do_not_depend_on_the_threads_of_blas():
    told = set()
    for threads in ("1", "2", "4"):
        variables = os.environ | {"OPENBLAS_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
        done = subprocess.run(
            [sys.executable, "-c", RUN], env=variables, capture_output=True, text=True, check=True
        )
        told.add(done.stdout.strip())
    assert len(told) == 1


# ---- what a restart takes ----------------------------------------------------------------------


def slowly_counted_dead(experiment):
    training = experiment.training
    network = training.evaluators[0].network
    largest = {}
    x = training.data.train.x[:COUNTED]
    for start in [*range(0, len(x) - network.batch, network.batch), len(x) - network.batch]:
        network.forward(x[start : start + network.batch], train=False)
        for layer in network.layers:
            if layer.shown:
                now = np.abs(layer.out).max(axis=0)
                largest[layer.name] = np.maximum(now, largest.get(layer.name, 0.0))
    return {name: float(np.mean(values == 0)) for name, values in largest.items()}


@pytest.mark.parametrize("bias", [0.0, -1.0, -100.0])  # none, some and all of the units are dead
@pytest.mark.parametrize("activation", ["ReLU", "tanh"])
def test_dead_units_are_counted_on_all_examples_where_it_matters(activation, bias):
    experiment = Experiment(optimized(ModelConfig(hidden=(32,), activation=Choice(activation))))
    experiment.network.layers[0].params["b"][...] += bias
    shown = experiment.snapshot().layers
    slow = slowly_counted_dead(experiment)
    assert {layer.name: layer.dead for layer in shown if layer.name in slow} == slow


def test_a_restart_builds_few_networks_and_runs_few_examples_forward(monkeypatch):
    experiment = Experiment(RunConfig())
    built, run = [], []
    build, forward = Network.__init__, Network.forward
    monkeypatch.setattr(Network, "__init__", lambda *given: built.append(1) or build(*given))
    monkeypatch.setattr(
        Network,
        "forward",
        lambda self, x, train: run.append(len(x)) or forward(self, x, train=train),
    )
    experiment.apply(Restart())
    experiment.snapshot()
    assert len(built) == 3  # it trains, is judged, and its weights are drawn
    judged = sum(evaluator.examples for evaluator in experiment.training.evaluators)
    assert sum(run) < judged + 1000  # 1,437 would be run to look for dead units

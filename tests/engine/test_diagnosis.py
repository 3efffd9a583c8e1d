"""Healthy runs have no finding; each failure of the lecture has the right finding first."""

from typing import Any

import msgspec
import numpy as np
import pytest

from engine import (
    Choice,
    Curves,
    DataConfig,
    Experiment,
    Finding,
    ModelConfig,
    OptimizationConfig,
    Restart,
    RunConfig,
    SetKnob,
    Snapshot,
    Status,
)
from engine.data import DATASETS
from engine.diagnosis import RULES, diagnose, trends
from engine.training.history import History
from engine.types import Array

TABLES = {"iris", "wine", "breast cancer", "penguins"}
VALUES = {"plane", "bumps"}
DEEP = (100,) * 10
SGD = Choice("SGD")


def healthy(dataset: str) -> RunConfig:
    """The page's default settings, with the preprocessing that the lecture recommends."""
    preprocessing = Choice("standardize" if dataset in TABLES else "centre")
    loss = Choice("mean squared error" if dataset in VALUES else "softmax cross-entropy")
    return RunConfig(
        data=DataConfig(dataset=Choice(dataset), preprocessing=preprocessing),
        optimization=OptimizationConfig(loss=loss),
    )


def after(config: RunConfig, steps: int) -> Snapshot:
    experiment = Experiment(config)
    experiment.train(steps)
    return experiment.snapshot()


@pytest.mark.parametrize("dataset", [name for name in DATASETS if "bench" not in name])
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_healthy_run_has_no_finding(dataset, seed):
    experiment = Experiment(healthy(dataset).with_seed(seed))
    for steps in (0, 1, 60, 200, 700, 1500):
        experiment.train(steps - experiment.step)
        assert experiment.snapshot().findings == (), steps


@pytest.mark.parametrize(
    "config",
    [
        RunConfig(optimization=OptimizationConfig(optimizer=SGD, learning_rate=0.1)),
        RunConfig(optimization=OptimizationConfig(optimizer=Choice("Adam"), learning_rate=1e-3)),
        RunConfig(model=ModelConfig(normalization=Choice("batch norm"))),
        RunConfig(model=ModelConfig(dropout=0.5)),
        RunConfig(model=ModelConfig(activation=Choice("tanh"), initializer=Choice("Xavier"))),
        RunConfig(model=ModelConfig(hidden=DEEP)),
        RunConfig(model=ModelConfig(hidden=(1,)), seed=1),
    ],
    ids=["SGD", "Adam", "batch norm", "dropout", "tanh", "deep", "one unit"],
)
def test_other_healthy_networks_have_none_either(config):
    experiment = Experiment(config)
    for steps in (0, 1, 60, 200):
        experiment.train(steps - experiment.step)
        assert experiment.snapshot().findings == (), steps


@pytest.mark.parametrize("dataset", ["circle", "digits"])
def test_a_loss_of_exactly_0_is_healthy(dataset):
    hinge = OptimizationConfig(loss=Choice("multiclass hinge"), learning_rate=0.05, l2=0.0)
    now = after(RunConfig(data=DataConfig(dataset=Choice(dataset)), optimization=hinge), 2000)
    assert now.curves["loss"][-1] == 0
    assert not {finding.rule for finding in now.findings} & {"overfitting", "underfitting"}


FAILURES = [
    # the expected first rule, the number of steps, and the run
    ("vanishing signal", 0, {"activation": "tanh", "initializer": "small normal", "hidden": DEEP}),
    ("vanishing signal", 60, {"activation": "tanh", "initializer": "small normal", "hidden": DEEP}),
    ("vanishing signal", 60, {"initializer": "small normal", "hidden": DEEP}),
    ("vanishing signal", 0, {"initializer": "Xavier", "hidden": DEEP}),
    ("saturation", 0, {"activation": "tanh", "initializer": "unit normal", "hidden": DEEP}),
    ("saturation", 200, {"activation": "tanh", "initializer": "unit normal", "hidden": DEEP}),
    ("exploding signal", 0, {"initializer": "unit normal", "hidden": DEEP}),
    ("vanishing gradient", 60, {"activation": "sigmoid", "hidden": (64,) * 5}),
    ("symmetric weights", 0, {"initializer": "constant"}),
    ("symmetric weights", 200, {"initializer": "zeros"}),
    ("first loss", 0, {"initializer": "unit normal"}),
    ("dead units", 300, {"learning_rate": 1.0}),
    ("learning rate too low", 100, {"learning_rate": 1e-6}),
    ("learning rate too low", 100, {"learning_rate": 1e-5, "optimizer": "SGD"}),
    ("exploding", 50, {"learning_rate": 1e6}),
    ("plateau", 300, {"initializer": "Xavier", "hidden": DEEP}),
    ("overfitting", 1500, {"l2": 0.0, "examples": 40}),
    ("underfitting", 3000, {"dataset": "spiral", "hidden": ()}),
    ("schedule has ended", 100, {"schedule": Choice("cosine", {"length": 10})}),
    ("schedule has ended", 300, {"schedule": Choice("exponential", {"half_life": 10})}),
    ("regularization too strong", 200, {"l2": 3.0}),
    ("nothing learned", 500, {"dataset": "circle", "hidden": ()}),
]


def failure(
    activation: str = "ReLU",
    initializer: str = "",
    hidden: tuple[int, ...] = (64, 64),
    dataset: str = "digits",
    examples: int | None = None,
    optimizer: str = "momentum",
    **optimization: Any,
) -> RunConfig:
    natural = "He" if activation == "ReLU" else "Xavier"
    return RunConfig(
        data=DataConfig(dataset=Choice(dataset), examples=examples),
        model=ModelConfig(
            activation=Choice(activation),
            initializer=Choice(initializer or natural),
            hidden=hidden,
        ),
        optimization=OptimizationConfig(optimizer=Choice(optimizer), **optimization),
    )


@pytest.mark.parametrize(("rule", "steps", "run"), FAILURES)
def test_each_failure_of_the_lecture_is_named_first_and_its_remedy_helps(rule, steps, run):
    experiment = Experiment(failure(**run))
    experiment.train(steps)
    findings = experiment.snapshot().findings
    assert findings
    first = findings[0]
    assert first.rule == rule
    low, high = first.band
    assert not low <= first.number <= high
    assert first.cause.endswith(".")
    assert first.advice.endswith(".")
    if rule not in {"exploding", "underfitting"}:
        follow(experiment, first)


def follow(experiment: Experiment, finding: Finding) -> None:
    """The remedy can be applied, and the finding is no more."""
    for command in finding.remedy:
        experiment.apply(command)
    experiment.train(1 if finding.rule == "overfitting" else 300)
    now = experiment.snapshot()
    assert now.status is not Status.DIVERGED
    if finding.rule == "overfitting":
        assert now.config.optimization.l2 > 0
    else:
        assert finding.rule not in {other.rule for other in now.findings}


def test_every_rule_is_tested_by_a_run():
    seen = {rule for rule, _, _ in FAILURES}
    of_data = {"no inputs", "input scale", "target scale", "batch size"}
    of_data |= {"imbalance", "index among the inputs"}
    others = {"exploding gradient", "learning rate too high", "update ratio"}
    assert set(RULES) - seen == others | of_data  # in other files


def test_a_rate_at_which_the_loss_rises_again_is_too_high():
    config = failure(optimizer="SGD", learning_rate=0.1)
    experiment = Experiment(config.replace("model.activation", Choice("tanh")))
    experiment.train(300)
    experiment.apply(SetKnob("optimization.learning_rate", 10.0))
    experiment.train(100)
    rules = [finding.rule for finding in experiment.snapshot().findings]
    assert "learning rate too high" in rules
    assert "update ratio" in rules


def test_gradients_that_grow_backward_are_called_exploding():
    config = failure(activation="identity", hidden=(32,) * 6, optimizer="SGD", learning_rate=1e-6)
    experiment = Experiment(config)
    first, *others, _ = [layer for layer in experiment.network.layers if "W" in layer.params]
    first.params["W"][...] *= 1e-5
    for layer in others:
        layer.params["W"][...] *= 3
    experiment.train(1)
    rules = [finding.rule for finding in experiment.snapshot().findings]
    assert "exploding gradient" in rules


def test_large_first_weights_are_blamed_for_a_divergence_at_any_rate():
    now = after(failure(initializer="unit normal", hidden=DEEP, learning_rate=1e-6), 300)
    assert now.status is Status.DIVERGED
    assert now.findings[0].rule == "first loss"
    turn, restart = now.findings[0].remedy
    assert turn.path == "model.initializer"
    assert restart == Restart()
    assert "large weights" in now.message


def test_large_first_weights_and_an_absurd_rate_are_mended_together():
    now = after(failure(initializer="unit normal", hidden=DEEP, learning_rate=100.0), 10)
    assert now.status is Status.DIVERGED
    experiment = Experiment(now.config)
    for command in now.findings[0].remedy:
        experiment.apply(command)
    assert experiment.config.optimization.learning_rate == 0.1
    assert experiment.config.model.initializer == Choice("Xavier")


def test_a_max_norm_that_keeps_the_weights_small_is_blamed_for_it_and_no_penalty():
    for l2 in (0.0, 1e-4):
        first = after(failure(max_norm=0.1, l2=l2), 600).findings[0]
        assert first.rule == "regularization too strong"
        assert "Max norm 0.1" in first.cause
        assert {turn.path for turn in first.remedy} == {"optimization.max_norm"}
    other = after(failure(max_norm=3.0, l2=3.0), 600).findings[0]
    assert other.rule == "regularization too strong"
    assert [x.path for x in other.remedy if isinstance(x, SetKnob)] == ["optimization.l2"]


def test_twenty_examples_are_learned_by_heart_without_a_finding():
    """The lecture wants it: whoever takes so few checks whether the network can learn at all."""
    now = after(failure(l2=0.0, examples=20), 1500)
    assert now.metrics.train_accuracy == 1
    assert now.metrics.validation_accuracy < 0.8
    assert now.findings == ()


def test_in_regression_the_gap_is_given_as_r_squared():
    config = healthy("bumps").replace("optimization.l2", 0.0)
    data = msgspec.structs.replace(config.data, examples=30)
    now = after(msgspec.structs.replace(config, data=data), 3000)
    (finding,) = [x for x in now.findings if x.rule == "overfitting"]
    assert "R²" in finding.cause
    assert "accuracy" not in finding.cause


def curves(**columns: Array) -> Curves:
    return Curves({name: n for n, name in enumerate(columns)}, np.array([*columns.values()]))


def test_a_falling_loss_is_at_its_minimum():
    steps = np.arange(100.0)
    assert trends.risen(curves(step=steps, validation_loss=np.exp(-steps / 10)), 0) < 1.2


def test_current_values_do_not_include_rows_before_the_last_change():
    steps = np.array([0.0, *np.geomspace(1, 1000, 40)])
    recent = trends.recent(curves(step=steps, loss=steps), "loss", 0)
    assert recent > 700


def test_overfitting_is_found_on_an_expensive_network():
    """On an expensive network, whose rows are rarer, a few evaluations are enough evidence."""
    steps = np.array([0.0, 100, 300, 500])
    few = np.array([0.1, 1.0, 1.0, 1.0])
    other = np.array([0.1, 0.78, 0.78, 0.78])
    now = Experiment(RunConfig()).snapshot()
    table = dict.fromkeys(now.curves, np.full(4, 1e-3))
    told = {"step": steps, "train_accuracy": few, "validation_accuracy": other}
    now = msgspec.structs.replace(now, step=500, curves=curves(**table | told))
    assert "overfitting" in {finding.rule for finding in diagnose(now)}


def test_the_median_of_the_last_rows_is_numpys_to_the_bit():
    rng = np.random.default_rng(0)
    for rows in range(1, 2 * trends.RECENT):
        loss = rng.normal(size=rows)
        recent = trends.recent(curves(step=np.zeros(rows), loss=loss), "loss", 0)
        assert recent == np.median(loss[-trends.RECENT :])


def test_rows_without_a_value_do_not_count_among_the_last():
    rng = np.random.default_rng(0)
    for _ in range(200):
        loss = rng.normal(size=int(rng.integers(1, 100)))
        loss[rng.random(len(loss)) < rng.choice([0.1, 0.5, 0.9])] = np.nan
        known = loss[np.isfinite(loss)]
        recent = trends.recent(curves(step=np.zeros(len(loss)), loss=loss), "loss", 0)
        expected = np.median(known[-trends.RECENT :]) if len(known) else np.nan
        np.testing.assert_equal(recent, expected)


def test_the_trends_of_a_growing_run_are_those_of_all_its_rows():
    rng = np.random.default_rng(0)
    columns = {"loss": np.ones(60), "validation_loss": np.full(60, np.nan)}
    columns["loss"][15:] = rng.uniform(0.9, 1.1, 45)
    columns["validation_loss"][::3] = rng.random(20)
    history = History([*columns])
    for rows in range(1, 61):
        history.append(rows - 1, {name: x[rows - 1] for name, x in columns.items()})
        parts = {name: x[:rows] for name, x in columns.items()}
        whole = curves(step=np.arange(float(rows)), **parts)
        for first in (0, 10, 40):
            for now in (history.curves(), whole):
                check_trends(now, first, parts["loss"][first:], parts["validation_loss"][first:])


def check_trends(now: Curves, first: int, loss: Array, validation: Array) -> None:
    """The trends since the row `first` are those that NumPy finds."""
    left = np.flatnonzero(~(np.abs(loss - 1) < 0.03))
    assert trends.flat(now, first, 1.0) == (left[0] if len(left) else max(0, len(loss) - 1))
    known = validation[np.isfinite(validation)]
    assert trends.evaluations(now, first) == len(known)
    expected = np.median(known[-3:]) / known.min() if len(known) else np.nan
    np.testing.assert_equal(trends.risen(now, first), expected)

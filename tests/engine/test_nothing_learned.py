"""A run that is no better than one answer for all examples is never called healthy."""

import itertools
import math

import numpy as np
import pytest

from engine import (
    Choice,
    Condition,
    DataConfig,
    Experiment,
    Finding,
    ModelConfig,
    OptimizationConfig,
    RunConfig,
    SetKnob,
    Snapshot,
    read_upload,
    register_upload,
    unregister_upload,
)
from engine.nn.losses import LOSSES

SQUARES = "mean squared error"


def after(config: RunConfig, steps: int) -> Snapshot:
    experiment = Experiment(config)
    experiment.train(steps)
    return experiment.snapshot()


def advised(config: RunConfig, most: int, steps: int = 500) -> tuple[Snapshot, list[Finding]]:
    """The run after its first advice has been followed at most so many times."""
    experiment, followed = Experiment(config), list[Finding]()
    experiment.train(steps)
    for _ in range(most):
        findings = experiment.snapshot().findings
        if not findings or not findings[0].remedy:
            break
        followed.append(findings[0])
        for command in findings[0].remedy:
            experiment.apply(command)
        experiment.train(steps)
    return experiment.snapshot(), followed


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("counts", [(4, 4, 4), (7, 4, 1), (9, 3)])
def test_the_loss_of_a_constant_is_the_least_of_all_equal_answers(loss, counts):
    target = np.eye(len(counts))[np.repeat(range(len(counts)), counts)]
    function = LOSSES.build(Choice(loss))

    def of(scores):
        z = np.tile(np.array(scores, float), (len(target), 1))
        return function(z, target, np.empty_like(z), np.empty(len(z)))

    steps = np.linspace(-3, 0, 31)  # only differences between scores count, but of squares
    some = itertools.product([0.0], *[steps] * (len(counts) - 1))
    least = of(target.mean(axis=0)) if loss == SQUARES else min(map(of, some))
    near = 0.16 if loss == "multiclass hinge" and counts == (7, 4, 1) else 2e-3
    assert least * (1 - 3e-3) <= function.of_constant(target) <= least * (1 + near)


@pytest.mark.parametrize("loss", ["softmax cross-entropy", "multiclass hinge", SQUARES])
@pytest.mark.parametrize("dataset", ["circle", "xor"])
def test_a_line_between_classes_that_none_separates_is_found_and_mended(dataset, loss):
    config = RunConfig(
        data=DataConfig(dataset=Choice(dataset)),
        model=ModelConfig(hidden=()),
        optimization=OptimizationConfig(loss=Choice(loss)),
    )
    now, followed = advised(config, 2, steps=1000)
    first = followed[0]
    assert first.rule in {"nothing learned", "underfitting", "learning rate too high"}
    low, high = first.band
    assert not low <= first.number <= high
    assert now.metrics.train_accuracy > 0.9


def test_after_the_advice_on_penalties_the_network_learns():
    for penalties in ({"l1": 1.0}, {"l1": 1000.0}, {"l2": 10.0}, {"l1": 1.0, "l2": 10.0}):
        now, followed = advised(RunConfig(optimization=OptimizationConfig(**penalties)), 1)
        assert now.findings == (), penalties
        assert now.metrics.train_accuracy > 0.8, penalties
        turned = {x.path for x in followed[0].remedy if isinstance(x, SetKnob)}
        assert turned == {f"optimization.{name}" for name in penalties}


def test_no_advice_turns_off_dropout_where_no_unit_is_hidden():
    """There it does nothing."""
    model = ModelConfig(hidden=(), dropout=0.5)
    config = RunConfig(data=DataConfig(dataset=Choice("circle")), model=model)
    _, followed = advised(config, 2, steps=1000)
    assert "model.dropout" not in {x.path for x in followed[0].remedy if isinstance(x, SetKnob)}
    assert followed[0].rule in {"nothing learned", "underfitting"}


def test_a_usual_penalty_is_not_blamed_where_small_weights_fit_best():
    """A straight line hardly fits the hills: the loss itself makes its weights small."""
    config = RunConfig(
        data=DataConfig(dataset=Choice("bumps")),
        model=ModelConfig(hidden=()),
        optimization=OptimizationConfig(loss=Choice(SQUARES)),
    )
    rules = {finding.rule for finding in after(config, 500).findings}
    assert "regularization too strong" not in rules


def test_large_first_weights_are_blamed_by_squares_too():
    config = RunConfig(
        model=ModelConfig(initializer=Choice("unit normal")),
        optimization=OptimizationConfig(loss=Choice(SQUARES)),
    )
    finding = next(x for x in after(config, 1).findings if x.rule == "first loss")
    assert finding.number > 1000
    assert "0.09." in finding.cause


def test_a_rate_times_l1_above_1_is_blamed_for_the_divergence():
    now = after(RunConfig(optimization=OptimizationConfig(l1=1000.0)), 10)
    assert "Learning rate × L1 = 10" in now.message
    assert {x.path for x in now.findings[0].remedy if isinstance(x, SetKnob)} == {"optimization.l1"}


@pytest.fixture
def table(request):
    """The name of an uploaded table."""
    upload = read_upload(request.param.encode(), "rows.csv")
    register_upload(upload)
    yield upload.name
    unregister_upload(upload)


def of_table(name: str) -> RunConfig:
    return RunConfig(data=DataConfig(dataset=Choice(name), preprocessing=Choice("standardize")))


@pytest.mark.parametrize("table", ["a,b,class\n1.5,2,x\n3,1,y"], indirect=True)
def test_two_rows_leave_nothing_to_see(table):
    """One of them trains, and standardized it is 0: no setting is to blame, nor any unit dead."""
    for steps in (0, 500):
        now = after(of_table(table), steps)
        first, *others = now.findings
        assert first.rule == "no inputs"
        assert "1 training example " in first.cause
        assert first.remedy == ()
        assert {finding.rule for finding in others} <= {"imbalance"}


@pytest.mark.parametrize("table", ["a,b,class\n1.5,2,x\n3,1,y\n2,2,y"], indirect=True)
def test_one_validation_example_is_no_proof_of_overfitting(table):
    now = after(of_table(table), 500)
    assert now.data.validation == 1
    assert now.findings == ()
    assert now.condition is Condition.CONVERGED


TINY = "\n".join(
    ("a,b,class", *(f"{1e-7 * (n % 10):.3g},{1e-7 * n:.3g},{'uv'[n < 60]}" for n in range(120)))
)


@pytest.mark.parametrize("table", [TINY], indirect=True)
@pytest.mark.parametrize("normalization", ["none", "batch norm"])
def test_tiny_inputs_are_blamed_for_the_small_gradient_of_the_first_weights(table, normalization):
    config = of_table(table).replace("data.preprocessing", Choice("none"))
    now = after(config.replace("model.normalization", Choice(normalization)), 60)
    rules = [finding.rule for finding in now.findings]
    assert "vanishing gradient" not in rules
    assert rules[0] == "input scale"
    assert math.isclose(now.findings[0].number, now.data.input_size)

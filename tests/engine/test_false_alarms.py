"""No false alarm while a healthy run recovers from a change; an alarm if the change does harm."""

import functools
import math

import pytest

from engine import (
    Choice,
    Condition,
    Experiment,
    Finding,
    RunConfig,
    SetKnob,
    Snapshot,
    Status,
    transfer_of,
)

RATE = "optimization.learning_rate"
LOSS = "optimization.loss"
INITIALIZER = "model.initializer"
HINGE, SOFTMAX = Choice("multiclass hinge"), Choice("softmax cross-entropy")


@functools.cache
def begun(steps: int):
    """The page's default run after so many steps: trained once for all that go on with it."""
    experiment = Experiment(RunConfig())
    experiment.train(steps)
    return transfer_of(experiment)


def changed(*turns: tuple[str, object], steps: int = 1500) -> Experiment:
    """The page's default run, changed after it has converged."""
    experiment = Experiment(RunConfig())
    experiment.take_up(begun(steps))
    experiment.advance(math.inf)
    assert experiment.step == steps
    for path, value in turns:
        experiment.apply(SetKnob(path, value))
    return experiment


def rules_seen(experiment: Experiment, steps: int) -> set[str]:
    seen = set()
    for _ in range(steps // 50):
        seen |= {finding.rule for finding in experiment.snapshot().findings}
        experiment.train(50)
    return seen


@pytest.mark.parametrize(
    "turns",
    [
        [(INITIALIZER, Choice("Xavier"))],
        [("model.dropout", 0.5)],
        [("model.dropout", 0.7)],
        [(LOSS, HINGE)],
        [("optimization.optimizer", Choice("Adam")), (RATE, 1e-3)],
        [("optimization.batch_size", 8)],
        [("model.activation", Choice("sigmoid"))],
        [(RATE, 1.0), (RATE, 0.01)],
    ],
    ids=["Xavier", "dropout", "more dropout", "hinge", "Adam", "batch size", "sigmoid", "and back"],
)
def test_a_healthy_run_recovers_from_a_change_without_an_alarm(turns):
    assert rules_seen(changed(*turns), 1200) == set()


def test_hinge_loss_and_back_is_no_alarm_either():
    experiment = changed((LOSS, HINGE))
    experiment.train(300)
    experiment.apply(SetKnob(LOSS, SOFTMAX))
    assert rules_seen(experiment, 1200) == set()


def test_small_weights_are_blamed_only_for_their_own_effect():
    turns = [("model.activation", Choice("tanh")), (INITIALIZER, Choice("small normal"))]
    seen = rules_seen(changed(*turns), 1200)
    assert seen <= {"vanishing signal", "plateau", "nothing learned"}


@pytest.mark.parametrize(
    ("path", "value"),
    [("optimization.l2", 0.1), ("optimization.max_norm", 0.5), ("optimization.l2", 3.0)],
)
def test_a_penalty_that_costs_accuracy_is_blamed(path, value):
    experiment = changed((path, value))
    told: list[Finding] = []
    for _ in range(20):
        told += experiment.snapshot().findings[:1]
        experiment.train(50)
    assert told
    assert {finding.rule for finding in told} == {"regularization too strong"}
    assert {turn.path for finding in told for turn in finding.remedy} == {path}


@pytest.mark.parametrize("rate", [3.0, 100.0])
def test_an_absurd_rate_is_found_soon(rate):
    experiment = changed((RATE, rate))
    experiment.train(100)
    now = experiment.snapshot()
    assert now.findings
    assert now.findings[0].remedy
    if now.status is not Status.DIVERGED:
        assert now.findings[0].rule in {"learning rate too high", "dead units", "update ratio"}


def test_after_a_redraw_earlier_curves_give_no_finding():
    experiment = changed((INITIALIZER, Choice("Glorot")))
    for _ in range(30):
        experiment.train(1)
        assert experiment.snapshot().findings == ()


def condition_after(*turns: tuple[str, object], steps: int) -> Snapshot:
    experiment = changed(*turns, steps=steps)
    return experiment.snapshot()


def test_a_run_with_almost_no_loss_has_converged():
    assert condition_after(steps=60).condition is Condition.HEALTHY
    assert condition_after(steps=2500).condition is Condition.CONVERGED


def test_a_run_with_new_weights_has_not_converged():
    assert (
        condition_after((INITIALIZER, Choice("Xavier")), steps=2500).condition is Condition.HEALTHY
    )


def test_a_run_with_findings_is_ill():
    experiment = Experiment(RunConfig().replace(INITIALIZER, Choice("zeros")))
    assert experiment.snapshot().condition is Condition.ILL

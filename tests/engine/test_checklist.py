"""The sanity checks pass on a sound network, fail on a faulty one, and change neither."""

import dataclasses

import numpy as np
import pytest

from app import numbers
from engine import (
    CHECKS,
    CheckProgress,
    CheckResult,
    Choice,
    DataConfig,
    Experiment,
    ModelConfig,
    OptimizationConfig,
    RunConfig,
    run_check,
    run_checks,
    take_checkup,
)
from engine.diagnosis.lr_range_test import Sweep, sweep
from engine.nn.activations import ReLU
from engine.training.training import Training

SOUND = RunConfig()
VALUES = RunConfig(
    data=DataConfig(dataset=Choice("plane")),
    optimization=OptimizationConfig(loss=Choice("mean squared error")),
)
IMAGES = RunConfig(data=DataConfig(dataset=Choice("Fashion-MNIST")))
NORMED = RunConfig(model=ModelConfig(normalization=Choice("batch norm"), dropout=0.3))


def experiment(config: RunConfig, steps: int = 20) -> Experiment:
    made = Experiment(config)
    made.train(steps)
    return made


def result(name: str, config: RunConfig, steps: int = 20) -> CheckResult:
    last = list(run_check(name, take_checkup(experiment(config, steps))))[-1]
    assert isinstance(last, CheckResult)
    assert last.name == name
    return last


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("config", [SOUND, IMAGES, NORMED], ids=["digits", "images", "batch norm"])
def test_a_sound_network_passes(name, config):
    told = result(name, config)
    assert told.passed, told.sentence
    assert np.isfinite(told.number)
    assert told.sentence.endswith(".")


def rate(value: float) -> RunConfig:
    return SOUND.replace("optimization.learning_rate", value)


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("first loss", SOUND.replace("model.initializer", Choice("unit normal"))),
        ("regularization raises it", SOUND.replace("model.initializer", Choice("zeros"))),
        ("overfit 20 examples", rate(1e-6)),
        ("overfit 20 examples", rate(100.0)),
        ("overfit 20 examples", SOUND.replace("model.initializer", Choice("zeros"))),
        ("learning rate", rate(1e-6)),
        ("learning rate", rate(30.0)),
    ],
)
def test_an_unsound_one_fails(name, config):
    told = result(name, config, steps=1)
    assert told.passed is False, told.sentence


def test_a_wrong_gradient_is_found(monkeypatch):
    right = ReLU.slope

    def wrong(self, z, a, out):
        right(self, z, a, out)
        out *= 1.01

    monkeypatch.setattr(ReLU, "slope", wrong)
    assert result("gradients", SOUND).passed is False


def test_what_is_wanted_has_the_form_of_what_was_found():
    assert result("gradients", SOUND).wanted == "below 1e-5"
    assert "e-0" not in result("gradients", SOUND).sentence
    raised = result("regularization raises it", SOUND)
    assert raised.wanted == numbers.number(raised.number)


def test_gradients_are_checked_at_the_current_weights():
    fresh, trained = (result("gradients", NORMED, steps) for steps in (1, 300))
    assert fresh.number != trained.number


@pytest.mark.parametrize("config", [SOUND, NORMED, VALUES], ids=["digits", "batch norm", "values"])
def test_checks_do_not_disturb_the_experiment(config):
    checked, left_alone = experiment(config), experiment(config)
    curves = checked.snapshot().curves
    for _ in run_checks(take_checkup(checked)):
        pass
    for other in (checked, left_alone):
        other.train(30)
    thetas = [x.network.parameters.theta.tobytes() for x in (checked, left_alone)]
    statistics = [x.network.parameters.statistics.tobytes() for x in (checked, left_alone)]
    assert thetas[0] == thetas[1]
    assert statistics[0] == statistics[1]
    rows = left_alone.snapshot().curves
    assert checked.snapshot().curves["loss"].tobytes() == rows["loss"].tobytes()
    assert len(curves["loss"]) < len(rows["loss"])


def test_training_during_checks_does_not_change_their_results():
    running = experiment(SOUND)
    told = []
    for step in run_checks(take_checkup(running)):
        running.train(1)
        told.append(step)
    found = [x for x in told[-1] if isinstance(x, CheckResult)]
    expected = [result(name, SOUND) for name in CHECKS]
    assert [(x.passed, x.number) for x in found] == [(x.passed, x.number) for x in expected]


def test_checks_yield_often_enough_to_be_interleaved():
    assert len(list(run_checks(take_checkup(experiment(IMAGES))))) > 300  # slices of a few ms


def test_progress_rises_to_the_result():
    for name in CHECKS:
        *progress, last = run_check(name, take_checkup(experiment(SOUND)))
        assert isinstance(last, CheckResult)
        assert all(isinstance(told, CheckProgress) for told in progress)
        shares = [told.done for told in progress]
        assert shares == sorted(shares)
        assert 0 <= shares[0] <= shares[-1] <= 1


def test_curves_cannot_be_written_to_and_fit():
    for name in ("overfit 20 examples", "learning rate"):
        told = result(name, SOUND)
        assert told.x.shape == told.y.shape
        assert all(told.axes)
        assert not told.x.flags.writeable
        assert not told.y.flags.writeable


def test_a_check_without_a_reference_has_no_verdict():
    told = result("first loss", VALUES)
    assert told.passed is None


def test_regression_can_overfit_a_few_examples_too():
    assert result("overfit 20 examples", VALUES).passed


def test_an_unknown_check_is_refused():
    with pytest.raises(ValueError, match="unknown check 'luck'"):
        next(run_check("luck", take_checkup(experiment(SOUND, 0))))


# ---- LR range test ------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_rates_inside_the_range_learn_and_rates_beyond_it_do_not(optimizer):
    config = SOUND.replace("optimization.optimizer", Choice(optimizer))
    found = list(sweep(config))[-1]
    assert isinstance(found, Sweep)
    inside = (found.low * found.high) ** 0.5
    losses = []
    for learning_rate in (0.01 * found.low, inside, 30 * found.high):
        made = Experiment(config.replace("optimization.learning_rate", learning_rate))
        made.train(200)
        losses.append(made.snapshot().metrics.train_loss)
    low, good, high = losses
    assert good < 0.3 * low
    assert not high < 3 * good  # true for NaN as well


def test_the_range_test_trains_with_a_rising_rate():
    rates = list(sweep(SOUND))[-1].rates
    assert rates[0] == pytest.approx(1e-6)
    assert np.allclose(rates[1:] / rates[:-1], rates[1] / rates[0])
    assert Training(SOUND, np.float32).learning_rate == SOUND.optimization.learning_rate


def test_a_checkup_holds_copies():
    made = experiment(SOUND)
    checkup = take_checkup(made)
    before = checkup.theta.tobytes()
    made.train(5)
    assert checkup.theta.tobytes() == before
    assert dataclasses.is_dataclass(checkup)

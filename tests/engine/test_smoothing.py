"""The smoothed loss: without noise, and never far from the losses."""

import math

import numpy as np
import pytest

from engine import Experiment, RunConfig, SetKnob, Step
from engine.measure.smoothing import HALF_LIFE, Smoothed


def smoothed(losses) -> np.ndarray:
    """The averages of these losses."""
    average = Smoothed()
    return np.array([average.add(float(loss)) for loss in losses])


def noise(seed: int, rows: int) -> np.ndarray:
    return np.random.default_rng(seed).lognormal(0, 0.3, rows)


def test_a_loss_counts_half_after_the_half_life():
    losses = noise(1, 20)
    keep = 0.5 ** (1 / HALF_LIFE)
    weights = keep ** np.arange(20)[::-1]
    assert smoothed(losses)[-1] == pytest.approx(np.average(losses, weights=weights))


@pytest.mark.parametrize("shape", ["lognormal", "exponential"])
def test_noise_is_averaged_out(shape):
    draw = getattr(np.random.default_rng(2), shape)
    losses = draw(size=2000) if shape == "exponential" else draw(0, 0.3, 2000)
    average = smoothed(losses)
    assert average[50:].std() < losses.std() / 3
    assert average.mean() == pytest.approx(losses.mean(), rel=0.02)


@pytest.mark.parametrize("loss", [0.0, 0.1, 3e4])
def test_a_constant_stays_what_it_is(loss):
    assert smoothed([loss] * 500).tolist() == [loss] * 500


@pytest.mark.parametrize("rows", [1, 3, 40], ids=["one row", "three rows", "for long"])
def test_a_spike_is_shown_at_once_and_forgotten_soon(rows):
    losses = np.concatenate([noise(3, 100), 1000 * noise(4, rows), noise(5, 50)])
    average = smoothed(losses)
    assert average[100] == losses[100]  # the average does not hide it
    after = 100 + rows
    np.testing.assert_allclose(np.log10(average[after + 2 :]), 0, atol=0.3)


@pytest.mark.parametrize("factor", [1e3, 3, 1 / 3, 1e-3])
def test_a_new_level_is_reached_within_a_few_rows(factor):
    losses = np.concatenate([noise(6, 100), factor * noise(7, 50)])
    reached = np.log10(smoothed(losses)[100 + 2 * HALF_LIFE :] / factor)
    np.testing.assert_allclose(reached, 0, atol=0.2)


def test_a_loss_that_has_become_0_is_0():
    assert smoothed([*noise(8, 50), *[0.0] * 5])[-1] == 0


def test_the_average_never_uses_later_rows():
    losses = np.concatenate([noise(9, 60), 1000 * noise(10, 3), noise(11, 60)])
    whole = smoothed(losses)
    for rows in (10, 61, 64, 100):
        assert smoothed(losses[:rows]).tolist() == whole[:rows].tolist()


def test_the_average_of_a_run_starts_over_at_a_change(config):
    experiment = Experiment(config)
    experiment.train(100)
    experiment.apply(SetKnob("optimization.learning_rate", 0.001))
    experiment.train(1)
    curves = experiment.snapshot().curves
    assert curves["loss_average"][-1] == curves["loss"][-1]
    experiment.train(1)
    assert curves["loss_average"][-1] != experiment.snapshot().curves["loss_average"][-1]


def test_the_average_lies_within_the_range_of_the_batches(config):
    experiment = Experiment(config)
    experiment.train(2000)
    curves = experiment.snapshot().curves
    off = np.log(curves["loss_average"] / curves["loss"])
    assert abs(np.median(off)) < 0.25


def test_the_last_loss_of_a_diverged_run_is_not_averaged():
    experiment = Experiment(RunConfig().replace("optimization.learning_rate", 1e3))
    experiment.train(200)
    curves = experiment.snapshot().curves
    assert experiment.status == "diverged"
    if math.isfinite(curves["loss"][-1]):
        assert curves.last("loss_average") == curves["loss"][-1]
    else:
        assert not math.isfinite(curves["loss_average"][-1])


def test_single_steps_do_not_start_the_average_over(config):
    experiment = Experiment(config)
    for _ in range(30):
        experiment.apply(Step())
    curves = experiment.snapshot().curves
    assert (curves["loss_average"][2:] != curves["loss"][2:]).all()

"""Runs with a script, from a link or a lesson, and pinned runs."""

import numpy as np
import pytest

from engine import (
    MAX_PINNED,
    Begin,
    Choice,
    Experiment,
    Pin,
    Play,
    SetKnob,
    Status,
    Unpin,
)

RATE = "optimization.learning_rate"
SCRIPT = (
    (0, SetKnob("model.activation", Choice("tanh"))),
    (7, SetKnob(RATE, 0.05)),
    (7, SetKnob("optimization.l2", 0.01)),
    (30, SetKnob("model.initializer", Choice("Xavier"))),
)


def steered_by_hand(config):
    experiment = Experiment(config)
    for step, command in SCRIPT:
        experiment.train(step - experiment.step)
        experiment.apply(command)
    experiment.train(50 - experiment.step)
    return experiment


def test_a_script_gives_the_same_bits_as_manual_changes(config):
    scripted = Experiment(config.with_seed(9))
    scripted.apply(Begin(config, SCRIPT, until=50))
    assert scripted.status is Status.RUNNING
    while scripted.status is Status.RUNNING:
        scripted.advance(0.001)
    by_hand = steered_by_hand(config)
    assert scripted.step == 50
    assert scripted.network.parameters.theta.tobytes() == by_hand.network.parameters.theta.tobytes()
    assert scripted.journal == by_hand.journal
    assert scripted.first_config == by_hand.first_config == config


def test_after_its_last_step_a_scripted_run_is_an_ordinary_one(config):
    experiment = Experiment(config)
    experiment.apply(Begin(config, SCRIPT, until=40))
    assert experiment.snapshot().until == 40
    experiment.train(40)
    assert (experiment.status, experiment.snapshot().until) == (Status.PAUSED, None)
    experiment.apply(Play())
    experiment.train(10)
    assert experiment.step == 50 and experiment.status is Status.RUNNING


def test_starting_another_run_ends_the_script(config):
    experiment = Experiment(config)
    experiment.apply(Begin(config, SCRIPT, until=40))
    experiment.apply(SetKnob("model.hidden", "8"))
    experiment.train(45)
    assert experiment.config.optimization.learning_rate == config.optimization.learning_rate
    assert experiment.snapshot().until is None


@pytest.mark.parametrize("steps", [(5, 3), (5, 60)])
def test_a_script_out_of_order_is_refused(config, steps):
    with pytest.raises(ValueError, match="script fall, or go beyond"):
        Begin(config, tuple((step, SetKnob(RATE, 0.1)) for step in steps), until=50)


def test_the_run_before_stays_to_be_compared(config):
    experiment = Experiment(config)
    assert experiment.snapshot().previous is None
    experiment.train(25)
    losses = experiment.snapshot().curves["loss"]
    experiment.apply(SetKnob("model.hidden", "8"))
    experiment.train(5)
    previous = experiment.snapshot().previous
    assert (previous.run, previous.step, previous.config) == (1, 25, config)
    np.testing.assert_array_equal(previous.curves["loss"], losses)


def test_a_pinned_run_stays_as_it_was(config):
    experiment = Experiment(config)
    experiment.train(10)
    experiment.apply(Pin("the first"))
    rows = experiment.snapshot().curves.rows
    experiment.train(10)
    (pinned,) = experiment.snapshot().pinned
    assert (pinned.name, pinned.step, pinned.curves.rows) == ("the first", 10, rows)
    assert not experiment.journal  # pinning is not in the journal
    experiment.apply(Unpin("the first"))
    assert experiment.snapshot().pinned == ()


def test_pinned_names_are_unique_and_pins_are_limited(config):
    experiment = Experiment(config)
    experiment.apply(Pin("a"))
    with pytest.raises(ValueError, match="'a' is pinned already"):
        experiment.apply(Pin("a"))
    for name in range(MAX_PINNED - 1):
        experiment.apply(Pin(str(name)))
    with pytest.raises(ValueError, match="unpin one first"):
        experiment.apply(Pin("one more"))

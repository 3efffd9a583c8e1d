"""Config and journal determine an experiment; it obeys commands, and learns."""

import math

import msgspec
import numpy as np
import pytest

from engine import (
    Begin,
    Choice,
    Experiment,
    Pause,
    Play,
    Restart,
    RunConfig,
    SetKnob,
    Status,
    Step,
    replay,
)
from engine.nn.activations import ACTIVATIONS
from engine.nn.initializers import INITIALIZERS
from engine.training.config_sections import DataConfig, OptimizationConfig
from engine.training.evaluation import Evaluator

LEARNING_RATE = "optimization.learning_rate"
L2 = "optimization.l2"
ACTIVATION = "model.activation"
INITIALIZER = "model.initializer"


def same_bits(a: Experiment, b: Experiment) -> bool:
    weights = a.network.parameters.theta.tobytes() == b.network.parameters.theta.tobytes()
    mine, theirs = a.snapshot().curves, b.snapshot().curves
    return weights and all(mine[name].tobytes() == theirs[name].tobytes() for name in mine)


def trained(config: RunConfig, steps: int) -> Experiment:
    experiment = Experiment(config)
    experiment.train(steps)
    return experiment


def test_the_same_seed_gives_the_same_bits(config):
    assert same_bits(trained(config, 300), trained(config, 300))


def test_another_seed_gives_another_run(config):
    assert not same_bits(trained(config, 20), trained(config.with_seed(1), 20))


def test_config_and_journal_give_the_same_bits(config):
    steered = Experiment(config)
    for command in [
        SetKnob(LEARNING_RATE, 0.05),
        SetKnob(ACTIVATION, Choice("tanh")),
        Play(),
        SetKnob(INITIALIZER, Choice("Xavier", {"scale": 0.5})),
        Step(),
        SetKnob("optimization.batch_size", 64),
        SetKnob("optimization.optimizer", Choice("SGD")),
        SetKnob(L2, 0.01),
        Pause(),
    ]:
        steered.train(37)
        steered.apply(command)
    steered.train(100)
    again = replay(steered.first_config, steered.journal, steered.step)
    assert again.step == steered.step
    assert same_bits(steered, again)


def test_measuring_does_not_disturb_training(config):
    watched = Experiment(config)
    for _ in range(100):
        watched.train(3)
        watched.snapshot()
    assert same_bits(watched, trained(config, 300))


def test_the_first_loss_is_the_logarithm_of_the_number_of_classes(config):
    small = config.replace(INITIALIZER, Choice("small normal"))
    assert Experiment(small).snapshot().curves["loss"][0] == pytest.approx(math.log(10), rel=1e-3)


def test_it_overfits_twenty_examples():
    config = RunConfig(
        data=DataConfig(examples=20), optimization=OptimizationConfig(l2=0.0, batch_size=20)
    )
    curves = trained(config, 400).snapshot().curves
    assert curves.last("train_accuracy") == 1.0
    assert curves["loss"][-1] < 0.01


def test_it_learns_the_digits(config):
    assert trained(config, 2000).snapshot().curves.last("validation_accuracy") >= 0.96


def with_usual(activation: str, initializer: str):
    """A pair of which one is the usual is always tried; of all others, by `-m slow`."""
    usual = activation == "ReLU" or initializer in ("He", "zeros")
    marks = () if usual else pytest.mark.slow
    return pytest.param(activation, initializer, marks=marks)


@pytest.mark.parametrize(
    ("activation", "initializer"),
    [with_usual(a, i) for a in ACTIVATIONS for i in INITIALIZERS],
)
def test_a_rate_of_a_million_diverges(config, activation, initializer):
    config = config.replace(ACTIVATION, Choice(activation))
    experiment = trained(config.replace(INITIALIZER, Choice(initializer)), 50)
    experiment.apply(SetKnob(LEARNING_RATE, 1e6))
    experiment.train(50)
    assert experiment.status is Status.DIVERGED
    assert f"step {experiment.step}" in experiment.message
    assert "learning rate of 1e6" in experiment.message
    assert "restart" in experiment.message


def test_a_decay_that_overshoots_is_named_as_the_cause(config):
    experiment = Experiment(config.replace(L2, 1e4))
    experiment.train(200)
    assert experiment.status is Status.DIVERGED
    assert "L2" in experiment.message


def test_a_diverged_run_keeps_its_last_finite_picture_and_restarts(config):
    experiment = trained(config, 50)
    before = experiment.snapshot().layers
    experiment.apply(SetKnob(LEARNING_RATE, 1e6))
    experiment.train(50)
    for was, now in zip(before, experiment.snapshot().layers, strict=True):
        np.testing.assert_array_equal(now.counts, was.counts)
        assert (now.name, now.mean, now.std) == (was.name, was.mean, was.std)
    with pytest.raises(ValueError, match="diverged"):
        experiment.apply(Play())
    experiment.apply(SetKnob(LEARNING_RATE, 0.01))
    experiment.apply(Restart())
    assert (experiment.run, experiment.step, experiment.status) == (2, 0, Status.RUNNING)
    experiment.train(300)
    assert same_bits(experiment, trained(config, 300))


def test_new_weights_revive_a_diverged_run(config):
    experiment = Experiment(config.replace(LEARNING_RATE, 1e6))
    experiment.train(50)
    assert experiment.status is Status.DIVERGED
    experiment.apply(SetKnob(LEARNING_RATE, 0.01))
    experiment.apply(SetKnob(INITIALIZER, Choice("Xavier")))
    assert experiment.status is Status.PAUSED
    experiment.train(200)
    assert experiment.snapshot().curves.last("validation_accuracy") > 0.8


def test_the_learning_rate_acts_at_the_very_next_step(config):
    experiment = trained(config.replace("optimization.optimizer", Choice("SGD")), 20)
    theta = experiment.network.parameters.theta
    sizes = []
    for rate in (1e-3, 1e-1):
        experiment.apply(SetKnob(LEARNING_RATE, rate))
        before = theta.copy()
        experiment.train(1)
        sizes.append(np.linalg.norm(theta - before))
    assert 30 < sizes[1] / sizes[0] < 300


def test_l2_shrinks_the_weights_and_leaves_the_biases_alone(config):
    config = config.replace(LEARNING_RATE, 0.01).replace(L2, 10.0)
    experiment = trained(config.replace("optimization.optimizer", Choice("SGD")), 0)
    parameters = experiment.network.parameters
    weights = parameters.theta[: parameters.regularized]
    parameters.theta[parameters.regularized :] = 5.0
    before = np.linalg.norm(weights)
    experiment.train(5)
    assert np.linalg.norm(weights) < 0.7 * before
    assert parameters.theta[parameters.regularized :].min() > 4.5


def test_switching_the_activation_keeps_weights_and_curves(config):
    experiment = trained(config, 100)
    theta = experiment.network.parameters.theta.copy()
    rows = len(experiment.snapshot().curves["step"])
    experiment.apply(SetKnob(ACTIVATION, Choice("sigmoid")))
    np.testing.assert_array_equal(experiment.network.parameters.theta, theta)
    assert len(experiment.snapshot().curves["step"]) == rows
    hidden = experiment.snapshot().layers[0]
    assert 0.3 < hidden.mean < 0.7
    assert hidden.zero == 0


def test_the_initializer_redraws_in_place_and_keeps_the_curves(config):
    experiment = trained(config, 200)
    assert experiment.snapshot().curves.last("validation_accuracy") > 0.8
    experiment.apply(SetKnob(INITIALIZER, Choice("small normal")))
    weights = experiment.network.parameters.theta[: experiment.network.parameters.regularized]
    assert weights.std() == pytest.approx(0.01, rel=0.05)
    assert (experiment.run, experiment.step) == (1, 200)
    experiment.train(1)
    assert experiment.snapshot().curves.last("validation_accuracy") < 0.5


def test_new_preprocessing_starts_a_new_run(config):
    experiment = trained(config, 20)
    experiment.apply(SetKnob("data.preprocessing", Choice("none")))
    assert (experiment.run, experiment.step, experiment.journal) == (2, 0, [])
    assert experiment.data.train.x.min() == 0


def test_preprocessing_is_fitted_on_the_training_set_alone(config):
    experiment = Experiment(config.replace("data.preprocessing", Choice("standardize")))
    train, validation = experiment.data.train.x, experiment.data.validation.x
    assert np.abs(train.mean(axis=0)).max() < 1e-5
    assert set(np.unique(train.std(axis=0).round(3))) == {0.0, 1.0}  # some pixels are constant
    assert np.abs(validation.mean(axis=0)).max() > 0.005


def test_every_change_leaves_a_marker_and_a_row(config):
    experiment = trained(config, 50)
    experiment.apply(SetKnob(LEARNING_RATE, 0.02))
    experiment.apply(SetKnob(LEARNING_RATE, 0.02))  # not a change
    experiment.train(1)
    snapshot = experiment.snapshot()
    (marker,) = snapshot.markers
    assert (marker.step, marker.text) == (50, "Learning rate 0.01 → 0.02")
    assert snapshot.curves["step"][marker.row] == 51


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (LEARNING_RATE, 1e7, "learning rate must be a number from 1e-6 to 1e6, got 1"),
        (LEARNING_RATE, math.nan, "learning rate must be"),
        (L2, -1.0, "L2 strength must be a number from .* or 0, got -1"),
        (
            ACTIVATION,
            Choice("RELU"),
            "unknown activation 'RELU'; the nearest of .* are ReLU, ",
        ),
        (ACTIVATION, Choice("ReLU", {"slope": 1.0}), "has no knob 'slope'; it has: none"),
        (ACTIVATION, 3.0, "Choice|object"),
        ("optimization.batch_size", 2.5, "batch size must be a whole number, got 2.5"),
        ("optimization.speed", 1.0, "unknown setting 'optimization.speed'; the nearest of"),
    ],
)
def test_an_illegal_value_is_refused_in_one_sentence_and_changes_nothing(
    config, path, value, sentence
):
    experiment = trained(config, 5)
    with pytest.raises(ValueError, match=sentence):
        experiment.apply(SetKnob(path, value))
    experiment.train(5)
    assert experiment.journal == []
    assert same_bits(experiment, trained(config, 10))


def test_a_step_is_one_update_and_leaves_the_run_paused(config):
    experiment = Experiment(config)
    experiment.apply(Play())
    experiment.apply(Step())
    assert (experiment.step, experiment.status) == (1, Status.PAUSED)
    assert experiment.snapshot().curves["step"][-1] == 1


class Slow(Experiment):
    """Makes eight steps a second, and takes some seconds more for each row of the curves."""

    def __init__(self, config, seconds, row):
        super().__init__(config, work=lambda: seconds[0])
        self._seconds, self._row = seconds, row

    def _update(self):
        self._seconds[0] += 0.125
        recorder = self._run.recorder
        write = recorder.write

        def slowly():
            self._seconds[0] += self._row
            write()

        recorder.write = slowly
        super()._update()
        recorder.write = write


def test_pausing_stops_and_playing_goes_on(config):
    experiment = Slow(config, [0.0], row=0)
    experiment.advance(1)
    assert experiment.step == 0
    experiment.apply(Play())
    experiment.advance(1)
    assert experiment.step == 8
    experiment.apply(Pause())
    experiment.advance(1)
    assert experiment.step == 8


@pytest.mark.parametrize(("row", "steps", "took"), [(0.125, 8, 2), (0.375, 8, 4), (0.875, 4, 4)])
def test_rows_cost_no_steps_until_they_take_three_times_as_long(config, row, steps, took):
    seconds = [0.0]
    experiment = Slow(config, seconds, row)
    experiment.apply(Play())
    experiment.advance(1)
    assert (experiment.step, seconds[0]) == (steps, took)


def test_snapshots_are_immutable(config):
    snapshot = trained(config, 20).snapshot()
    arrays = [snapshot.curves[name] for name in snapshot.curves]
    arrays += [array for layer in snapshot.layers for array in (layer.edges, layer.counts)]
    assert arrays
    assert not any(array.flags.writeable for array in arrays)
    with pytest.raises(AttributeError):
        snapshot.step = 5


def test_the_update_ratio_is_that_of_the_update_that_was_made(config):
    experiment = trained(config, 10)
    before = experiment.network.parameters.theta.copy()
    experiment.apply(Step())
    update = experiment.network.parameters.theta - before
    curves = experiment.snapshot().curves
    for tensor in experiment.network.parameters.weights:
        ratio = np.linalg.norm(update[tensor.span]) / np.linalg.norm(before[tensor.span])
        assert curves[f"ratio {tensor.layer}"][-1] == pytest.approx(ratio, rel=1e-3)


def test_a_schedule_counts_from_where_it_is_chosen(config):
    experiment = trained(config, 200)
    experiment.apply(SetKnob("optimization.schedule", Choice("cosine", {"length": 100})))
    experiment.train(1)
    assert experiment.snapshot().metrics.learning_rate == pytest.approx(0.01)
    experiment.train(50)
    assert experiment.snapshot().metrics.learning_rate == pytest.approx(0.005)
    experiment.apply(SetKnob("optimization.schedule", Choice("cosine", {"length": 200})))
    experiment.train(50)  # a new length does not restart the schedule
    assert experiment.snapshot().metrics.learning_rate == pytest.approx(0.005)
    again = replay(experiment.first_config, experiment.journal, experiment.step)
    assert same_bits(experiment, again)


def test_steps_under_a_schedule_chosen_late_are_replayed_to_the_bit(config):
    experiment = trained(config.replace(LEARNING_RATE, 0.05), 130)
    experiment.apply(SetKnob("optimization.schedule", Choice("1/t", {"half_life": 40})))
    experiment.train(60)
    again = experiment.checkpoints.start_before_end(80)
    assert again
    while again.training.step < experiment.step:
        again.update()
    theta = experiment.network.parameters.theta
    assert again.training.network.parameters.theta.tobytes() == theta.tobytes()


def test_a_run_is_played_in_the_experiment_that_was_made_for_it(config):
    made_for_it, trained_before = Experiment(config), trained(config, 5)
    other, turned = Experiment(config.with_seed(3)), Experiment(config)
    for initializer in (Choice("unit normal"), config.model.initializer):
        turned.apply(SetKnob(INITIALIZER, initializer))  # other weights: the generator has gone on
    script = ((20, SetKnob(LEARNING_RATE, 0.5)),)
    played = Experiment(config)
    played.apply(Begin(config, script, 40))
    played.advance(math.inf)
    for experiment, run in ((made_for_it, 1), (trained_before, 2), (other, 2), (turned, 2)):
        experiment.play(Begin(config, script, 40))
        experiment.advance(math.inf)
        assert (experiment.run, experiment.step, experiment.status) == (run, 40, Status.PAUSED)
        assert same_bits(experiment, played)


def test_the_same_weights_are_judged_once(config, monkeypatch):
    training = trained(config, 3).training
    evaluator = training.evaluators[1]
    first, passes = evaluator.evaluate(), []
    forward = evaluator.network.forward
    monkeypatch.setattr(
        evaluator.network, "forward", lambda *a, **k: passes.append(1) or forward(*a, **k)
    )
    assert evaluator.evaluate() == first and not passes
    training.network.parameters.theta *= 1.5
    assert evaluator.evaluate() != first and passes


def test_scores_that_others_asked_for_do_not_stand_for_what_was_judged(config):
    training, other = trained(config, 3).training, trained(config, 3).training
    for each in (training, other):
        each.network.parameters.theta *= 1.25  # weights that nobody has judged
    evaluator, theta = training.evaluators[0], training.network.parameters.theta
    weights, before = training.network.parameters.state_digest, theta.copy()
    evaluator.score_under(weights)
    theta *= 1.5
    evaluator.predict()
    theta[...] = before
    other.evaluators[0].predict()
    assert evaluator.loss_under(weights) == pytest.approx(
        other.evaluators[0].losses().mean(), rel=1e-5
    )


def test_a_run_takes_the_judgements_of_one_that_had_the_same_weights(config, monkeypatch):
    config = msgspec.structs.replace(config, seed=4711)  # which no other test has judged
    predict, passes = Evaluator.predict, []
    monkeypatch.setattr(Evaluator, "predict", lambda one: passes.append(1) or predict(one))
    first = trained(config, 30)
    assert passes
    passes.clear()
    second = trained(config, 30)
    assert not passes
    for name, column in first.snapshot().curves.items():
        np.testing.assert_array_equal(second.snapshot().curves[name], column)
    second.apply(SetKnob("optimization.learning_rate", 0.5))
    second.train(2)
    assert passes


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("model.activation", {"name": "sigmoid"}),
        ("optimization.loss", {"name": "multiclass hinge"}),
    ],
)
def test_other_networks_with_the_same_weights_are_judged_for_themselves(config, path, value):
    alike, other = (Experiment(x).training for x in (config, config.replace(path, value)))
    assert alike.network.parameters.state_digest == other.network.parameters.state_digest
    assert alike.first_loss != other.first_loss

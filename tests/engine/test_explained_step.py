"""An explained step is the step that the run makes, and its numbers are slopes of the loss."""

import itertools
import math

import numpy as np
import pytest

from engine import Choice, Experiment, ExplainedStep, RunConfig, SetKnob, digest
from engine.measure.explained_step import MOST_EXAMPLES, explain_step
from engine.measure.traced_weight import HELD, Place, trace_weight
from engine.nn.losses import LOSSES
from engine.training.training import Training

NEAR = 1e-5  # relative: how far backpropagation and finite differences may be apart
DELTA = 1e-6


def config(**changed):
    settings = RunConfig()
    for path, value in changed.items():
        settings = settings.replace(path.replace("__", "."), value)
    return settings


PICTURES = {
    "data__dataset": Choice("Fashion-MNIST"),
    "model__hidden": (12,),
    "model__convolutions": "4 of 5x5, 6 of 3x3",
    "optimization__batch_size": 8,
}
KINDS = {
    "default": config(),
    "no hidden layer": config(model__hidden=()),
    "a table of values": config(
        data__dataset=Choice("bumps"), optimization__loss=Choice("mean squared error")
    ),
    "a table": config(data__dataset=Choice("wine"), model__activation=Choice("tanh")),
    "hinge": config(optimization__loss=Choice("multiclass hinge")),
    "penalties": config(
        optimization__l2=0.01, optimization__l1=0.001, optimization__optimizer=Choice("momentum")
    ),
    "clip and limit": config(optimization__clip=0.1, optimization__max_norm=0.9),
    "batch norm": config(model__normalization=Choice("batch norm")),
    "dropout": config(model__dropout=0.4, model__activation=Choice("PReLU")),
    "maxout": config(model__activation=Choice("Maxout")),
    "pictures": config(**PICTURES),
    "pictures, all kinds": config(
        **PICTURES,
        model__activation=Choice("PReLU"),
        model__normalization=Choice("batch norm"),
        model__dropout=0.3,
    ),
    "pictures, maxout": config(**PICTURES, model__activation=Choice("Maxout")),
}
each_kind = pytest.mark.parametrize("settings", KINDS.values(), ids=KINDS)


def trained(settings, dtype=np.float64, steps=3):
    training = Training(settings, dtype)
    for _ in range(steps):
        training.update()
    return training


@each_kind
def test_it_is_to_the_bit_the_step_that_the_run_makes(settings):
    experiment = Experiment(settings)
    experiment.train(7)
    before = digest(experiment)
    *_, told = experiment.explaining(2)
    assert digest(experiment) == before and experiment.step == 7  # the run is not touched
    experiment.train(1)
    assert told.step == experiment.step == 8
    assert told.digest == digest(experiment) != before
    tensors = {x.name: x.ratio for x in experiment.snapshot().tensors}
    weights = {x.layer: x.ratio for x in told.tensors if x.name == "W"}
    assert list(weights.values()) == pytest.approx(list(tensors.values()), rel=1e-4)


@each_kind
def test_every_layer_is_there_with_both_passes(settings):
    training = trained(settings)
    told = explain_step(training, chosen=1)
    assert [x.name for x in told.layers] == [x.name for x in training.network.layers]
    for layer in told.layers:
        assert np.isfinite(layer.output).all()
        if layer.name == "image":
            assert layer.gradient is None  # the data are given
        else:
            assert layer.gradient.shape == layer.output.shape
    assert told.layers[-1].output == pytest.approx(told.scores)
    assert told.layers[-1].gradient == pytest.approx(told.dscores)
    assert {x.layer for x in told.tensors} <= {x.name for x in told.layers}


@each_kind
def test_the_loss_is_the_mean_of_the_losses_of_the_examples(settings):
    told = explain_step(trained(settings))
    assert told.batch <= MOST_EXAMPLES
    assert len(told.examples) == told.batch
    losses = [x.loss for x in told.examples]
    assert np.mean(losses) == pytest.approx(told.loss)
    assert told.chosen == 0


def rest_of_the_way(training, layer, out):
    """The loss of the mini-batch if a layer's output were `out`."""
    layers = training.network.layers
    for above in layers[layers.index(layer) + 1 :]:
        out = above.forward(out, True)
    loss = LOSSES.build(training.config.optimization.loss)
    target = training.batches.target
    return loss(out.copy(), target, np.empty_like(out), np.empty_like(out[:, 0]))


@pytest.mark.parametrize("name", [x for x in KINDS if "all kinds" not in x and x != "dropout"])
def test_gradients_at_the_layers_are_slopes_of_the_loss(name):
    chosen = 1
    training = trained(KINDS[name])
    told = explain_step(training, chosen=chosen)
    training.go_forward()
    outputs = [layer.out.copy() for layer in training.network.layers]
    rng = np.random.default_rng(0)
    compared = 0
    for layer, out, shown in zip(training.network.layers, outputs, told.layers, strict=True):
        if shown.gradient is None or shown.gradient.ndim == 3:
            continue
        for unit in rng.integers(len(shown.gradient), size=4):
            losses = []
            for sign in (-1, 1):
                moved = out.copy()
                moved[chosen, unit] += sign * DELTA
                losses.append(rest_of_the_way(training, layer, moved))
            slope = (losses[1] - losses[0]) / (2 * DELTA)
            assert shown.gradient[unit] == pytest.approx(slope, rel=1e-4, abs=1e-8), layer.name
            compared += 1
    assert compared >= 4


@each_kind
def test_a_traced_weight_agrees_with_finite_differences(settings):
    training = trained(settings)
    for layer in [x.layer for x in training.network.parameters.weights]:
        told = trace_weight(training, Place(layer), chosen=1)
        assert told.layer == layer
        assert not told.kink
        assert told.error <= NEAR
        assert told.gradient == pytest.approx(told.backward, rel=1e-9, abs=1e-15)
        assert abs(told.gradient) > 0  # it is the steepest of its layer
        assert (told.terms.sum() + told.rest) / told.batch == pytest.approx(told.gradient)
        if told.spot is None:
            assert told.terms == pytest.approx(told.inputs * told.upstream)
        assert told.chain[-1].layer == layer
        if told.spot is None:
            assert told.chain[-1].gradient == pytest.approx(told.upstream[told.chosen])


@each_kind
def test_the_chain_adds_up_and_its_factors_multiply(settings):
    training = trained(settings)
    for layer in [x.layer for x in training.network.parameters.weights]:
        chain = trace_weight(training, Place(layer), chosen=2).chain
        first = chain[0]
        if first.terms:
            total = sum(term.product for term in first.terms) + first.others
            assert total == pytest.approx(first.gradient, rel=1e-9, abs=1e-15)
        for above, link in itertools.pairwise(chain):
            if link.factor is not None:
                assert above.gradient * link.factor == pytest.approx(link.gradient)


def test_the_change_of_a_traced_weight_is_that_of_the_run():
    for settings in (KINDS["penalties"], KINDS["clip and limit"], KINDS["pictures, all kinds"]):
        training = trained(settings, np.float32)
        told = trace_weight(training, Place(row=3, column=2))
        (tensor,) = [x for x in training.network.parameters.weights if x.layer == told.layer]
        theta = training.network.parameters.theta
        before = theta[tensor.span].reshape(tensor.shape)[3, 2]
        assert (told.row, told.column, told.weight) == (3, 2, before)
        training.update()
        after = theta[tensor.span].reshape(tensor.shape)[3, 2]
        assert told.change == float(after) - float(before) != 0


def test_what_three_optimizers_would_make_of_it():
    training = trained(config(optimization__l2=0.1, optimization__learning_rate=0.5))
    told = trace_weight(training)
    sgd, momentum, adam = told.would_be
    whole = told.gradient + told.penalty
    assert told.penalty == pytest.approx(0.1 * told.weight)
    assert sgd.first == sgd.held == pytest.approx(-0.5 * whole)
    assert momentum.first == pytest.approx(sgd.first)
    assert momentum.held == pytest.approx(sgd.first * (1 - 0.9**HELD) / (1 - 0.9))
    assert adam.first == pytest.approx(-0.5 * np.sign(whole), rel=1e-4)
    assert adam.held == pytest.approx(adam.first, rel=1e-4)


def test_any_place_is_brought_into_the_network():
    training = trained(config())
    for place in (Place("nonsense"), Place("dense 1", 10**9, 10**9), Place("scores", -5, -5)):
        told = trace_weight(training, place, chosen=10**9)
        assert 0 <= told.row < told.shape[0] and 0 <= told.column < told.shape[1]
        assert told.chosen == told.batch - 1
    assert explain_step(training, chosen=-3).chosen == 0


def test_a_step_that_diverges_is_explained_as_far_as_it_comes():
    experiment = Experiment(config(optimization__learning_rate=0.01))
    experiment.train(5)
    experiment.apply(SetKnob("optimization.learning_rate", 1e6))
    told = None
    for _ in range(20):
        *_, told = experiment.explaining()
        if told.diverges:
            break
        experiment.train(1)
    assert told.diverges
    assert told.tensors == () and told.dscores is None
    assert all(layer.gradient is None for layer in told.layers)
    with pytest.raises(ValueError, match="diverges"):
        list(experiment.tracing())
    experiment.train(1)
    assert experiment.status == "diverged"


def test_while_looking_back_it_is_the_step_after_the_one_that_is_shown():
    experiment = Experiment(config())
    experiment.train(30)
    experiment.look_back(10)
    *_, told = experiment.explaining()
    assert isinstance(told, ExplainedStep) and told.step == 11
    other = Experiment(config())
    other.train(11)
    assert told.digest == digest(other)


@pytest.mark.parametrize(("clip", "factor"), [(0.1, 0.1), (1e3, None)])
def test_a_step_says_by_how_much_its_gradient_was_clipped(clip, factor):
    told = explain_step(trained(config(optimization__clip=clip, optimization__l2=0.0)))
    length = math.hypot(*(x.gradient for x in told.tensors))
    assert told.clipped == pytest.approx(factor / length if factor else 1.0)
    assert told.clipped < 1 or not factor

"""What a change of a running network rebuilds, and that the rest need not be rebuilt."""

import numpy as np
import pytest

from engine import SETTINGS, Choice, Experiment, RunConfig, SetKnob
from engine.nn.network import Network
from engine.training.setting import Effect, Rebuilds
from engine.training.training import Training

OTHER = {  # another value of each setting that can change within a run
    "model.activation": Choice("tanh"),
    "model.dropout": 0.3,
    "optimization.learning_rate": 0.03,
    "optimization.optimizer": Choice("Adam"),
    "optimization.schedule": Choice("cosine"),
    "optimization.warm_up": 100,
    "optimization.batch_size": 50,
    "optimization.loss": Choice("multiclass hinge"),
    "optimization.l2": 0.1,
    "optimization.l1": 0.01,
    "optimization.max_norm": 1.0,
    "optimization.clip": 0.5,
}
LIVE = [path for path, setting in SETTINGS.items() if setting.effect is Effect.LIVE]


def test_every_live_setting_is_tried():
    assert sorted(OTHER) == sorted(LIVE)


@pytest.fixture
def config():
    return RunConfig().replace("model.hidden", (8, 6)).replace("data.dataset", Choice("moons"))


def trained(config, steps=20):
    training = Training(config, np.float32)
    for _ in range(steps):
        training.update()
    return training


@pytest.mark.parametrize(
    "path", [path for path in LIVE if SETTINGS[path].rebuilds is not Rebuilds.NETWORK]
)
def test_a_change_that_needs_no_new_network_builds_none(config, path, monkeypatch):
    experiment = Experiment(config)
    experiment.train(20)
    built = []
    make = Network.__init__

    def count(self, *given):
        built.append(self)
        make(self, *given)

    monkeypatch.setattr(Network, "__init__", count)
    experiment.apply(SetKnob(path, OTHER[path]))
    assert experiment.config.value(path) == OTHER[path]
    assert built == []


@pytest.mark.parametrize("path", LIVE)
def test_kept_parts_equal_rebuilt_ones(config, path):
    training = trained(config)
    training.follow(training.config.replace(path, OTHER[path]))
    anew = training.fork(training.save())  # builds everything
    for _ in range(20):
        assert anew.update() == training.update()
    np.testing.assert_array_equal(anew.network.parameters.theta, training.network.parameters.theta)
    assert [x.evaluate() for x in anew.evaluators] == [x.evaluate() for x in training.evaluators]


def arrays(thing, seen):
    """All arrays that are reachable from an object."""
    if id(thing) in seen:
        return
    seen[id(thing)] = thing  # kept alive, so that ids stay unique
    if isinstance(thing, np.ndarray):
        yield thing
    for part in parts(thing):
        yield from arrays(part, seen)


def parts(thing):
    if isinstance(thing, dict):
        return list(thing.values())
    if isinstance(thing, list | tuple):
        return thing
    if type(thing).__module__.startswith("engine"):
        names = {*getattr(thing, "__dict__", ()), *getattr(type(thing), "__slots__", ())}
        return [getattr(thing, name, None) for name in names]
    return []


def test_a_fork_shares_only_immutable_objects(config):
    training = trained(config.replace("model.normalization", Choice("batch norm")))
    fork = training.fork(training.save())
    data = list(arrays(training.data, {}))
    own = [x for x in arrays(training, {}) if not any(np.shares_memory(x, d) for d in data)]
    own = [x for x in own if x.flags.writeable]
    others = list(arrays(fork, {}))
    assert len(own) > 10
    shared = [(x.shape, y.shape) for x in own for y in others if np.shares_memory(x, y)]
    assert not shared


def test_a_fork_draws_the_weights_that_the_run_itself_would_have_drawn(config):
    training = trained(config)
    state = training.save()
    fork = training.fork(state)
    fork.draw_weights()
    again = training.fork(state)
    again.draw_weights()
    training.draw_weights()
    for other in (fork, again):
        np.testing.assert_array_equal(
            other.network.parameters.theta, training.network.parameters.theta
        )


def test_a_change_bends_no_curve_before_it(config):
    experiment = Experiment(config)
    experiment.train(1_234)
    before, evaluator = experiment.snapshot().curves, experiment.training.evaluators[1]
    assert before["step"][-1] < 1_234
    loss = evaluator.loss_under(experiment.network.parameters.state_digest)
    experiment.apply(SetKnob("model.activation", OTHER["model.activation"]))
    experiment.apply(SetKnob("optimization.learning_rate", 1.0))
    experiment.train(1)
    curves = experiment.snapshot().curves
    np.testing.assert_array_equal(curves["step"][before.rows :], [1_234, 1_235])
    assert curves["validation_loss"][before.rows] == loss
    assert np.isfinite([curves[name][before.rows] for name in curves]).all()
    assert [marker.row for marker in experiment.snapshot().markers] == [before.rows + 1] * 2

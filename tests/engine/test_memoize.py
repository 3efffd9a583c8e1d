"""Cached results are computed once per object, and freed with it."""

import gc
import weakref

import numpy as np
import pytest

from engine import Experiment
from engine.memoize import memoize
from engine.training.history import History


class Thing:
    """All instances are equal, but each is itself."""

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return 7


@pytest.fixture
def asked():
    return []


@pytest.fixture
def fact(asked):
    @memoize
    def fact(thing, *others):
        asked.append((thing, *others))
        return len(asked)

    return fact


def test_a_result_is_computed_once_per_object_and_arguments(fact, asked):
    one, other = Thing(), Thing()
    answers = [fact(one), fact(other), fact(one, "x"), fact(one), fact(other), fact(one, "x")]
    assert answers == [1, 2, 3, 1, 2, 3]
    assert asked == [(one,), (other,), (one, "x")]


def test_results_are_freed_with_their_object(fact, asked):
    thing = Thing()
    fact(thing)
    gone = weakref.ref(thing)
    asked.clear()
    del thing
    gc.collect()
    assert gone() is None


def test_an_object_at_the_address_of_a_freed_one_has_results_of_its_own():
    @memoize
    def name_of(thing):
        return thing.name

    addresses = set()
    for name in range(50):
        thing = Thing()
        thing.name = name
        assert name_of(thing) == name
        addresses.add(id(thing))
        del thing
    assert len(addresses) < 50  # some had the address of one before


def test_curves_are_the_same_object_until_there_is_a_new_row():
    history = History(["loss"])
    history.append(0, {"loss": 2.0})
    first = history.curves()
    assert history.curves() is first
    assert first.last("loss") == 2.0
    history.append(1, {"loss": 1.0})
    second = history.curves()
    assert second is not first
    assert (second.rows, second.last("loss")) == (2, 1.0)
    assert (first.rows, first.last("loss")) == (1, 2.0)  # an older reader keeps what it had


def test_the_last_value_is_the_last_that_is_not_nan():
    history = History(["loss", "accuracy", "never"])
    history.append(0, {"loss": 2.0, "accuracy": 0.5})
    history.append(1, {"loss": np.inf})
    curves = history.curves()
    assert (curves.last("loss"), curves.last("accuracy")) == (2.0, 0.5)
    assert np.isnan(curves.last("never"))


def test_cached_snapshots_share_curves_until_a_new_row(config):
    experiment = Experiment(config)
    experiment.train(3000)
    first = experiment.cached_snapshot()
    experiment.train(1)
    second = experiment.cached_snapshot()
    assert second.step > first.step
    assert second.curves is first.curves
    experiment.train(second.step)
    assert experiment.cached_snapshot().curves is not first.curves

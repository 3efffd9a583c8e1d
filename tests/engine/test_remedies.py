"""The advised remedy changes something and does not undo earlier advice."""

import msgspec
import pytest

from engine import Begin, Choice, Experiment, Finding, Restart, RunConfig, SetKnob, Snapshot
from engine.diagnosis import Remedy, Symptom
from engine.diagnosis.remedies import KNOWS_NO_MORE, KNOWS_NONE, advised
from engine.measure.snapshot import Change

RATE = "optimization.learning_rate"
INITIALIZER = "model.initializer"
LOWER = Remedy("Lower.", (SetKnob(RATE, 0.003),))


@pytest.fixture
def now(config) -> Snapshot:
    return Experiment(config).snapshot()


def of(now: Snapshot, *remedies: Remedy) -> Finding:
    return advised(Symptom("rule", 1.0, (0.0, 0.5), "", "Cause.", remedies, "loss"), now)


def having_followed(now: Snapshot, *changes: Change) -> Snapshot:
    return msgspec.structs.replace(now, followed=changes)


def test_the_first_remedy_that_changes_something_and_is_legal_is_advised(now):
    nothing = Remedy("Nothing.", (SetKnob(RATE, now.config.value(RATE)),))
    illegal = Remedy("Illegal.", (SetKnob(RATE, -1.0),))
    finding = of(now, nothing, illegal, LOWER)
    assert (finding.advice, finding.remedy) == ("Lower.", LOWER.turns)


def test_without_a_remedy_the_advice_says_so(now):
    finding = of(now, Remedy("Nothing.", (SetKnob(RATE, now.config.value(RATE)),)))
    assert (finding.advice, finding.remedy) == (KNOWS_NONE, ())


@pytest.mark.parametrize(
    ("before", "after", "allowed"),
    [
        (0.001, 0.01, True),  # was raised; may be lowered part of the way
        (0.003, 0.01, False),  # ... not all the way
        (0.005, 0.01, False),  # ... nor beyond
        (0.1, 0.01, True),  # was lowered; may be lowered further
    ],
)
def test_advice_never_returns_to_a_value_that_it_left(now, before, after, allowed):
    finding = of(having_followed(now, Change(RATE, before, after)), LOWER)
    assert finding.remedy == (LOWER.turns if allowed else ())
    assert finding.advice == ("Lower." if allowed else KNOWS_NO_MORE)


def test_advice_never_returns_to_a_choice_that_it_left(now):
    he = Remedy("He.", (SetKnob(INITIALIZER, Choice("He")),))
    now = msgspec.structs.replace(now, config=now.config.replace(INITIALIZER, Choice("Xavier")))
    assert of(now, he).remedy == he.turns
    gone = having_followed(now, Change(INITIALIZER, Choice("He"), Choice("Xavier")))
    assert of(gone, he).remedy == ()


def too_slow(config: RunConfig) -> Experiment:
    """A run that is advised to raise its learning rate."""
    experiment = Experiment(config.replace(RATE, 1e-6))
    experiment.train(100)
    assert experiment.snapshot().findings[0].rule == "learning rate too low"
    return experiment


def test_followed_advice_is_remembered_through_restarts(config):
    experiment = too_slow(config)
    for command in experiment.snapshot().findings[0].remedy:
        experiment.apply(command)
    followed = (Change(RATE, 1e-6, experiment.config.value(RATE)),)
    assert experiment.snapshot().followed == followed
    experiment.apply(Restart())
    assert experiment.snapshot().followed == followed
    experiment.apply(Begin(config))
    assert experiment.snapshot().followed == ()


def test_a_change_in_the_advised_direction_counts_as_followed(config):
    experiment = too_slow(config)
    experiment.apply(SetKnob(RATE, 2e-5))
    assert experiment.snapshot().followed == (Change(RATE, 1e-6, 2e-5),)


@pytest.mark.parametrize(
    ("path", "value"),
    [(RATE, 1e-6), ("model.activation", Choice("tanh")), ("data.dataset", Choice("moons"))],
)
def test_an_unadvised_change_clears_followed_advice(config, path, value):
    experiment = too_slow(config)
    experiment.apply(SetKnob(RATE, 2e-5))
    experiment.apply(SetKnob(path, value))
    assert experiment.snapshot().followed == ()


def diverged(config: RunConfig, rate: float) -> Experiment:
    experiment = Experiment(config.replace(RATE, rate))
    experiment.train(50)
    return experiment


def test_after_a_divergence_a_restart_uses_the_new_settings(config):
    experiment = diverged(config, 1e6)
    experiment.apply(SetKnob(RATE, 0.01))
    finding = experiment.snapshot().findings[0]
    assert finding.remedy == (Restart(),)
    assert "0.01" in finding.advice


def test_after_a_divergence_a_rate_that_was_raised_is_lowered(config):
    experiment = diverged(config, 1e4)
    experiment.apply(SetKnob(RATE, 1e5))
    turn, restart = experiment.snapshot().findings[0].remedy
    assert turn.value < 1e4
    assert restart == Restart()


def test_a_remedy_that_is_advised_again_is_not_tried_out_again(now, monkeypatch):
    he = Remedy("He.", (SetKnob(INITIALIZER, Choice("He", {"scale": 0.5})),))
    first, tried = of(now, he), []
    monkeypatch.setattr(RunConfig, "replace", lambda *given: tried.append(given))
    again = Remedy("He.", (SetKnob(INITIALIZER, Choice("He", {"scale": 0.5})),))
    assert of(msgspec.structs.replace(now, step=9), again) == first
    assert tried == []

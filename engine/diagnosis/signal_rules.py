"""Rules about signals: activations on their way forward, gradients on their way backward."""

import math
from collections.abc import Callable, Iterator
from statistics import median

from engine.diagnosis import trends
from engine.diagnosis.remedies import Remedy, Symptom
from engine.diagnosis.rules import (
    HIGH_RATIO,
    RULES,
    batch_norm,
    fewer_layers,
    finite_or,
    fitting_initializer,
    hidden_layers,
    last_change,
    redrawn,
    restarted_at,
    scaled_rate,
    shown_by,
    turned,
)
from engine.measure.dead_units import COUNTED
from engine.measure.snapshot import Snapshot
from engine.nn.activations import ACTIVATIONS
from engine.number_format import counted, percent, written
from engine.registry import Choice
from engine.training.commands import SetKnob


@RULES.register("symmetric weights")
@shown_by("constant-weights")
def symmetric_weights(now: Snapshot) -> Symptom | None:
    """All units of a hidden layer have the same weights, so they all learn the same thing."""
    for tensor in now.tensors[:-1]:
        if tensor.unit_variance < 1e-6:
            cause = f"All units of {tensor.name} have the same weights and learn the same thing."
            better = fitting_initializer(now.config)
            return Symptom(
                "symmetric weights", tensor.unit_variance, (0.1, math.inf), tensor.name, cause,
                [redrawn(better, f"Draw random weights, here by {better}.")], "activations",
            )  # fmt: skip
    return None


@RULES.register("saturation")
@shown_by("too-large-saturation")
def saturation(now: Snapshot) -> Symptom | None:
    """Most units are at an end of their range, where the slope is 0 and no gradient passes."""
    worst = max(hidden_layers(now), key=lambda layer: finite_or(layer.saturated, 0.0), default=None)
    if worst is None or not worst.saturated > 0.5:
        return None
    cause = f"{percent(worst.saturated)} of {worst.name} is saturated: no gradient passes there."
    return Symptom(
        "saturation", worst.saturated, (0.0, 0.5), worst.name, cause,
        _unsaturated(now), "activations",
    )  # fmt: skip


def _unsaturated(now: Snapshot) -> Iterator[Remedy]:
    yield redrawn("Xavier", "Draw smaller weights, by Xavier.")
    drawn = last_change(now, "model.initializer").row
    if trends.largest_ratio(now.curves, drawn) > HIGH_RATIO:
        yield restarted_at(scaled_rate(now.config, 0.1))
    yield from batch_norm(now)
    yield turned("model.activation", Choice("ReLU"), "ReLU, which is flat on one side alone.")


@RULES.register("vanishing signal")
@shown_by("too-small-collapse")
def vanishing_signal(now: Snapshot) -> Symptom | None:
    """Activations shrink from layer to layer until the last layers receive almost nothing."""
    finding = _signal(now, "vanishing signal", "shrinks", lambda ratio: ratio < 0.1)
    # Dead units shrink it too; then larger weights are no remedy.
    between = [tensor.weight_gain for tensor in now.tensors[1:-1]]
    if finding and between:
        gain = ACTIVATIONS.build(now.config.model.activation).gain
        return None if median(between) > gain else finding
    return finding


@RULES.register("dead units")
@shown_by("dead-relus")
def dead_units(now: Snapshot) -> Symptom | None:
    """ReLU units that are 0 on every training example: no gradient reaches them any more."""
    worst = max(hidden_layers(now), key=lambda layer: finite_or(layer.dead, 0.0), default=None)
    if worst is None or not worst.dead > 0.4 or not now.data.input_size > 0:
        return None
    seen = counted(min(COUNTED, now.data.training), "examples")
    cause = f"{percent(worst.dead)} of the units of {worst.name} are 0 on all of {seen}."
    return Symptom(
        "dead units", worst.dead, (0.0, 0.4), worst.name, cause,
        _revived(now), "activations",
    )  # fmt: skip


def _revived(now: Snapshot) -> Iterator[Remedy]:
    """Units that cannot die, and smaller steps if large steps killed the units."""
    leaky = SetKnob("model.activation", Choice("leaky ReLU"))
    drawn = last_change(now, "model.initializer").row
    if trends.largest_ratio(now.curves, drawn) < HIGH_RATIO:
        yield Remedy("Leaky ReLU lets a little gradient through.", (leaky,))
    else:
        rate = scaled_rate(now.config, 0.1)
        lower = SetKnob("optimization.learning_rate", rate)
        text = f"and a learning rate of {written(rate)}"
        yield Remedy(f"Leaky ReLU lets a little gradient through; {text}.", (leaky, lower))
        yield restarted_at(rate)
    yield from batch_norm(now)


@RULES.register("exploding signal")
@shown_by("he-and-relu")
def exploding_signal(now: Snapshot) -> Symptom | None:
    """Activations grow from layer to layer, until scores and gradients are absurdly large."""
    return _signal(now, "exploding signal", "grows", lambda ratio: ratio > 30)


@RULES.register("vanishing gradient")
@shown_by("sigmoid-saturates")
def vanishing_gradient(now: Snapshot) -> Symptom | None:
    """The gradient shrinks on its way back: the first layers hardly learn."""
    return _gradient(now, "vanishing gradient", "smaller", lambda x: x < 1e-3, _unshrunk(now))


def _unshrunk(now: Snapshot) -> Iterator[Remedy]:
    yield turned("model.activation", Choice("ReLU"), "ReLU, whose slope does not shrink it.")
    yield from batch_norm(now)
    yield from _for_signals(now)


@RULES.register("exploding gradient")
@shown_by("he-and-relu")
def exploding_gradient(now: Snapshot) -> Symptom | None:
    """The gradient grows on its way back: the steps of the first layers are too large."""
    return _gradient(now, "exploding gradient", "larger", lambda x: x > 1e3, _for_signals(now))


def _for_signals(now: Snapshot) -> Iterator[Remedy]:
    """Remedies that keep the size of activations and gradients."""
    better = fitting_initializer(now.config)
    yield redrawn(better, f"Draw weights that keep its size, by {better}.")
    yield from batch_norm(now)
    yield from fewer_layers(now)


def _signal(now: Snapshot, rule: str, verb: str, bad: Callable[[float], bool]) -> Symptom | None:
    hidden = hidden_layers(now)
    if len(hidden) < 2 or not hidden[0].std > 0:
        return None
    ratio = hidden[-1].std / hidden[0].std
    if not bad(ratio):
        return None
    return Symptom(
        rule, ratio, (0.1, 30.0), hidden[-1].name,
        f"The signal {verb} from {written(hidden[0].std, 2)} in {hidden[0].name} to"
        f" {written(hidden[-1].std, 2)}"
        f" in {hidden[-1].name}.",
        _for_signals(now), "activations",
    )  # fmt: skip


def _gradient(
    now: Snapshot, rule: str, word: str, bad: Callable[[float], bool], remedies: Iterator[Remedy]
) -> Symptom | None:
    first, last = now.tensors[0], now.tensors[-1]
    size = now.data.input_size
    if len(now.tensors) < 3 or not last.gradient > 0 or not size > 0:
        return None
    ratio = first.gradient / last.gradient
    # The gradient of the first weights is as large or small as the inputs, however well it passes.
    if not bad(ratio) or not bad(ratio / size):
        return None
    return Symptom(
        rule, ratio, (1e-3, 1e3), first.name,
        f"The gradient of {first.name} is {written(ratio, 1)} times that of {last.name}: {word}"
        " by far.",
        remedies, "activations",
    )  # fmt: skip

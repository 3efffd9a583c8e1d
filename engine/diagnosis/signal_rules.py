"""Rules of what flows through the network: activations forward, gradients backward."""

import math
from collections.abc import Callable
from statistics import median

from engine.activations import ACTIVATIONS
from engine.commands import SetKnob
from engine.diagnosis.rules import RULES, finite_or, hidden_layers, set_initializer
from engine.registry import Choice
from engine.telemetry import Finding, Snapshot


@RULES.register("symmetric weights")
def symmetric_weights(now: Snapshot) -> Finding | None:
    """All units of a hidden layer have the same weights, so they all learn the same thing."""
    for tensor in now.tensors[:-1]:
        if tensor.variety < 1e-6:
            cause = f"All units of {tensor.name} have the same weights and learn the same thing."
            advice = "Draw random weights, here by He."
            return Finding(
                "symmetric weights", tensor.variety, (0.1, math.inf), tensor.name, cause,
                set_initializer("He"), advice,
                "activations",
            )  # fmt: skip
    return None


@RULES.register("saturation")
def saturation(now: Snapshot) -> Finding | None:
    """Most units sit at an end of their range, where the slope is 0 and no gradient passes."""
    worst = max(hidden_layers(now), key=lambda layer: finite_or(layer.saturated, 0.0), default=None)
    if worst is None or not worst.saturated > 0.5:
        return None
    cause = f"{worst.saturated:.0%} of {worst.name} is saturated: no gradient passes there."
    return Finding(
        "saturation", worst.saturated, (0.0, 0.5), worst.name, cause,
        set_initializer("Xavier"), "Draw smaller weights, by Xavier.",
        "activations",
    )  # fmt: skip


@RULES.register("vanishing signal")
def vanishing_signal(now: Snapshot) -> Finding | None:
    """Activations shrink from layer to layer until the last ones see next to nothing."""
    finding = _signal(now, "vanishing signal", "shrinks", lambda ratio: ratio < 0.1)
    # Dead units shrink it too; then the weights are not the cause, and larger ones no remedy.
    between = [tensor.stretch for tensor in now.tensors[1:-1]]
    if finding and between:
        gain = ACTIVATIONS.build(now.config.model.activation).gain
        return None if median(between) > gain else finding
    return finding


@RULES.register("dead units")
def dead_units(now: Snapshot) -> Finding | None:
    """ReLU units that are 0 on every example: no gradient reaches them, they never come back."""
    worst = max(hidden_layers(now), key=lambda layer: finite_or(layer.dead, 0.0), default=None)
    if worst is None or not worst.dead > 0.4:
        return None
    cause = f"{worst.dead:.0%} of the units of {worst.name} are 0 on every example."
    return Finding(
        "dead units", worst.dead, (0.0, 0.4), worst.name, cause,
        SetKnob("model.activation", Choice("leaky ReLU")),
        "Leaky ReLU lets a little gradient through; then lower the learning rate.",
        "activations",
    )  # fmt: skip


@RULES.register("exploding signal")
def exploding_signal(now: Snapshot) -> Finding | None:
    """Activations grow from layer to layer: the scores, and the gradients, become absurd."""
    return _signal(now, "exploding signal", "grows", lambda ratio: ratio > 30)


@RULES.register("vanishing gradient")
def vanishing_gradient(now: Snapshot) -> Finding | None:
    """The gradient shrinks on its way back: the first layers hardly learn."""
    return _gradient(now, "vanishing gradient", "smaller", lambda ratio: ratio < 1e-3)


@RULES.register("exploding gradient")
def exploding_gradient(now: Snapshot) -> Finding | None:
    """The gradient grows on its way back: the first layers are thrown about."""
    return _gradient(now, "exploding gradient", "larger", lambda ratio: ratio > 1e3)


def _signal(now: Snapshot, rule: str, verb: str, bad: Callable[[float], bool]) -> Finding | None:
    hidden = hidden_layers(now)
    if len(hidden) < 2 or not hidden[0].std > 0:
        return None
    ratio = hidden[-1].std / hidden[0].std
    if not bad(ratio):
        return None
    better = "He" if ACTIVATIONS.build(now.config.model.activation).gain > 1 else "Xavier"
    return Finding(
        rule, ratio, (0.1, 30.0), hidden[-1].name,
        f"The signal {verb} from {hidden[0].std:.2g} in {hidden[0].name} to {hidden[-1].std:.2g}"
        f" in {hidden[-1].name}.",
        set_initializer(better), f"Draw weights that keep its size, by {better}; or batch norm.",
        "activations",
    )  # fmt: skip


def _gradient(now: Snapshot, rule: str, word: str, bad: Callable[[float], bool]) -> Finding | None:
    first, last = now.tensors[0], now.tensors[-1]
    if len(now.tensors) < 3 or not last.gradient > 0:
        return None
    ratio = first.gradient / last.gradient
    if not bad(ratio):
        return None
    return Finding(
        rule, ratio, (1e-3, 1e3), first.name,
        f"The gradient of {first.name} is {ratio:.1g} times that of {last.name}: {word} by far.",
        SetKnob("model.activation", Choice("ReLU")),
        "ReLU, whose slope does not shrink it; or batch norm, in a new run.",
        "activations",
    )  # fmt: skip

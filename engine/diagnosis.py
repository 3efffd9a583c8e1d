"""What is wrong with a run, why, and what to do: a rule a symptom, the gravest first.

A rule looks at a snapshot alone. Its bands were set on our own data:
`tests/engine/test_diagnosis.py` holds that a healthy run of each bundled set has no finding, and
that each failure of the lecture has the right one first.
"""

import math
from collections.abc import Callable, Iterator
from statistics import median

import numpy as np

from engine import trends
from engine.activations import ACTIVATIONS
from engine.commands import Command, SetKnob
from engine.config import SETTINGS
from engine.registry import Choice, Range, Registry
from engine.telemetry import Finding, LayerFrame, Snapshot, Status

type Rule = Callable[[Snapshot], Finding | None]

RULES: Registry[Finding | None] = Registry("rule")

RATE = "optimization.learning_rate"
SETTLED = 50  # steps before curves say anything
WANTED = 1e-3  # of the size of the weights, as the size of an update


def diagnose(snapshot: Snapshot) -> tuple[Finding, ...]:
    """All findings on a run, the gravest first; none on a healthy one."""
    if snapshot.status is Status.DIVERGED:
        return tuple(_found([RULES["exploding"].make], snapshot))
    return tuple(_found([entry.make for entry in RULES.values()], snapshot))


def _found(rules: list[Rule], snapshot: Snapshot) -> Iterator[Finding]:
    for rule in rules:
        if finding := rule(snapshot):
            yield finding


# ---- the rules, the gravest first ---------------------------------------------------------------


@RULES.register("exploding")
def exploding(now: Snapshot) -> Finding | None:
    """The loss is no longer a finite number: nearly always a learning rate that is too high."""
    if now.status is not Status.DIVERGED:
        return None
    # From absurd rates, where every tenth explodes as well, straight to what may do.
    remedy = _slower(now, min(0.1, 0.1 / now.config.optimization.learning_rate))
    return Finding(
        "exploding",
        float(now.curves["loss"][-1]),
        (0.0, now.gauges.first_loss),
        "",
        now.message,
        remedy,
        f"Learning rate {remedy.value:g}, then restart.",
        "loss",
    )


@RULES.register("symmetric weights")
def symmetric_weights(now: Snapshot) -> Finding | None:
    """All units of a hidden layer have the same weights, so they all learn the same thing."""
    for tensor in now.tensors[:-1]:
        if tensor.variety < 1e-6:
            cause = f"All units of {tensor.name} have the same weights and learn the same thing."
            advice = "Draw random weights, here by He."
            return Finding(
                "symmetric weights", tensor.variety, (0.1, math.inf), tensor.name, cause,
                _draw("He"), advice,
                "activations",
            )  # fmt: skip
    return None


@RULES.register("saturation")
def saturation(now: Snapshot) -> Finding | None:
    """Most units sit at an end of their range, where the slope is 0 and no gradient passes."""
    worst = max(_hidden(now), key=lambda layer: _or(layer.saturated, 0.0), default=None)
    if worst is None or not worst.saturated > 0.5:
        return None
    cause = f"{worst.saturated:.0%} of {worst.name} is saturated: no gradient passes there."
    return Finding(
        "saturation", worst.saturated, (0.0, 0.5), worst.name, cause,
        _draw("Xavier"), "Draw smaller weights, by Xavier.",
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
    worst = max(_hidden(now), key=lambda layer: _or(layer.dead, 0.0), default=None)
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


@RULES.register("learning rate too high")
def rate_too_high(now: Snapshot) -> Finding | None:
    """The loss has stopped falling, or rises, while every step still throws the weights about."""
    if now.step < SETTLED:
        return None
    loss, best, first = _loss(now), _best(now), now.gauges.first_loss
    risen, high = loss > 1.5 * best + 0.1 * first, loss > 0.8 * first
    if not (risen or high):
        return None
    ratio = _ratio(now)
    if not risen and ratio < 10**-1.5:
        return None
    return Finding(
        "learning rate too high", loss, (0.0, 1.5 * best), "",
        f"The loss is {loss:.3g} after {best:.3g} at best, and a step changes the weights by"
        f" {ratio:.1%}.",
        _slower(now, 0.3), "Learning rate × 0.3.",
        "loss",
    )  # fmt: skip


@RULES.register("learning rate too low")
def rate_too_low(now: Snapshot) -> Finding | None:
    """Each step changes the weights by next to nothing, and the loss has hardly moved."""
    if now.step < SETTLED or _loss(now) < 0.5 * now.gauges.first_loss:
        return None
    ratio = _ratio(now)
    if not ratio < 10**-4.5:
        return None
    times = min(1e4, 10 ** round(math.log10(WANTED / max(ratio, 1e-12))))
    return Finding(
        "learning rate too low", ratio, (10**-4.5, 10**-1.5), "",
        f"A step changes the weights by a factor of {ratio:.1g} only: 0.001 is usual.",
        _slower(now, times), f"Learning rate × {times:g}.",
        "updates",
    )  # fmt: skip


@RULES.register("first loss")
def first_loss(now: Snapshot) -> Finding | None:
    """The first loss is far from that of equal scores: the scores start too large."""
    first, chance = now.gauges.first_loss, now.gauges.chance_loss
    if not chance > 0 or 0.3 * chance <= first <= 4 * chance:
        return None
    return Finding(
        "first loss", first, (0.3 * chance, 4 * chance), "",
        f"The first loss was {first:.3g}, but a network that knows nothing has {chance:.3g}.",
        _draw("Xavier"), "Draw smaller weights, by Xavier.",
        "loss",
    )  # fmt: skip


@RULES.register("plateau")
def plateau(now: Snapshot) -> Finding | None:
    """The loss stayed flat for long before it moved: bad initial weights are the prime suspect."""
    if now.step < 4 * SETTLED:
        return None
    drawn = max((m.row for m in now.markers if m.text.startswith("Initializer")), default=0)
    chance = _or(now.gauges.chance_loss, now.gauges.first_loss)
    until = trends.flat(now.curves, drawn, chance)
    if until < 2 * SETTLED or until < 0.15 * now.step:
        return None
    return Finding(
        "plateau", until, (0, 0.15 * now.step), "",
        f"The loss stayed at {chance:.3g}, where one starts, for {until:,.0f} steps.",
        _draw("He"), "Draw larger weights, by He.",
        "loss",
    )  # fmt: skip


@RULES.register("overfitting")
def overfitting(now: Snapshot) -> Finding | None:
    """It knows the training examples by heart: the gap to validation grows, its loss rises."""
    judged, best = trends.judged(now.curves)
    if now.step < SETTLED or judged < trends.RECENT:
        return None
    gap = _recently(now, "train_accuracy") - _recently(now, "validation_accuracy")
    last = _recently(now, "validation_loss")
    if not (gap > 0.125 or (gap > 0.1 and last > 1.2 * best)):
        return None
    risen = last / best if best > 0 else math.inf  # hinge loss comes down to exactly 0
    stronger = min(max(10 * now.config.optimization.l2, 1e-4), 1.0)
    return Finding(
        "overfitting", gap, (0.0, 0.1), "",
        f"Training accuracy is {gap:.0%} above validation, whose loss is at {risen:.1f} times"
        " its best.",
        SetKnob("optimization.l2", stronger), f"L2 strength {stronger:g}; or more dropout.",
        "accuracy",
    )  # fmt: skip


@RULES.register("underfitting")
def underfitting(now: Snapshot) -> Finding | None:
    """It has stopped improving, at a poor level, and no better on training than on validation."""
    train = _recently(now, "train_accuracy")
    gap = train - _recently(now, "validation_accuracy")
    if now.step < 10 * SETTLED or not (train < 0.8 and gap < 0.05):
        return None
    late = now.curves["loss"][np.searchsorted(now.curves["step"], 0.6 * now.step, side="right") :]
    half = len(late) // 2
    if len(late) < trends.RECENT or not late[half:].mean() > 0.99 * late[:half].mean():
        return None
    weaker = now.config.optimization.l2 * 0.1
    return Finding(
        "underfitting", train, (0.8, 1.0), "",
        f"Training accuracy has settled at {train:.0%}, as validation has: too small a network,"
        " or held back too much.",
        SetKnob("optimization.l2", weaker if weaker >= 1e-6 else 0.0),
        "Less L2; or more units, in a new run.",
        "accuracy",
    )  # fmt: skip


@RULES.register("update ratio")
def update_ratio(now: Snapshot) -> Finding | None:
    """Each step changes the weights by far more, or far less, than a thousandth."""
    ratio = _ratio(now)
    if now.step < SETTLED or not ratio > 10**-1.5:
        return None
    return Finding(
        "update ratio", ratio, (10**-4.5, 10**-1.5), "",
        f"A step changes the weights by {ratio:.1%}: a tenth of a percent is usual.",
        _slower(now, 0.3), "Learning rate × 0.3.",
        "updates",
    )  # fmt: skip


# ---- what rules share ---------------------------------------------------------------------------


def _signal(now: Snapshot, rule: str, verb: str, bad: Callable[[float], bool]) -> Finding | None:
    hidden = _hidden(now)
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
        _draw(better), f"Draw weights that keep its size, by {better}; or batch norm.",
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


def _hidden(now: Snapshot) -> tuple[LayerFrame, ...]:
    return now.layers[:-1]


def _or(value: float, otherwise: float) -> float:
    return value if math.isfinite(value) else otherwise


def _recently(now: Snapshot, name: str) -> float:
    """The median of a curve's last rows, none of them from before the last change."""
    return trends.recent(now.curves, name, _changed(now))


def _changed(now: Snapshot) -> int:
    """The first row after the last change."""
    return now.markers[-1].row if now.markers else 0


def _loss(now: Snapshot) -> float:
    return _recently(now, "loss")


def _best(now: Snapshot) -> float:
    """The lowest loss so far, each time over so many rows that one lucky batch does not count."""
    return trends.lowest(now.curves, "loss")


def _ratio(now: Snapshot) -> float:
    """The median over the layers of what the last steps did to their weights."""
    return trends.ratio(now.curves, _changed(now))


def _slower(now: Snapshot, factor: float) -> SetKnob:
    allowed = SETTINGS[RATE].values
    rate = float(f"{now.config.optimization.learning_rate * factor:.2g}")
    if isinstance(allowed, Range):
        rate = min(max(rate, allowed.low), allowed.high)
    return SetKnob(RATE, rate)


def _draw(initializer: str) -> Command:
    return SetKnob("model.initializer", Choice(initializer))

"""Rules of how well it has learned: overfitting, underfitting, and the size of its updates."""

import math

import numpy as np

from engine.commands import SetKnob
from engine.diagnosis import trends
from engine.diagnosis.rules import RULES, SETTLED, recently, set_rate, update_ratio_now
from engine.telemetry import Finding, Snapshot


@RULES.register("overfitting")
def overfitting(now: Snapshot) -> Finding | None:
    """It knows the training examples by heart: the gap to validation grows, its loss rises."""
    judged, best = trends.judged(now.curves)
    if now.step < SETTLED or judged < trends.RECENT:
        return None
    gap = recently(now, "train_accuracy") - recently(now, "validation_accuracy")
    last = recently(now, "validation_loss")
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
    train = recently(now, "train_accuracy")
    gap = train - recently(now, "validation_accuracy")
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
    ratio = update_ratio_now(now)
    if now.step < SETTLED or not ratio > 10**-1.5:
        return None
    return Finding(
        "update ratio", ratio, (10**-4.5, 10**-1.5), "",
        f"A step changes the weights by {ratio:.1%}: a tenth of a percent is usual.",
        set_rate(now, 0.3), "Learning rate × 0.3.",
        "updates",
    )  # fmt: skip

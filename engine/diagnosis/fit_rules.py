"""Rules of how well it has learned: overfitting, underfitting, and the size of its updates."""

import math
from collections.abc import Iterator

import numpy as np

from engine.diagnosis import trends
from engine.diagnosis.remedies import Remedy, Symptom
from engine.diagnosis.rules import (
    RULES,
    SETTLED,
    rate_times,
    recently,
    turned,
    update_ratio_now,
)
from engine.registry import Choice
from engine.telemetry import Snapshot


@RULES.register("overfitting")
def overfitting(now: Snapshot) -> Symptom | None:
    """It knows the training examples by heart: the gap to validation grows, its loss rises."""
    judged, best = trends.judged(now.curves)
    if now.step < SETTLED or judged < trends.RECENT:
        return None
    gap = recently(now, "train_accuracy") - recently(now, "validation_accuracy")
    last = recently(now, "validation_loss")
    if not (gap > 0.125 or (gap > 0.1 and last > 1.2 * best)):
        return None
    risen = last / best if best > 0 else math.inf  # hinge loss comes down to exactly 0
    return Symptom(
        "overfitting", gap, (0.0, 0.1), "",
        f"Training accuracy is {gap:.0%} above validation, whose loss is at {risen:.1f} times"
        " its best.",
        _held_back(now), "accuracy",
    )  # fmt: skip


def _held_back(now: Snapshot) -> Iterator[Remedy]:
    """What keeps a network from learning examples by heart."""
    stronger = min(max(10 * now.config.optimization.l2, 1e-4), 1.0)
    yield turned("optimization.l2", stronger, f"L2 strength {stronger:g}; or more dropout.")
    more = min(now.config.model.dropout + 0.25, 0.75)
    if now.config.model.hidden:
        yield turned("model.dropout", more, f"Dropout {more:g}; or more examples.")


@RULES.register("underfitting")
def underfitting(now: Snapshot) -> Symptom | None:
    """It has stopped improving, at a poor level, and no better on training than on validation."""
    train = recently(now, "train_accuracy")
    gap = train - recently(now, "validation_accuracy")
    if now.step < 10 * SETTLED or not (train < 0.8 and gap < 0.05):
        return None
    late = now.curves["loss"][np.searchsorted(now.curves["step"], 0.6 * now.step, side="right") :]
    half = len(late) // 2
    if len(late) < trends.RECENT or not late[half:].mean() > 0.99 * late[:half].mean():
        return None
    return Symptom(
        "underfitting", train, (0.8, 1.0), "",
        f"Training accuracy has settled at {train:.0%}, as validation has: too small a network,"
        " or held back too much.",
        _set_free(now), "accuracy",
    )  # fmt: skip


def _set_free(now: Snapshot) -> Iterator[Remedy]:
    """What lets a network learn more: no penalties first, then more of the network."""
    model, optimization = now.config.model, now.config.optimization
    weaker = optimization.l2 * 0.1
    yield turned(
        "optimization.l2",
        weaker if weaker >= 1e-6 else 0.0,
        "Less L2.",
    )
    yield turned("optimization.l1", 0.0, "No L1.")
    yield turned("optimization.max_norm", 0.0, "No max norm.")
    yield turned("model.dropout", 0.0, "No dropout.")
    if model.activation.name == "identity":
        yield turned("model.activation", Choice("ReLU"), "A nonlinearity, such as ReLU.")
    if len(model.hidden) < 2:
        yield turned("model.hidden", "64, 64", "Two hidden layers of 64 units, in a new run.")


@RULES.register("update ratio")
def update_ratio(now: Snapshot) -> Symptom | None:
    """Each step changes the weights by far more, or far less, than a thousandth."""
    ratio = update_ratio_now(now)
    if now.step < SETTLED or not ratio > 10**-1.5:
        return None
    return Symptom(
        "update ratio", ratio, (10**-4.5, 10**-1.5), "",
        f"A step changes the weights by {ratio:.1%}: a tenth of a percent is usual.",
        [rate_times(now, 0.3)], "updates",
    )  # fmt: skip

"""The rule about regularization that is too strong for the network to learn."""

import math
from collections.abc import Iterator

from engine.diagnosis import trends
from engine.diagnosis.remedies import Remedy, Symptom
from engine.diagnosis.rules import (
    PENALTIES,
    RULES,
    SETTLED,
    WEAK,
    last_change,
    loss_now,
    recently,
    shown_by,
    steps_since_change,
    turned,
    untaught_loss,
    weaker_penalties,
)
from engine.measure.snapshot import Snapshot
from engine.number_format import percent, written
from engine.training.config import SETTINGS

LIMIT = "optimization.max_norm"
STRENGTHS = (*PENALTIES, LIMIT, "model.dropout")
REDRAWN = ("model.initializer", "model.activation", "optimization.loss")


@RULES.register("regularization too strong")
@shown_by("regularization-raises-it")
def regularization_too_strong(now: Snapshot) -> Symptom | None:
    """A penalty or a norm limit keeps the weights so small that the network cannot learn."""
    if steps_since_change(now) < SETTLED:
        return None
    found = _has_cost_accuracy(now) or _holds_the_weights(now)
    if found or not loss_now(now) > 0.8 * untaught_loss(now):
        return found
    return _has_shrunk_the_weights(now) or _outweighs_the_loss(now)


def _has_cost_accuracy(now: Snapshot) -> Symptom | None:
    """After a change of a setting, accuracy has fallen on the training examples too."""
    since = last_change(now, *STRENGTHS, *REDRAWN)
    if since.path not in STRENGTHS or not now.config.value(since.path):
        return None
    before = trends.before(now.curves, "train_accuracy", since.row)
    accuracy = recently(now, "train_accuracy")
    if not accuracy < before - 0.1:
        return None
    return _symptom(_weaker(now, since.path), accuracy, (before - 0.1, 1.0),
        f"Since the change “{since.text}” it is right on fewer training examples:"
        f" {percent(accuracy)} after {percent(before)}." if now.data.classes else
        f"Since the change “{since.text}” the training R² has fallen from {before:.2f} to"
        f" {accuracy:.2f}.",
    )  # fmt: skip


def _holds_the_weights(now: Snapshot) -> Symptom | None:
    """The weights are as long as the max norm allows, and the loss is still near its start."""
    loss, most = loss_now(now), 0.8 * untaught_loss(now)
    if not loss > most or not _limits(now):
        return None
    limit = written(now.config.optimization.max_norm)
    return _symptom(
        _weaker(now, LIMIT), loss, (0.0, most),
        f"Max norm {limit} keeps the weights so small that the loss stays near its start.",
    )  # fmt: skip


def _has_shrunk_the_weights(now: Snapshot) -> Symptom | None:
    """The penalty is almost 0, and so are the weights, but the network has learned nothing yet."""
    path = max(PENALTIES, key=now.config.value)
    if not now.config.value(path) > WEAK:
        return None
    row = last_change(now, *STRENGTHS, *REDRAWN).row
    penalty = now.curves["penalty"][row:]
    first = next((float(x) for x in penalty if math.isfinite(x)), math.nan)
    left = recently(now, "penalty") / first if first > 0 else math.nan
    if not left < 0.05:
        return None
    label = SETTINGS[path].label
    return _symptom(
        weaker_penalties(now), left, (0.05, math.inf),
        f"{label} {written(now.config.value(path))} has shrunk the weights to nearly nothing.",
    )  # fmt: skip


def _outweighs_the_loss(now: Snapshot) -> Symptom | None:
    """The penalty is far above the loss, so that training lowers the penalty alone."""
    penalty, most = recently(now, "penalty"), 10 * untaught_loss(now)
    path = max(PENALTIES, key=now.config.value)
    if not penalty > most or not now.config.value(path) > WEAK:
        return None
    strength = f"{SETTINGS[path].label} {written(now.config.value(path))}"
    return _symptom(
        weaker_penalties(now), penalty, (0.0, most),
        f"{strength} makes a penalty of {written(penalty, 3)}, beside which the loss of"
        f" {written(loss_now(now), 3)} hardly counts.",
    )  # fmt: skip


def _limits(now: Snapshot) -> bool:
    """Whether the weights into each score are as long as the max norm lets them be."""
    longest = now.config.optimization.max_norm * math.sqrt(len(now.data.classes) or 1)
    return longest > 0 and now.tensors[-1].norm > 0.9 * longest


def _symptom(
    remedies: Iterator[Remedy], number: float, band: tuple[float, float], cause: str
) -> Symptom:
    return Symptom("regularization too strong", number, band, "", cause, remedies, "accuracy")


def _weaker(now: Snapshot, path: str) -> Iterator[Remedy]:
    """First less of it, then none."""
    label, value = SETTINGS[path].label, now.config.value(path)
    factor = 5 if path == LIMIT else 0.5 if path == "model.dropout" else 0.1
    weaker = float(f"{value * factor:.2g}")
    yield turned(path, weaker, f"{label} {written(weaker)}.")
    yield turned(path, 0.0, f"{label} 0.")

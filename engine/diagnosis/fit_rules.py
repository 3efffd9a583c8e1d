"""Rules about the fit: overfitting, underfitting, and the size of the updates."""

import math
from collections.abc import Iterator

from engine.diagnosis import trends
from engine.diagnosis.remedies import Remedy, Symptom
from engine.diagnosis.rules import (
    RULES,
    SETTLED,
    STRONG,
    VERY_HIGH_RATIO,
    WEAK,
    has_left_chance,
    last_change,
    recently,
    shown_by,
    smaller_steps,
    steps_since_change,
    turned,
    update_ratio_now,
)
from engine.measure.snapshot import Snapshot
from engine.memoize import memoize
from engine.number_format import percent, written
from engine.registry import Choice
from engine.training.config import RunConfig
from engine.training.evaluation import EVALUATED
from engine.training.history import Curves

HEALTHY_GAP = 0.1  # between training and validation accuracy, chance included
GAP, GAP_OF_RISEN = 0.09, 0.07  # beyond chance; the latter if the validation loss has risen
# Training examples: so few any network learns by heart, and one chooses them to see whether it can.
BY_HEART = 20
CHANCE_GAP_OF_VALUES = 0.2  # of R², between the two sets of a run that has just begun
LOSS = ("model.initializer", "optimization.loss")  # earlier losses do not compare


@RULES.register("overfitting")
@shown_by("the-gap-is-overfitting")
def overfitting(now: Snapshot) -> Symptom | None:
    """The gap between training and validation grows, and the validation loss rises."""
    if steps_since_change(now) < SETTLED or _to_be_learned_by_heart(now):
        return None
    first, first_of_loss = last_change(now).row, last_change(now, *LOSS).row
    gap = trends.recent_gap(now.curves, first)
    excess = gap - _chance_gap(now, recently(now, "validation_accuracy"))
    if not excess > GAP_OF_RISEN:
        return None
    if trends.evaluations(now.curves, first) < trends.FEWEST:
        return None
    risen = trends.risen(now.curves, first_of_loss)
    if not excess > (GAP_OF_RISEN if risen > 1.2 else GAP):
        return None
    gap_in_words = _gap_of_accuracies if now.data.classes else _gap_of_r_squared
    evidence = gap_in_words(now.curves, first) + _rise_of_loss(now.curves, first_of_loss)
    return Symptom(
        "overfitting", gap, (0.0, HEALTHY_GAP), "", evidence,
        _held_back(now.config) if now.data.training > BY_HEART else (), "accuracy",
        by_hand="More examples would help now, or a smaller network.",
    )  # fmt: skip


@memoize  # in words once for each row: an overfitting run says it in each frame
def _gap_of_accuracies(curves: Curves, first: int) -> str:
    gap = trends.recent_gap(curves, first)
    return f"Training accuracy is {100 * gap:.0f} points above validation"


@memoize
def _gap_of_r_squared(curves: Curves, first: int) -> str:
    train = trends.recent(curves, "train_accuracy", first)
    validation = trends.recent(curves, "validation_accuracy", first)
    return f"The training R² is {train:.2f}, that of validation {validation:.2f}"


@memoize
def _rise_of_loss(curves: Curves, first: int) -> str:
    risen = trends.risen(curves, first)
    return f", whose loss is at {risen:.1f} times its best." if risen > 1.1 else "."


def _to_be_learned_by_heart(now: Snapshot) -> bool:
    """Whether someone chose so few examples that overfitting them is what is wanted."""
    examples = now.config.data.examples
    return examples is not None and examples <= BY_HEART


def _chance_gap(now: Snapshot, validation: float) -> float:
    """The gap that chance alone explains: two standard errors of the validation accuracy."""
    if not now.data.classes:
        return CHANCE_GAP_OF_VALUES
    examples = min(EVALUATED, now.data.validation)
    # Two right and two wrong ones more: none right of a single one is no proof (Agresti 1998).
    share = (min(max(validation, 0.0), 1.0) * examples + 2) / (examples + 4)
    return 2 * math.sqrt(share * (1 - share) / examples)


@memoize  # found at each frame, mostly under the same config
def _held_back(config: RunConfig) -> tuple[Remedy, ...]:
    """Regularization against overfitting."""
    found: list[Remedy] = []
    stronger = max(10 * config.optimization.l2, 1e-3)
    if stronger <= 0.01:
        text = f"L2 strength {written(stronger)}; or more dropout."
        found.append(turned("optimization.l2", stronger, text))
    if config.model.hidden and config.model.dropout < 0.5:
        found.append(turned("model.dropout", 0.5, "Dropout 0.5; or more examples."))
    return tuple(found)


@RULES.register("underfitting")
@shown_by("no-gap-more-capacity")
def underfitting(now: Snapshot) -> Symptom | None:
    """It has stopped improving at a poor level, on the training set as on the validation set."""
    if steps_since_change(now) < 10 * SETTLED:
        return None
    train = recently(now, "train_accuracy")
    gap = train - recently(now, "validation_accuracy")
    if not (train < 0.8 and gap < 0.05):
        return None
    if not has_left_chance(now) or not trends.settled(now.curves, last_change(now).row):
        return None
    score = f"accuracy has settled at {percent(train)}"
    if not now.data.classes:
        score = f"R² has settled at {train:.2f}"
    return Symptom(
        "underfitting", train, (0.8, 1.0), "",
        f"Training {score}, as validation has: too small a network, or held back too much.",
        _set_free(now), "accuracy",
    )  # fmt: skip


def _set_free(now: Snapshot) -> Iterator[Remedy]:
    """Remedies against underfitting: first less regularization, then a larger network."""
    model, optimization = now.config.model, now.config.optimization
    if optimization.l2 > WEAK:
        weaker = min(float(f"{0.1 * optimization.l2:.2g}"), STRONG)
        yield turned("optimization.l2", weaker, f"L2 strength {written(weaker)}.")
    yield turned("optimization.l1", 0.0, "No L1.")
    yield turned("optimization.max_norm", 0.0, "No max norm.")
    if model.hidden:
        yield turned("model.dropout", 0.0, "No dropout.")
    if model.activation.name == "identity":
        yield turned("model.activation", Choice("ReLU"), "A nonlinearity, such as ReLU.")
    if len(model.hidden) < 2:
        yield turned("model.hidden", "64, 64", "Two hidden layers of 64 units, in a new run.")
    yield turned("optimization.l2", 0.0, "No L2.")


@RULES.register("update ratio")
@shown_by("update-ratio")
def update_ratio(now: Snapshot) -> Symptom | None:
    """Each step changes the weights by far more than a thousandth of their size."""
    if steps_since_change(now) < SETTLED:
        return None
    ratio = update_ratio_now(now)
    if not ratio > VERY_HIGH_RATIO:
        return None
    return Symptom(
        "update ratio", ratio, (10**-4.5, VERY_HIGH_RATIO), "",
        f"A step changes the weights by {percent(ratio, 1)}: a tenth of a percent is usual.",
        [smaller_steps(now)], "updates",
    )  # fmt: skip

"""The rule of a run that is no better than one answer for all examples, whatever holds it back."""

from collections.abc import Iterator

from engine.diagnosis import trends
from engine.diagnosis.remedies import Remedy, Symptom
from engine.diagnosis.rules import (
    HEALTHY_RATIO,
    HIGH_RATIO,
    LEFT,
    RULES,
    SETTLED,
    WEAK,
    batch_norm,
    fewer_layers,
    fitting_initializer,
    has_left_chance,
    last_change,
    rate_times,
    redrawn,
    shown_by,
    smaller_steps,
    steps_since_change,
    turned,
    update_ratio_now,
    weaker_penalties,
)
from engine.measure.snapshot import Snapshot
from engine.number_format import written
from engine.registry import Choice


@RULES.register("nothing learned")
@shown_by("overfit-20-examples")
def nothing_learned(now: Snapshot) -> Symptom | None:
    """The loss has settled, and the same answer for all examples would have no higher one."""
    if steps_since_change(now) < 10 * SETTLED or has_left_chance(now):
        return None
    loss, constant = now.metrics.train_loss, now.metrics.constant_loss
    # The loss of mini-batches is higher with dropout, so that of evaluation must agree.
    if not loss > LEFT * constant > 0 or not trends.settled(now.curves, last_change(now).row):
        return None
    return Symptom(
        "nothing learned", loss, (0.0, LEFT * constant), "",
        f"The training loss has settled at {written(loss, 3)}: the same answer for all examples"
        f" has {written(constant, 3)}.",
        _remedies(now), "loss",
        by_hand="Look at the data: the inputs may not tell what is to be predicted.",
    )  # fmt: skip


def _remedies(now: Snapshot) -> Iterator[Remedy]:
    """First what holds the weights, then steps of the wrong size, then the network."""
    model, optimization = now.config.model, now.config.optimization
    if max(optimization.l1, optimization.l2) > WEAK:
        yield from weaker_penalties(now)
    yield turned("optimization.max_norm", 0.0, "No max norm.")
    if model.hidden:
        yield turned("model.dropout", 0.0, "No dropout.")
    ratio = update_ratio_now(now)
    if ratio > HIGH_RATIO:
        yield smaller_steps(now)
    elif ratio < 0.1 * HEALTHY_RATIO:
        yield rate_times(now, 10)
    if model.activation.name == "identity":
        yield turned("model.activation", Choice("ReLU"), "A nonlinearity, such as ReLU.")
    if len(model.hidden) < 2:
        yield turned("model.hidden", "64, 64", "Two hidden layers of 64 units, in a new run.")
    better = fitting_initializer(now.config)
    yield redrawn(better, f"Draw the weights by {better}.")
    yield from batch_norm(now)
    if len(model.hidden) > 2:
        yield from fewer_layers(now)

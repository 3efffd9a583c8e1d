"""Rules about how the loss falls: the learning rate, its schedule, the first loss, a plateau."""

import math
from collections.abc import Iterator

from engine.diagnosis import trends
from engine.diagnosis.remedies import Remedy, Symptom
from engine.diagnosis.rules import (
    HEALTHY_RATIO,
    HIGH_RATIO,
    RATE,
    RULES,
    SETTLED,
    VERY_HIGH_RATIO,
    batch_norm,
    finite_or,
    fitting_initializer,
    has_fresh_first_loss,
    has_left_chance,
    last_change,
    loss_now,
    rate_times,
    redrawn,
    shown_by,
    smaller_steps,
    starting_loss,
    steps_since_change,
    turned,
    untaught_loss,
    update_ratio_now,
)
from engine.measure.snapshot import Snapshot, Status
from engine.number_format import percent, written
from engine.registry import Choice
from engine.training.commands import SetKnob

# Changes of the objective, after which earlier values of it are incomparable.
OBJECTIVE = (
    "model.initializer", "model.activation", "model.dropout",
    "optimization.loss", "optimization.l2", "optimization.l1", "optimization.max_norm",
)  # fmt: skip

LOW_RATIO, LOW_RATIO_IN_VAIN = 10**-4.5, 1e-4
HIGHEST_RATE, USUAL_RATE = 1.0, 0.1  # above the former, hardly any weights are small enough


@RULES.register("learning rate too high")
@shown_by("still-too-high")
def rate_too_high(now: Snapshot) -> Symptom | None:
    """The loss no longer falls, or rises, while each step still changes the weights greatly."""
    if steps_since_change(now) < SETTLED:
        return None
    curves, start, ratio = now.curves, starting_loss(now), update_ratio_now(now)
    if not ratio > HIGH_RATIO:  # which is below VERY_HIGH_RATIO
        return None
    best = trends.least_objective(curves, last_change(now, *OBJECTIVE).row)
    loss = trends.objective_now(curves, last_change(now).row)
    risen = loss > 1.5 * best + 0.1 * start
    high = loss_now(now) > 0.8 * untaught_loss(now) and ratio > VERY_HIGH_RATIO
    if not (risen or high):
        return None
    best = min(best, loss)  # if there are too few rows for a median
    return Symptom(
        "learning rate too high", loss, (0.0, 1.5 * best), "",
        f"The loss is {written(loss, 3)} after {written(best, 3)} at best, and a step changes"
        " the weights by"
        f" {percent(ratio, 1)}.",
        [smaller_steps(now)], "loss",
    )  # fmt: skip


@RULES.register("schedule has ended")
@shown_by("schedules")
def schedule_has_ended(now: Snapshot) -> Symptom | None:
    """The schedule has lowered the learning rate to almost 0 before much was learned."""
    wanted, rate = now.config.optimization.learning_rate, now.metrics.learning_rate
    if not _hardly_moves(now) or not rate < 0.01 * wanted:
        return None
    name = now.config.optimization.schedule.name
    return Symptom(
        "schedule has ended", rate, (0.01 * wanted, wanted), "",
        f"The schedule “{name}” has brought the learning rate from {written(wanted)} down to"
        f" {written(rate, 1)}.",
        [turned("optimization.schedule", Choice("constant"), "A constant learning rate.")],
        "updates",
    )  # fmt: skip


@RULES.register("learning rate too low")
@shown_by("rate-too-low")
def rate_too_low(now: Snapshot) -> Symptom | None:
    """Each step changes the weights by almost nothing, and the loss has hardly moved."""
    if not _hardly_moves(now) or schedule_has_ended(now):
        return None
    ratio = update_ratio_now(now)
    times = min(1e4, 10 ** round(math.log10(HEALTHY_RATIO / max(ratio, 1e-12))))
    return Symptom(
        "learning rate too low", ratio, (_least_ratio(now), 10**-1.5), "",
        f"A step changes the weights by a factor of {written(ratio, 1)} only: 0.001 is usual.",
        [rate_times(now, times)], "updates",
    )  # fmt: skip


def _hardly_moves(now: Snapshot) -> bool:
    """Whether the updates are tiny although the loss has not converged."""
    if steps_since_change(now) < SETTLED or now.step < now.config.optimization.warm_up:
        return False
    learned = loss_now(now) < 0.5 * starting_loss(now) and has_left_chance(now)
    return update_ratio_now(now) < _least_ratio(now) and not learned


def _least_ratio(now: Snapshot) -> float:
    """The update/weight ratio below which steps are tiny; after many in vain, a larger one."""
    in_vain = steps_since_change(now) >= 10 * SETTLED and not has_left_chance(now)
    return LOW_RATIO_IN_VAIN if in_vain else LOW_RATIO


@RULES.register("first loss")
@shown_by("first-loss")
def first_loss(now: Snapshot) -> Symptom | None:
    """The first loss is far from that of equal scores: the scores start too large."""
    first, chance = now.metrics.first_loss, finite_or(now.metrics.chance_loss, _of_0(now))
    # Squares grow faster: scores of size 1, as usual weights give them, may have 10 times its loss.
    low, high = (0.3, 4) if math.isfinite(now.metrics.chance_loss) else (0, 30)
    if not has_fresh_first_loss(now) or not chance > 0 or low * chance <= first <= high * chance:
        return None
    drawn = last_change(now, "model.initializer").row
    if trends.least_objective(now.curves, drawn) < 0.5 * chance:  # the run has recovered
        return None
    return Symptom(
        "first loss", first, (low * chance, high * chance), "",
        f"The first loss was {written(first, 3)}, but a network that knows nothing has"
        f" {written(chance, 3)}.",
        _smaller_weights(now), "loss",
    )  # fmt: skip


def _of_0(now: Snapshot) -> float:
    """The mean squared error of a network whose scores are all 0, or nearly."""
    return max(now.metrics.constant_loss, finite_or(now.data.target_size, 0.0) ** 2)


def _smaller_weights(now: Snapshot) -> Iterator[Remedy]:
    rate = now.config.optimization.learning_rate
    if now.status is Status.DIVERGED and rate > HIGHEST_RATE:
        text = f"Draw smaller weights, by Xavier, at a learning rate of {written(USUAL_RATE)}."
        turns = SetKnob("model.initializer", Choice("Xavier")), SetKnob(RATE, USUAL_RATE)
        yield Remedy(text, turns)
    yield redrawn("Xavier", "Draw smaller weights, by Xavier.")
    tenth = Choice("Xavier", {"scale": 0.1})
    yield turned("model.initializer", tenth, "Draw weights of a tenth of the size.")
    yield from batch_norm(now)


@RULES.register("plateau")
@shown_by("flat-start-sudden-drop")
def plateau(now: Snapshot) -> Symptom | None:
    """The loss stayed flat for long before it fell: bad initial weights are the prime suspect."""
    since = steps_since_change(now)
    if since < 4 * SETTLED:
        return None
    level = finite_or(now.metrics.chance_loss, starting_loss(now))
    until = trends.flat(now.curves, last_change(now).row, level)
    if until < 2 * SETTLED or until < 0.15 * since:
        return None
    better = fitting_initializer(now.config)
    return Symptom(
        "plateau", until, (0, 0.15 * since), "",
        f"The loss stayed at {written(level, 3)}, where one starts, for {until:,.0f} steps.",
        [redrawn("He", "Draw larger weights, by He."), redrawn(better, f"Draw them by {better}."),
         *batch_norm(now)],
        "loss",
    )  # fmt: skip

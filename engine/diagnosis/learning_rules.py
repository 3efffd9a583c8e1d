"""Rules of how the loss falls: the learning rate, the first loss, a plateau."""

import math

from engine.diagnosis import trends
from engine.diagnosis.remedies import Symptom
from engine.diagnosis.rules import (
    RULES,
    SETTLED,
    WANTED,
    batch_norm,
    best_loss,
    finite_or,
    loss_now,
    rate_times,
    redrawn,
    update_ratio_now,
)
from engine.telemetry import Snapshot


@RULES.register("learning rate too high")
def rate_too_high(now: Snapshot) -> Symptom | None:
    """The loss has stopped falling, or rises, while every step still throws the weights about."""
    if now.step < SETTLED:
        return None
    loss, best, first = loss_now(now), best_loss(now), now.gauges.first_loss
    risen, high = loss > 1.5 * best + 0.1 * first, loss > 0.8 * first
    if not (risen or high):
        return None
    ratio = update_ratio_now(now)
    if not risen and ratio < 10**-1.5:
        return None
    return Symptom(
        "learning rate too high", loss, (0.0, 1.5 * best), "",
        f"The loss is {loss:.3g} after {best:.3g} at best, and a step changes the weights by"
        f" {ratio:.1%}.",
        [rate_times(now, 0.3)], "loss",
    )  # fmt: skip


@RULES.register("learning rate too low")
def rate_too_low(now: Snapshot) -> Symptom | None:
    """Each step changes the weights by next to nothing, and the loss has hardly moved."""
    if now.step < SETTLED or loss_now(now) < 0.5 * now.gauges.first_loss:
        return None
    ratio = update_ratio_now(now)
    if not ratio < 10**-4.5:
        return None
    times = min(1e4, 10 ** round(math.log10(WANTED / max(ratio, 1e-12))))
    return Symptom(
        "learning rate too low", ratio, (10**-4.5, 10**-1.5), "",
        f"A step changes the weights by a factor of {ratio:.1g} only: 0.001 is usual.",
        [rate_times(now, times)], "updates",
    )  # fmt: skip


@RULES.register("first loss")
def first_loss(now: Snapshot) -> Symptom | None:
    """The first loss is far from that of equal scores: the scores start too large."""
    first, chance = now.gauges.first_loss, now.gauges.chance_loss
    if not chance > 0 or 0.3 * chance <= first <= 4 * chance:
        return None
    return Symptom(
        "first loss", first, (0.3 * chance, 4 * chance), "",
        f"The first loss was {first:.3g}, but a network that knows nothing has {chance:.3g}.",
        [redrawn("Xavier", "Draw smaller weights, by Xavier.")], "loss",
    )  # fmt: skip


@RULES.register("plateau")
def plateau(now: Snapshot) -> Symptom | None:
    """The loss stayed flat for long before it moved: bad initial weights are the prime suspect."""
    if now.step < 4 * SETTLED:
        return None
    drawn = max((m.row for m in now.markers if m.text.startswith("Initializer")), default=0)
    chance = finite_or(now.gauges.chance_loss, now.gauges.first_loss)
    until = trends.flat(now.curves, drawn, chance)
    if until < 2 * SETTLED or until < 0.15 * now.step:
        return None
    return Symptom(
        "plateau", until, (0, 0.15 * now.step), "",
        f"The loss stayed at {chance:.3g}, where one starts, for {until:,.0f} steps.",
        [redrawn("He", "Draw larger weights, by He."), batch_norm()], "loss",
    )  # fmt: skip

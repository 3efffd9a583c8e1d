"""The rule of a run whose loss is no longer a finite number."""

from collections.abc import Iterator

from engine.diagnosis.remedies import Remedy, Symptom
from engine.diagnosis.rules import (
    RATE,
    RULES,
    batch_norm,
    restarted_at,
    scaled_rate,
    shown_by,
    weaker_penalties,
)
from engine.measure.snapshot import Snapshot, Status
from engine.number_format import written
from engine.training.commands import SetKnob
from engine.training.config import RunConfig

ENOUGH = 2  # times the rate was lowered without success


@RULES.register("exploding")
@shown_by("rate-too-high-nan")
def exploding(now: Snapshot) -> Symptom | None:
    """The loss is no longer a finite number: nearly always a learning rate that is too high."""
    if now.status is not Status.DIVERGED:
        return None
    return Symptom(
        "exploding",
        float(now.curves["loss"][-1]),
        (0.0, now.metrics.first_loss),
        "",
        now.message,
        _remedies(now),
        "loss",
    )


def _remedies(now: Snapshot) -> Iterator[Remedy]:
    optimization = now.config.optimization
    rate = optimization.learning_rate
    if now.diverged_under and _is_gentler(now.config, now.diverged_under):
        yield Remedy(f"Restart with what is set now, a learning rate of {written(rate)}.", ())
    if rate * optimization.l2 > 2 and rate <= 1:
        l2 = float(f"{0.1 / rate:.2g}")
        yield Remedy(f"L2 strength {written(l2)}, then restart.", (SetKnob("optimization.l2", l2),))
    if rate * optimization.l1 > 1 and rate <= 1:
        yield from weaker_penalties(now)
    lowered = [change.path for change in now.followed].count(RATE)
    if lowered < ENOUGH:
        yield from _lower_rate(now)
    yield Remedy("Clip the gradient at 1, then restart.", (SetKnob("optimization.clip", 1.0),))
    yield Remedy("No dropout, then restart.", (SetKnob("model.dropout", 0.0),))
    yield from batch_norm(now)
    if lowered == ENOUGH:
        yield from _lower_rate(now)


def _lower_rate(now: Snapshot) -> Iterator[Remedy]:
    # From absurdly high rates, a tenth of which explodes as well, go straight to a usual one.
    for factor in (min(0.1, 0.1 / now.config.optimization.learning_rate), 0.3):
        yield restarted_at(scaled_rate(now.config, factor))


def _is_gentler(config: RunConfig, before: RunConfig) -> bool:
    """Whether the change may be the reason that the next run does not diverge."""
    if config.value(RATE) != before.value(RATE):
        return bool(config.value(RATE) < before.value(RATE))
    return config != before

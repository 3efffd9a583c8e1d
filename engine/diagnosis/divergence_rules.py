"""The rule of a run whose loss is no longer a finite number."""

from engine.diagnosis.rules import RULES, set_rate
from engine.telemetry import Finding, Snapshot, Status


@RULES.register("exploding")
def exploding(now: Snapshot) -> Finding | None:
    """The loss is no longer a finite number: nearly always a learning rate that is too high."""
    if now.status is not Status.DIVERGED:
        return None
    # From absurd rates, where every tenth explodes as well, straight to what may do.
    remedy = set_rate(now, min(0.1, 0.1 / now.config.optimization.learning_rate))
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

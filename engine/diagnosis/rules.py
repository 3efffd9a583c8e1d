"""The registry of rules, and what the rules share.

A rule looks at a snapshot alone. Its bands were set on our own data:
`tests/engine/test_diagnosis.py` holds that a healthy run of each bundled set has no finding, and
that each failure of the lecture has the right one first.
"""

import math
from collections.abc import Callable

from engine.commands import Command, SetKnob
from engine.config import SETTINGS
from engine.diagnosis import trends
from engine.registry import Choice, Range, Registry
from engine.telemetry import Finding, LayerFrame, Snapshot

type Rule = Callable[[Snapshot], Finding | None]

RULES: Registry[Finding | None] = Registry("rule")

RATE = "optimization.learning_rate"
SETTLED = 50  # steps before curves say anything
WANTED = 1e-3  # of the size of the weights, as the size of an update


def hidden_layers(now: Snapshot) -> tuple[LayerFrame, ...]:
    """The layers whose output is shown, without the scores."""
    return now.layers[:-1]


def finite_or(value: float, otherwise: float) -> float:
    """The value, or `otherwise` where it is NaN or infinite."""
    return value if math.isfinite(value) else otherwise


def recently(now: Snapshot, name: str) -> float:
    """The median of a curve's last rows, none of them from before the last change."""
    return trends.recent(now.curves, name, last_change(now))


def last_change(now: Snapshot) -> int:
    """The first row after the last change."""
    return now.markers[-1].row if now.markers else 0


def loss_now(now: Snapshot) -> float:
    """The median loss of the last rows since the last change."""
    return recently(now, "loss")


def best_loss(now: Snapshot) -> float:
    """The lowest loss so far, each time over so many rows that one lucky batch does not count."""
    return trends.lowest(now.curves, "loss")


def update_ratio_now(now: Snapshot) -> float:
    """The median over the layers of what the last steps did to their weights."""
    return trends.ratio(now.curves, last_change(now))


def set_rate(now: Snapshot, factor: float) -> SetKnob:
    """The command that multiplies the learning rate, within what is allowed."""
    allowed = SETTINGS[RATE].values
    rate = float(f"{now.config.optimization.learning_rate * factor:.2g}")
    if isinstance(allowed, Range):
        rate = min(max(rate, allowed.low), allowed.high)
    return SetKnob(RATE, rate)


def set_initializer(initializer: str) -> Command:
    """The command that draws the weights anew."""
    return SetKnob("model.initializer", Choice(initializer))

"""The registry of rules, and what the rules share.

A rule looks at a snapshot alone. Its bands were set on our own data:
`tests/engine/test_diagnosis.py` holds that a healthy run of each bundled set has no finding, and
that each failure of the lecture has the right one first.
"""

import math
from collections.abc import Callable

from engine.activations import ACTIVATIONS
from engine.commands import SetKnob
from engine.config import SETTINGS, RunConfig
from engine.diagnosis import trends
from engine.diagnosis.remedies import Remedy, Symptom
from engine.registry import Choice, Range, Registry
from engine.telemetry import LayerFrame, Snapshot

type Rule = Callable[[Snapshot], Symptom | None]

RULES: Registry[Symptom | None] = Registry("rule")

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


# ---- remedies that several rules know ------------------------------------------------------


def turned(path: str, value: float | Choice | str, advice: str) -> Remedy:
    """One setting at another value."""
    return Remedy(advice, (SetKnob(path, value),))


def rate_times(now: Snapshot, factor: float) -> Remedy:
    """The learning rate times a factor, within what is allowed."""
    turn = set_rate(now.config, factor)
    return Remedy(f"Learning rate × {factor:g}.", (turn,))


def set_rate(config: RunConfig, factor: float) -> SetKnob:
    """The command that multiplies the learning rate, within what is allowed."""
    allowed = SETTINGS[RATE].values
    rate = float(f"{config.optimization.learning_rate * factor:.2g}")
    if isinstance(allowed, Range):
        rate = min(max(rate, allowed.low), allowed.high)
    return SetKnob(RATE, rate)


def redrawn(initializer: str, advice: str) -> Remedy:
    """New weights, drawn by another rule."""
    return turned("model.initializer", Choice(initializer), advice)


def fitting_initializer(config: RunConfig) -> str:
    """The rule that keeps a signal's size through this activation."""
    return "He" if ACTIVATIONS.build(config.model.activation).gain > 1 else "Xavier"


def batch_norm() -> Remedy:
    """What makes up for most of what weights can do wrong."""
    return turned("model.normalization", Choice("batch norm"), "Batch norm, in a new run.")

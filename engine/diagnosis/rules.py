"""The registry of rules, and what the rules share.

A rule looks at a snapshot alone. Its bands were set on our own data:
`tests/engine/test_diagnosis.py` holds that a healthy run of each bundled set has no finding, and
that each failure of the lecture has the right one first.
"""

import math
from collections.abc import Callable

from engine.diagnosis import trends
from engine.diagnosis.remedies import Remedy, Symptom
from engine.measure.snapshot import LayerStats, Marker, Snapshot
from engine.nn.activations import ACTIVATIONS
from engine.number_format import written
from engine.registry import Choice, Range, Registry
from engine.training.commands import SetKnob
from engine.training.config import SETTINGS, RunConfig
from engine.training.layer_specs import UNITS

type Rule = Callable[[Snapshot], Symptom | None]

RULES: Registry[Symptom | None] = Registry("rule")

RATE = "optimization.learning_rate"
BEGINNING = Marker(0, 0, "", "")
SETTLED = 50  # steps before curves say anything
FEW = 8  # examples, from which batch norm learns little about the others
WANTED = 1e-3  # of the size of the weights, as the size of an update
THROWN = 10**-2.25  # ... of one that explains why a loss rises, or units die
WILD = 10**-1.5  # ... or why a loss does not fall


def hidden_layers(now: Snapshot) -> tuple[LayerStats, ...]:
    """The layers whose output is shown, without the scores."""
    return now.layers[:-1]


def finite_or(value: float, otherwise: float) -> float:
    """The value, or `otherwise` where it is NaN or infinite."""
    return value if math.isfinite(value) else otherwise


def recently(now: Snapshot, name: str) -> float:
    """The median of a curve's last rows, none of them from before the last change."""
    return trends.recent(now.curves, name, last_change(now).row)


def last_change(now: Snapshot, *paths: str) -> Marker:
    """The last change of any of these settings, or of any at all; else the beginning."""
    for marker in reversed(now.markers):
        if marker.path in paths or not paths:
            return marker
    return BEGINNING


def steps_since_change(now: Snapshot) -> int:
    """Steps made under the settings of now."""
    return now.step - last_change(now).step


def loss_now(now: Snapshot) -> float:
    """The median loss of the last rows since the last change."""
    return recently(now, "loss")


def starting_loss(now: Snapshot) -> float:
    """The loss of fresh weights: the first, or of equal scores where that was another loss."""
    if has_fresh_first_loss(now):
        return now.metrics.first_loss
    return finite_or(now.metrics.chance_loss, now.metrics.first_loss)


def has_fresh_first_loss(now: Snapshot) -> bool:
    """Whether the first loss is that of weights as they are drawn, not of a trained network."""
    return last_change(now, "model.initializer", "optimization.loss").path != "optimization.loss"


def has_left_chance(now: Snapshot) -> bool:
    """Whether the loss is clearly below that of a network that knows nothing."""
    return not loss_now(now) > 0.95 * finite_or(now.metrics.chance_loss, math.inf)


def update_ratio_now(now: Snapshot) -> float:
    """The median over the layers of what the last steps did to their weights."""
    return trends.ratio(now.curves, last_change(now).row)


# ---- remedies that several rules know ------------------------------------------------------


def turned(path: str, value: float | Choice | str, advice: str) -> Remedy:
    """One setting at another value."""
    return Remedy(advice, (SetKnob(path, value),))


def rate_times(now: Snapshot, factor: float) -> Remedy:
    """The learning rate times a factor, within what is allowed."""
    turn = SetKnob(RATE, rate_by(now.config, factor))
    return Remedy(f"Learning rate × {written(factor)}.", (turn,))


def smaller_steps(now: Snapshot) -> Remedy:
    """A lower rate, by as much as updates are too large."""
    factor = 10.0 ** round(math.log10(THROWN / max(update_ratio_now(now), THROWN)))
    return rate_times(now, min(max(factor, 1e-3), 0.3))


def rate_by(config: RunConfig, factor: float) -> float:
    """The learning rate times a factor, within what is allowed."""
    allowed = SETTINGS[RATE].values
    rate = float(f"{config.optimization.learning_rate * factor:.2g}")
    if isinstance(allowed, Range):
        rate = min(max(rate, allowed.low), allowed.high)
    return rate


def restarted_at(rate: float) -> Remedy:
    """A new run of the same settings at this learning rate."""
    words = f"Learning rate {written(rate)}, then restart."
    return Remedy(words, (SetKnob(RATE, rate),), restart=True)


def redrawn(initializer: str, advice: str) -> Remedy:
    """New weights, drawn by another rule."""
    return turned("model.initializer", Choice(initializer), advice)


def fitting_initializer(config: RunConfig) -> str:
    """The rule that keeps a signal's size through this activation."""
    return "He" if ACTIVATIONS.build(config.model.activation).gain > 1 else "Xavier"


def batch_norm(now: Snapshot) -> tuple[Remedy, ...]:
    """What makes up for most of what weights can do wrong, where batches are large enough."""
    if now.config.optimization.batch_size < FEW or not now.config.model.hidden:
        return ()
    choice = Choice("batch norm")
    return (turned("model.normalization", choice, "Batch norm, in a new run."),)


def fewer_layers(now: Snapshot) -> tuple[Remedy, ...]:
    """What a signal or a gradient has fewer of to get through."""
    half = now.config.model.hidden[: len(now.config.model.hidden) // 2]
    if not half:
        return ()
    words = f"Half as many hidden layers: {UNITS.write(half)}, in a new run."
    return (turned("model.hidden", UNITS.write(half), words),)

"""The registry of rules, and what the rules share.

A rule reads nothing but a snapshot. Its thresholds were set on our own data:
`tests/engine/test_diagnosis.py` checks that a healthy run of each bundled data set has no finding,
and that each failure of the lecture has the right one first.
"""

import math
from collections.abc import Callable, Iterator

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
_LESSONS: dict[object, str] = {}  # by rule: the slug of the lesson that shows what it finds

RATE = "optimization.learning_rate"
PENALTIES = ("optimization.l2", "optimization.l1")
BEGINNING = Marker(0, 0, "", "")
SETTLED = 50  # steps before the curves can be interpreted
FEW = 8  # examples in a mini-batch, too few for good estimates by batch norm
HEALTHY_RATIO = 1e-3  # of a step's update to the weights
HIGH_RATIO = 10**-2.25  # above it, updates explain why a loss rises, or why units die
VERY_HIGH_RATIO = 10**-1.5  # ... why a loss does not fall
LEFT = 0.95  # of the loss of the same scores for all examples: below it, something is learned
WEAK = 1e-3  # L1 and L2 strengths up to it do not keep a network from learning
STRONG = 0.01  # ... above it are seldom of use


def shown_by(lesson: str) -> Callable[[Rule], Rule]:
    """Note the lesson that shows what a rule finds, by its slug."""

    def note(rule: Rule) -> Rule:
        _LESSONS[rule] = lesson
        return rule

    return note


def lesson_of_rule(rule: str) -> str:
    """The slug of the lesson that shows what the rule of this name finds; empty if none does.

    None does of those that are about tables, of which the lecture has none.
    """
    return _LESSONS.get(RULES[rule].make, "")


def hidden_layers(now: Snapshot) -> tuple[LayerStats, ...]:
    """The layers whose output is shown, without the scores."""
    return now.layers[:-1]


def finite_or(value: float, otherwise: float) -> float:
    """The value, or `otherwise` if it is NaN or infinite."""
    return value if math.isfinite(value) else otherwise


def recently(now: Snapshot, name: str) -> float:
    """The median of a curve's last rows since the last change."""
    return trends.recent(now.curves, name, last_change(now).row)


def last_change(now: Snapshot, *paths: str) -> Marker:
    """The last change of any of these settings, or of any at all; else the start of the run."""
    if not now.markers:  # as in most runs: asked some thirty times a frame
        return BEGINNING
    if not paths:
        return now.markers[-1]
    return next((x for x in reversed(now.markers) if x.path in paths), BEGINNING)


def steps_since_change(now: Snapshot) -> int:
    """Steps since the last change of a setting."""
    return now.step - last_change(now).step


def loss_now(now: Snapshot) -> float:
    """The median loss of the last rows since the last change."""
    return recently(now, "loss")


def starting_loss(now: Snapshot) -> float:
    """The loss of fresh weights: the first, or that of equal scores if the loss was changed."""
    if has_fresh_first_loss(now):
        return now.metrics.first_loss
    return finite_or(now.metrics.chance_loss, now.metrics.first_loss)


def has_fresh_first_loss(now: Snapshot) -> bool:
    """Whether the first loss is that of random weights, not of a trained network."""
    return last_change(now, "model.initializer", "optimization.loss").path != "optimization.loss"


def untaught_loss(now: Snapshot) -> float:
    """The least loss of a network that has learned nothing: a constant one, or one just drawn."""
    return min(starting_loss(now), finite_or(now.metrics.constant_loss, math.inf))


def has_left_chance(now: Snapshot) -> bool:
    """Whether the loss is clearly below that of the same scores for all examples."""
    return not loss_now(now) > LEFT * (now.metrics.constant_loss or math.inf)


def update_ratio_now(now: Snapshot) -> float:
    """The median over the layers of their update/weight ratios in the last rows."""
    return trends.ratio(now.curves, last_change(now).row)


# ---- remedies that rules share -------------------------------------------------------------


def turned(path: str, value: float | Choice | str, advice: str) -> Remedy:
    """One setting, set to `value`."""
    return Remedy(advice, (SetKnob(path, value),))


def rate_times(now: Snapshot, factor: float) -> Remedy:
    """Advice to multiply the learning rate by a factor, within the legal range."""
    turn = SetKnob(RATE, scaled_rate(now.config, factor))
    return Remedy(f"Learning rate × {written(factor)}.", (turn,))


def smaller_steps(now: Snapshot) -> Remedy:
    """A lower learning rate, by the factor by which updates are too large."""
    factor = 10.0 ** round(math.log10(HIGH_RATIO / max(update_ratio_now(now), HIGH_RATIO)))
    return rate_times(now, min(max(factor, 1e-3), 0.3))


def scaled_rate(config: RunConfig, factor: float) -> float:
    """The learning rate times a factor, within the legal range."""
    allowed = SETTINGS[RATE].values
    rate = float(f"{config.optimization.learning_rate * factor:.2g}")
    if isinstance(allowed, Range):
        rate = min(max(rate, allowed.low), allowed.high)
    return rate


def restarted_at(rate: float) -> Remedy:
    """A new run with the same settings at this learning rate."""
    text = f"Learning rate {written(rate)}, then restart."
    return Remedy(text, (SetKnob(RATE, rate),), restart=True)


def weaker_penalties(now: Snapshot) -> Iterator[Remedy]:
    """A new run with less L1 and L2, then with none: weights that have shrunk hardly grow again."""
    strengths = {path: now.config.value(path) for path in PENALTIES}
    strong = {path: x for path, x in strengths.items() if x >= 0.1 * max(strengths.values()) > 0}
    for factor in (0.1, 0.0):
        weaker = {path: min(float(f"{x * factor:.2g}"), STRONG) for path, x in strong.items()}
        named = (f"{SETTINGS[path].label} {written(value)}" for path, value in weaker.items())
        turns = tuple(SetKnob(path, value) for path, value in weaker.items())
        yield Remedy(f"{' and '.join(named)}, then restart.", turns, restart=True)


def redrawn(initializer: str, advice: str) -> Remedy:
    """New weights from another initializer."""
    return turned("model.initializer", Choice(initializer), advice)


def fitting_initializer(config: RunConfig) -> str:
    """The initializer that keeps the size of the signal through this activation."""
    return "He" if ACTIVATIONS.build(config.model.activation).gain > 1 else "Xavier"


def batch_norm(now: Snapshot) -> tuple[Remedy, ...]:
    """Batch norm, which corrects the size of most signals, if mini-batches are large enough."""
    if now.config.optimization.batch_size < FEW or not now.config.model.hidden:
        return ()
    choice = Choice("batch norm")
    return (turned("model.normalization", choice, "Batch norm, in a new run."),)


def fewer_layers(now: Snapshot) -> tuple[Remedy, ...]:
    """Half the hidden layers: fewer that the signal and the gradient must pass."""
    half = now.config.model.hidden[: len(now.config.model.hidden) // 2]
    if not half:
        return ()
    text = f"Half as many hidden layers: {UNITS.write(half)}, in a new run."
    return (turned("model.hidden", UNITS.write(half), text),)

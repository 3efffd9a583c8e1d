"""Titles of runs from their settings: a run whose settings change gets another title."""

import math
from collections.abc import Callable

from engine.nn.activations import ACTIVATIONS, PReLU
from engine.number_format import written
from engine.registry import Choice
from engine.training.config import RunConfig

type Words = Callable[[RunConfig], str]

# The lessons' words for preprocessing.
PREPROCESSED = {
    "none": "raw",
    "centre": "centred",
    "standardize": "normalized",
    "PCA": "PCA",
    "whiten": "whitened",
}


def choice(chosen: Choice) -> str:
    """An entry of a menu, with the knobs that differ from their defaults."""
    knobs = ", ".join(f"{name} {written(value)}" for name, value in chosen.knobs.items())
    return f"{chosen.name} ({knobs})" if knobs else chosen.name


def seed(config: RunConfig) -> str:
    """Such as "the network of seed 3"."""
    return f"the network of seed {config.seed}"


def activation(config: RunConfig) -> str:
    """Such as "ReLU"."""
    return choice(config.model.activation)


def initializer(config: RunConfig) -> str:
    """Such as "small normal"."""
    return choice(config.model.initializer)


def normalization(config: RunConfig) -> str:
    """Such as "with batch norm"."""
    chosen = config.model.normalization
    return "without batch norm" if chosen.name == "none" else f"with {choice(chosen)}"


def optimizer(config: RunConfig) -> str:
    """Such as "momentum at 0.01"."""
    optimization = config.optimization
    return f"{choice(optimization.optimizer)} at {written(optimization.learning_rate)}"


def rate(config: RunConfig) -> str:
    """Such as "a rate of 0.1"."""
    return f"a rate of {written(config.optimization.learning_rate)}"


def schedule(config: RunConfig) -> str:
    """Such as "constant, from 0.5"."""
    return f"{config.optimization.schedule.name}, from {written(config.optimization.learning_rate)}"


def penalty(config: RunConfig) -> str:
    """Such as "L2 of 0.03"."""
    return f"L2 of {written(config.optimization.l2)}" if config.optimization.l2 else "no L2"


def dropout(config: RunConfig) -> str:
    """Such as "dropout of 0.3"."""
    return f"dropout of {written(config.model.dropout)}" if config.model.dropout else "no dropout"


def hidden(config: RunConfig) -> str:
    """Such as "64 hidden units"."""
    widths = config.model.hidden
    return f"{', '.join(map(str, widths))} hidden units" if widths else "no hidden units"


def activation_and_hidden(config: RunConfig) -> str:
    """Such as "Maxout, 64, 64 hidden units"."""
    return f"{activation(config)}, {hidden(config)}"


def preprocessing(config: RunConfig) -> str:
    """Such as "centred"."""
    return preprocessed(config.data.preprocessing)


def preprocessed(chosen: Choice) -> str:
    """What inputs are called after this preprocessing."""
    return PREPROCESSED.get(chosen.name, choice(chosen))


def examples(config: RunConfig) -> str:
    """Such as "20 examples"."""
    count = config.data.examples
    return "all examples" if count is None else f"{count:,} examples"


def first_slope(config: RunConfig) -> float:
    """The initial slopes of PReLU; NaN for other activations."""
    built = ACTIVATIONS.build(config.model.activation)
    return built.start if isinstance(built, PReLU) else math.nan


def steps(count: float) -> str:
    """A number of steps; "never" if it is infinite."""
    if math.isinf(count):
        return "never"
    return f"{count:,.0f} step" if count == 1 else f"{count:,.0f} steps"


def steps_beside(count: float, other: float) -> str:
    """A number of steps, and its ratio to another."""
    if not 0 < count < math.inf or not 0 < other < math.inf:
        return steps(count)
    return f"{steps(count)} ({count / other:.1f} times as many)"

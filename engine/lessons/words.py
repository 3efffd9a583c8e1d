"""Titles of runs from their settings: a run whose settings change gets another title."""

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from engine.nn.activations import ACTIVATIONS, PReLU
from engine.number_format import counted, within, written
from engine.registry import Choice
from engine.training.config import SETTINGS, RunConfig
from engine.training.layer_specs import Stack

type Words = Callable[[RunConfig], str]

# What the settings of exhibits are called, where that is not their name.
FIELDS = {
    "low": "smallest input",
    "learning_rate": "learning rate",
    "dataset": "data set",
    "up_to": "rates up to",
}

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
    knobs = ", ".join(
        f"{name.replace('_', ' ')} {written(value)}" for name, value in chosen.knobs.items()
    )
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


def bare_rate(config: RunConfig) -> str:
    """The learning rate as a number alone, for titles that have little space."""
    return written(config.optimization.learning_rate)


def schedule(config: RunConfig) -> str:
    """Such as "constant, from 0.5"."""
    return f"{config.optimization.schedule.name}, from {written(config.optimization.learning_rate)}"


def batch(config: RunConfig) -> str:
    """Such as "batches of 20"."""
    return f"batches of {config.optimization.batch_size}"


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
    return "all examples" if count is None else counted(count, "examples")


def first_slope(config: RunConfig) -> float:
    """The initial slopes of PReLU; NaN for other activations."""
    built = ACTIVATIONS.build(config.model.activation)
    return built.start if isinstance(built, PReLU) else math.nan


def steps(count: float) -> str:
    """A number of steps; "never" if it is infinite."""
    if math.isinf(count):
        return "never"
    return counted(round(count), "steps")


def unlike(labels: Iterable[str]) -> tuple[str, ...]:
    """The labels, those that occur more than once with a number."""
    labels = list(labels)
    counts, seen = Counter(labels), Counter[str]()
    numbered = []
    for label in labels:
        seen[label] += 1
        numbered.append(f"{label} ({seen[label]})" if counts[label] > 1 else label)
    return tuple(numbered)


# ---- what a variation changes -----------------------------------------------------------------


def differences(before: object, after: object) -> tuple[str, ...]:
    """What differs between two configs, or two exhibits: such as "learning rate 0.1 → 0.01"."""
    if isinstance(before, RunConfig) and isinstance(after, RunConfig):
        return tuple(_of_configs(before, after))
    return tuple(_of_exhibits(before, after))


def _of_configs(before: RunConfig, after: RunConfig) -> Iterator[str]:
    for path, setting in SETTINGS.items():
        old, new = (_plain(path, config.value(path)) for config in (before, after))
        if old != new:
            yield f"{within(setting.label)} {old} → {new}"
    if before.seed != after.seed:
        yield f"seed {before.seed} → {after.seed}"
    if before.data.examples != after.data.examples:
        yield f"{examples(before)} → {examples(after)}"
    if before.start != after.start:
        yield f"{_origin(before)} → {_origin(after)}"


def _plain(path: str, value: object) -> str:
    values = SETTINGS[path].values
    if isinstance(value, Choice):
        return choice(value)
    if isinstance(values, Stack):
        return values.write(value) or "none"  # type: ignore[arg-type]
    return written(value)  # type: ignore[arg-type]


def _origin(config: RunConfig) -> str:
    if config.start is None:
        return "random weights"
    return f"weights learned on {examples(RunConfig(data=config.start.data))}"


def _of_exhibits(before: object, after: object) -> Iterator[str]:
    if not dataclasses.is_dataclass(before) or type(before) is not type(after):
        return
    for field in dataclasses.fields(before):
        old, new = (getattr(exhibit, field.name) for exhibit in (before, after))
        if old != new:
            shown = " → ".join(map(_one, (old, new)))
            yield f"{FIELDS.get(field.name, field.name)} {shown}"


def _one(value: object) -> str:
    if isinstance(value, Choice):
        return choice(value)
    return value if isinstance(value, str) else written(value)  # type: ignore[arg-type]

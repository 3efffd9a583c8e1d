"""Learning-rate schedules: each is a factor on the rate, by steps since it was chosen."""

import math
from typing import Annotated, Protocol

from engine.registry import Range, Registry

Steps = Annotated[
    int,
    Range(10, 1_000_000, "log", whole=True),
    "Steps over which the schedule lowers the learning rate: more are slower.",
]


class Schedule(Protocol):
    """The factor on the learning rate after `step` updates: 1 at the start."""

    def __call__(self, step: int) -> float: ...


SCHEDULES: Registry[Schedule] = Registry("schedule")


@SCHEDULES.register("constant")
def constant(step: int) -> float:
    """The learning rate stays what it is."""
    return 1.0


@SCHEDULES.register("step")
def by_steps(
    step: int,
    *,
    every: Steps = 1000,
    factor: Annotated[
        float, Range(0.05, 0.95), "What each drop multiplies the learning rate by."
    ] = 0.5,
) -> float:
    """Multiplied by a factor every so many steps: long stretches at one rate, then a drop."""
    return factor ** (step // every)


@SCHEDULES.register("exponential")
def exponential(step: int, *, half_life: Steps = 1000) -> float:
    """Halves over every half-life, a little at each step."""
    return math.exp(-math.log(2) * step / half_life)


@SCHEDULES.register("1/t")
def inverse_time(step: int, *, half_life: Steps = 1000) -> float:
    """1 / (1 + t / half-life): falls ever more slowly and never reaches 0."""
    return 1 / (1 + step / half_life)


@SCHEDULES.register("cosine")
def cosine(step: int, *, length: Steps = 5000) -> float:
    """Half a wave from 1 down to 0 over its length, then 0 (Loshchilov & Hutter 2017)."""
    return 0.5 * (1 + math.cos(math.pi * min(step, length) / length))


def warm_up(step: int, length: int) -> float:
    """A linear rise over the first `length` steps, so that large rates start gently."""
    return min(1.0, (step + 1) / length) if length else 1.0

"""A search as plain values: with its seed, a `Search` determines every trial and every result."""

import math
from dataclasses import dataclass

import msgspec
import numpy as np

from engine.data import lecture_images
from engine.json_reader import from_json
from engine.number_format import written
from engine.registry import Choice
from engine.search.space import DECAY, RATE, Axis, Continuous, Value, at_places
from engine.search.strategies import STRATEGIES, Rung
from engine.training.config import RunConfig
from engine.training.config_sections import DataConfig, ModelConfig, OptimizationConfig

MAX_TRIALS = 10_000


@dataclass(frozen=True)
class Trial:
    """A point of the search space, and the run that it stands for."""

    number: int
    places: tuple[float, ...]  # one per axis, 0 to 1
    point: tuple[Value, ...]  # one per axis
    config: RunConfig


class Search(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which runs are tried, for how long, and when one is stopped.

    All trials are evaluated on the same examples, but each has a seed of its own, so that first
    weights and order of examples differ: an ensemble of the best trials gains from the difference.
    """

    base: RunConfig = RunConfig()  # the settings that no axis varies
    space: tuple[Axis, ...] = (RATE, DECAY)
    strategy: Choice = Choice("random")
    trials: int = 100
    epochs: float = 5.0  # of a trial that is not stopped early
    limit: float = 3.0  # stop a trial whose cost exceeds so many times its first; 0: never
    seed: int = 0  # of the points; the runs' seeds follow from that of `base`
    stage: int = 1  # 1 is the coarse search

    def __post_init__(self) -> None:
        STRATEGIES.check(self.strategy)
        paths = [one.path for one in self.space]
        if not paths or len(set(paths)) < len(paths):
            raise ValueError(f"a space needs axes, each of them once, got {paths}")
        if not 1 <= self.trials <= MAX_TRIALS:
            raise ValueError(f"trials must be from 1 to {MAX_TRIALS}, got {self.trials}")
        if not (math.isfinite(self.epochs) and self.epochs > 0):
            raise ValueError(f"epochs must be above 0, got {written(self.epochs)}")
        if not (self.limit == 0 or (math.isfinite(self.limit) and self.limit > 1)):
            raise ValueError(
                f"the limit of the cost must be above 1, or 0, got {written(self.limit)}"
            )
        if self.seed < 0:
            raise ValueError(f"seed must be 0 or more, got {self.seed}")
        for end in (0.0, 1.0):  # refuses illegal values now, not during the search
            at_places(self.base, self.space, [one.at(end) for one in self.space])

    @property
    def described(self) -> dict[str, object]:
        """The search without `base`, which is part of each trial's config, as JSON values."""
        plain: dict[str, object] = msgspec.json.decode(self.to_json())
        del plain["base"]
        return plain

    def draw(self) -> tuple[Trial, ...]:
        """The trials, in the order in which they are started."""
        rng = np.random.default_rng(self.seed)
        places = STRATEGIES.build(self.strategy).draw(self.space, self.trials, rng)
        return tuple(self._trial(i, row) for i, row in enumerate(places.tolist()))

    def _trial(self, number: int, places: list[float]) -> Trial:
        point = tuple(one.at(x) for one, x in zip(self.space, places, strict=True))
        config = at_places(_same_data(self.base), self.space, point)
        return Trial(number, tuple(places), point, config.with_seed(self.base.seed + number))

    @property
    def goes_on(self) -> bool:
        """Whether the same search with more trials begins with the same ones."""
        return STRATEGIES.build(self.strategy).goes_on

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """The rounds, first to last."""
        return STRATEGIES.build(self.strategy).rungs(self.trials)

    def to_json(self) -> str:
        """This search as JSON text."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> "Search":
        """The search that `to_json` wrote; for any other text ValueError says what is wrong."""
        return from_json(text, cls)


def _same_data(config: RunConfig) -> RunConfig:
    """The config with a fixed seed for drawing and splitting its data."""
    if config.data.seed is not None:
        return config
    return msgspec.structs.replace(
        config, data=msgspec.structs.replace(config.data, seed=config.seed)
    )


# The slides' coarse search: 100 trials of 5 epochs, one hidden layer of 50 units, and pixels of 0
# to 255, centred but not scaled, for which the range of learning rates is right.
LECTURE_SEARCH = Search(
    base=RunConfig(
        data=DataConfig(
            dataset=Choice("Fashion-MNIST"), preprocessing=Choice("centre", {"scale": 255.0})
        ),
        model=ModelConfig(hidden=(50,), initializer=Choice("small normal", {"scale": 1e-4})),
        optimization=OptimizationConfig(optimizer=Choice("SGD"), batch_size=20),
    )
)

# One axis matters and the other does not: a penalty of at most 0.01 changes little here, and only
# half a power of ten out of four has good rates. Nine trials, as on the slide about grid search.
ONE_MATTERS = msgspec.structs.replace(
    LECTURE_SEARCH,
    space=(Continuous(RATE.path, 1e-6, 1e-2), Continuous(DECAY.path, 1e-6, 1e-2)),
    trials=9,
)


def lecture_search() -> Search:
    """The slides' coarse search, on the images of the lessons."""
    return _on_lecture_images(LECTURE_SEARCH)


def one_matters() -> Search:
    """`ONE_MATTERS`, on the images of the lessons."""
    return _on_lecture_images(ONE_MATTERS)


def _on_lecture_images(search: Search) -> Search:
    base = search.base.replace("data.dataset", lecture_images())
    return msgspec.structs.replace(search, base=base)

"""An exhibit: the points that a search tries, before anything is trained."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.registry import Choice
from engine.search import Continuous, Search
from engine.search.space import DECAY, RATE
from engine.types import Array

LOW, HIGH = 1e-6, 1e-2  # of the learning rate, as on the slide: four powers of ten


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """The points of a search in two axes, of which only the first matters much."""

    name: str  # of the strategy and the scale
    rates: Array  # (trials,)
    penalties: Array  # (trials,)
    different: int  # how many different rates there are
    top: float  # share of the rates in the highest of the four powers of ten


@dataclass(frozen=True)
class Tries:
    """What a search would try: learning rates and penalties, on a grid or at random."""

    strategy: Choice
    trials: int
    scale: Literal["log", "linear"] = "log"

    def show(self) -> Draws:
        """Draw the points as a search does."""
        space = tuple(Continuous(axis.path, LOW, HIGH, self.scale) for axis in (RATE, DECAY))
        search = Search(space=space, strategy=self.strategy, trials=self.trials)
        points = [trial.point for trial in search.draw()]
        rates, penalties = np.array(points, dtype=float).T
        scale = "as powers of ten" if self.scale == "log" else "evenly"
        return Draws(
            f"{self.strategy.name}, {scale}",
            rates,
            penalties,
            len(np.unique(rates)),
            float((rates > HIGH / 10).mean()),
        )

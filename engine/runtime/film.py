"""A film of a run: what its network looked like at some steps, rebuilt from its checkpoints.

The steps are evenly spaced for the first ones, later by their logarithm, as on the timeline. Where
rebuilding one would take too long, an earlier step after the same checkpoint is shown instead.
"""

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.measure.decision_surface import DecisionSurface, Points, decision_surface
from engine.measure.histogram import HistogramScale
from engine.training.checkpoints import Checkpoint, Checkpoints, Replay
from engine.training.training import Diverged, Training
from engine.types import Array, Integers

FRAMES = 100
BEND = 100  # steps: about so many are evenly spaced
MOST_REPLAYED = 1.2e11  # multiplications that rebuilding all steps may take: about ten seconds
PIECE = 2e8  # ... of one piece of this work: about 20 ms
MOST_STEPS = 60_000  # steps that are rebuilt, however small the network
STEPS = 100  # ... in one piece


@dataclass(frozen=True, slots=True, eq=False)
class FilmFrame:
    """A network after a step."""

    step: int
    counts: tuple[Integers, ...]  # (K,) of each layer: its activations on some training examples
    edges: Array  # (K+1,) of these histograms: later frames may reach further
    surface: DecisionSurface | None  # of two inputs; the first frame alone has the examples on it


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """The frames of a run, in order."""

    layers: tuple[str, ...]
    frames: tuple[FilmFrame, ...]


@dataclass(frozen=True, slots=True)
class Filming:
    """A film that is being made."""

    done: float  # from 0 to 1


def steps_of_film(end: int, frames: int = FRAMES) -> list[int]:
    """The steps that are shown of a run of so many steps, the first and the last among them."""
    parts = np.linspace(0, math.log1p(end / BEND), frames)
    return sorted({min(end, round(float(step))) for step in BEND * np.expm1(parts)} | {end})


def filming[M](
    checkpoints: Checkpoints[M], end: int, scale: HistogramScale
) -> Iterator[Film | Filming]:
    """Make the film of a run up to a step, piece by piece, on a copy of the run."""
    camera = _Camera(checkpoints, end, scale)
    while not camera.finished:
        camera.go_on()
        yield Filming(camera.done)
    yield camera.film


class _Camera[M]:
    """A copy of a run, which goes from one step that is shown to the next."""

    def __init__(self, checkpoints: Checkpoints[M], end: int, scale: HistogramScale) -> None:
        self._scale = scale
        self._replay: Replay | None = None
        self._frames: list[FilmFrame] = []
        self._checkpoints = checkpoints
        work = checkpoints.work
        self._at_once = int(min(STEPS, max(1, PIECE / work)))
        self._plan = _plan(checkpoints, end, int(min(MOST_STEPS, MOST_REPLAYED / work)))
        self._total = len(self._plan)
        self._layers: tuple[str, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether all frames are there."""
        return not self._plan

    @property
    def done(self) -> float:
        """How much is done, from 0 to 1."""
        return 1 - len(self._plan) / self._total

    @property
    def film(self) -> Film:
        """What has been filmed."""
        return Film(self._layers, tuple(self._frames))

    def go_on(self) -> None:
        """Make some steps towards the next frame, or the frame."""
        step, start = self._plan[0]
        if self._replay is None or self._replay.training.step < start.step:
            self._replay = self._checkpoints.start_at(start)
        replay = self._replay
        try:
            for _ in range(min(self._at_once, step - replay.training.step)):
                replay.update()
        except Diverged:
            self._plan.clear()  # the run ended here
            return
        if replay.training.step == step:
            self._plan.pop(0)
            self._take(replay.training)

    def _take(self, training: Training) -> None:
        network, train = training.evaluators[0].network, training.data.train
        shape = network.batch, train.x.shape[1]
        with np.errstate(over="ignore", invalid="ignore"):
            surface = decision_surface(training)
            network.forward(np.resize(train.x[: network.batch], shape), train=False)
            self._scale.cover_all(*(layer.out for layer in network.shown))
            counts = tuple(_small(self._scale.count(x.out).inside) for x in network.shown)
        self._layers = tuple(layer.name for layer in network.shown)
        if surface and self._frames:
            surface = _without_points(surface)
        self._frames.append(FilmFrame(training.step, counts, self._scale.edges, surface))


def _plan[M](checkpoints: Checkpoints[M], end: int, most: int) -> list[tuple[int, Checkpoint[M]]]:
    """Each step that is shown, with the checkpoint before it; at most so many are rebuilt."""
    wanted, spent = steps_of_film(end), 0
    plan: list[tuple[int, Checkpoint[M]]] = []
    for number, step in enumerate(wanted, start=1):
        start = checkpoints.before(step)
        begins = max(plan[-1][0] if plan else 0, start.step)
        shown = min(step, begins + max(0, most * number // len(wanted) - spent))
        if not plan or shown > plan[-1][0]:
            plan.append((shown, start))
            spent += shown - begins
    return plan


def _small(counts: Integers) -> Integers:
    small: Integers = np.minimum(counts, 2**31 - 1).astype(np.int32)
    return small


def _without_points(surface: DecisionSurface) -> DecisionSurface:
    """A surface for a film, which has many: with less precision, and without examples."""
    nothing = Points(np.empty((0, 2)), np.empty(0), np.empty(0))
    return dataclasses.replace(
        surface,
        predicted=np.asarray(surface.predicted, np.float32 if surface.lead is None else np.int16),
        lead=None if surface.lead is None else surface.lead.astype(np.float16),
        training=nothing,
        validation=nothing,
    )

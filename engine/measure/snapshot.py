"""What an experiment shows of itself: a `Snapshot` and its parts, all plain and read-only."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np

from engine.data import Split
from engine.data.facts import class_counts, input_size, target_size, telling_index
from engine.measure.activation_history import Strip
from engine.measure.divergence import Autopsy
from engine.measure.on_demand import Inside
from engine.measure.pinned_runs import PastRun
from engine.measure.run_metrics import RunMetrics
from engine.runtime.background_results import BackgroundResults
from engine.runtime.pace import Pace
from engine.training.commands import Command
from engine.training.config import RunConfig, SettingValue
from engine.training.history import Curves
from engine.types import Array, Integers


class Status(StrEnum):
    """What an experiment is doing."""

    PAUSED = "paused"
    RUNNING = "running"
    DIVERGED = "diverged"
    FAILED = "failed"


class Condition(StrEnum):
    """How a run is, all in all."""

    ILL = "ill"  # there are findings
    HEALTHY = "healthy"
    CONVERGED = "converged"  # it has learned what it can, so its updates are small


@dataclass(frozen=True, slots=True)
class Marker:
    """A change that somebody made, or that befell the run."""

    step: int
    row: int  # of the first history row after it
    text: str
    path: str  # of the setting; empty where it is none


@dataclass(frozen=True, slots=True, eq=False)
class LayerStats:
    """One layer's activations on a fixed set of training examples; a share is from 0 to 1."""

    name: str
    mean: float
    std: float
    zero: float  # share of activations that are exactly 0
    saturated: float  # share near an end of a range with two ends; NaN where it has none
    dead: float  # share of units that were 0 on up to 2,048 training examples; NaN until then
    backward: float  # standard deviation of an example's gradient at the layer's output
    edges: Array  # (K+1,) the same for all layers; equally wide in asinh
    counts: Integers  # (K,) without the exact zeros
    below: int  # activations beneath the first edge
    above: int  # ... beyond the last
    broken: int  # ... that are infinite or not a number


@dataclass(frozen=True, slots=True)
class WeightStats:
    """One layer's weights, and what the last step did to them."""

    name: str
    norm: float
    gradient: float  # root mean square of the loss's gradient, without penalties
    ratio: float  # norm(update) / norm(weights before it); wanted near 1e-3
    distance: float  # norm(weights - as they were drawn) / norm(as they were drawn)
    unit_variance: float  # how much its units' weights differ: about 1, 0 when all are the same
    weight_gain: float  # how much larger it makes a random signal before the nonlinearity


@dataclass(frozen=True, slots=True)
class DataInfo:
    """What the network is shown."""

    shape: tuple[int, ...]  # of one input
    classes: tuple[str, ...]  # their names; empty where values are to be predicted
    training: int  # examples
    validation: int
    counts: tuple[int, ...]  # training examples of each class; empty where there are none
    input_size: float  # root mean square of the largest input, preprocessed; wanted near 1
    target_size: float  # ... of the largest value to predict, as trained; NaN of classes
    columns: tuple[str, ...]  # what the inputs are called; empty where they have no names
    telling_index: str  # the input that numbers the rows and tells the class; else empty

    def input_name(self, number: int) -> str:
        """What the input at a place, from 0, is called."""
        return self.columns[number] if self.columns else f"input {number + 1}"


def show_data(data: Split) -> DataInfo:
    """What there is to know of a run's data."""
    train = data.train
    return DataInfo(
        train.shape,
        train.classes,
        len(train),
        len(data.validation),
        class_counts(train),
        input_size(train),
        target_size(train),
        train.columns,
        _name_of(telling_index(data.raw), data.raw.columns),
    )


def _name_of(column: int | None, names: tuple[str, ...]) -> str:
    """What an input is called, or its number from 1; nothing where there is none."""
    if column is None:
        return ""
    return f"“{names[column]}”" if names else f"{column + 1}"


@dataclass(frozen=True, slots=True)
class Change:
    """A setting that was changed, from one value of a config to another."""

    path: str
    before: SettingValue
    after: SettingValue


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong, why, and what to do about it."""

    rule: str
    number: float
    band: tuple[float, float]  # where the number would be healthy
    where: str  # the layer, or empty
    cause: str  # one sentence for a learner, with the number
    remedy: tuple[Command, ...]  # to be applied in this order; empty where none is known
    advice: str  # what the remedy does, in words, or that none is known
    seen_in: Literal["loss", "accuracy", "updates", "activations"]  # where one can see it


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything there is to know of an experiment at one instant; nothing in it can be changed."""

    run: int
    step: int
    epoch: float
    status: Status
    message: str  # why it diverged, failed or refused; empty when all is well
    config: RunConfig
    data: DataInfo
    curves: Curves
    layers: tuple[LayerStats, ...]
    strip: Strip  # of the layers, along the run
    tensors: tuple[WeightStats, ...]  # in the order of the layers
    metrics: RunMetrics
    findings: tuple[Finding, ...]  # the gravest first
    condition: Condition
    markers: tuple[Marker, ...]
    followed: tuple[Change, ...]  # advice, through all runs since somebody last chose for himself
    diverged_under: RunConfig | None  # the settings that this run has diverged under
    costs: Mapping[str, float]  # seconds that each instrument took when it last measured
    pace: Pace  # that the run is held to by whoever serves it
    steps_per_second: float  # ... and that it makes
    training_steps_per_second: (
        float  # steps per second spent on training alone; 0 before there were any
    )
    autopsy: Autopsy | None  # of a run that has diverged
    beside: BackgroundResults  # what is done for whoever runs it, beside training
    inside: Inside  # what somebody has asked to see besides
    previous: PastRun | None  # the run before this one
    pinned: tuple[PastRun, ...]  # that somebody has asked to keep
    until: int | None  # the step at which the run will pause by itself


class StepRate:
    """Steps per second over the last second or so, or over the last marks there is room for."""

    def __init__(self) -> None:
        self._marks: deque[tuple[int, float]] = deque(maxlen=1000)

    def rate(self, step: int, now: float) -> float:
        """The rate, given the step that has been reached `now`, in seconds."""
        marks = self._marks
        marks.append((step, now))
        while len(marks) > 2 and marks[1][1] < now - 1:
            marks.popleft()
        first, since = marks[0]
        return (step - first) / (now - since) if now > since else 0.0


class Spread:
    """The losses since they were last taken: mean and extremes, so that no spike is lost."""

    def __init__(self) -> None:
        self._restart()

    def _restart(self) -> None:
        self._low, self._high, self._total, self._count = np.inf, -np.inf, 0.0, 0

    def add(self, loss: float) -> None:
        """Count one loss in; it is finite, or the run would be over."""
        if loss < self._low:
            self._low = loss
        if loss > self._high:
            self._high = loss
        self._total += loss
        self._count += 1

    def take(self) -> dict[str, float]:
        """The figures so far, starting over; at least one loss must have been added."""
        figures = {
            "loss": self._total / self._count,
            "loss_low": self._low,
            "loss_high": self._high,
        }
        self._restart()
        return figures

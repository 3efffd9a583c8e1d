"""A `Snapshot`: all that is known of an experiment at one step, in plain read-only parts."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import msgspec
import numpy as np

from engine.data import Split
from engine.data.facts import class_counts, input_size, target_size, telling_index
from engine.measure.activation_history import ActivationHistory
from engine.measure.divergence import Autopsy
from engine.measure.loss_line import LossLine
from engine.measure.on_demand import OnDemandStatistics
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
    """Whether a run is healthy, all in all."""

    ILL = "ill"  # there are findings
    HEALTHY = "healthy"
    CONVERGED = "converged"  # the loss has stopped falling near 0, so updates are small


@dataclass(frozen=True, slots=True)
class Marker:
    """A change of a setting, or an event such as divergence, marked on every time axis."""

    step: int
    row: int  # of the first history row after it
    text: str
    path: str  # of the setting; empty if none was changed


@dataclass(frozen=True, slots=True, eq=False)
class LayerStats:
    """One layer's activations on a fixed set of training examples; shares are from 0 to 1."""

    name: str
    mean: float
    std: float
    zero: float  # share of activations that are exactly 0
    saturated: float  # share near an end of a bounded activation's range; NaN if unbounded
    dead: float  # share of units that are 0 on up to 2,048 training examples; NaN until counted
    backward: float  # std of single examples' gradients at the layer's output
    edges: Array  # (K+1,) the same for all layers; equally wide in asinh
    counts: Integers  # (K,) without the exact zeros
    below: int  # activations below the first edge
    above: int  # above the last edge
    broken: int  # infinite or NaN


@dataclass(frozen=True, slots=True)
class WeightStats:
    """One layer's weights, and how the last step changed them."""

    name: str
    norm: float
    gradient: float  # root mean square of the loss's gradient, without penalties
    ratio: float  # norm(update) / norm(weights before the step); healthy near 1e-3
    distance: float  # norm(weights - initial weights) / norm(initial weights)
    unit_variance: float  # variance across units / mean square: about 1; 0 if all are the same
    weight_gain: float  # factor on the size of a random signal, before the activation


@dataclass(frozen=True, slots=True)
class DataInfo:
    """A description of the data that the network is trained on."""

    shape: tuple[int, ...]  # of one input
    classes: tuple[str, ...]  # their names; empty in regression
    training: int  # examples
    validation: int
    counts: tuple[int, ...]  # training examples of each class; empty in regression
    input_size: float  # root mean square of the largest input, preprocessed; healthy near 1
    target_size: float  # of the largest target, as trained on; NaN in classification
    columns: tuple[str, ...]  # names of the inputs; empty if they have none
    telling_index: str  # the input that numbers rows sorted by class; else empty

    def input_name(self, number: int) -> str:
        """The name of an input, counted from 0."""
        return self.columns[number] if self.columns else f"input {number + 1}"


def show_data(data: Split) -> DataInfo:
    """Describe a run's data."""
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
    """The name of an input, or its number from 1; empty for None."""
    if column is None:
        return ""
    return f"“{names[column]}”" if names else f"{column + 1}"


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one setting, from one config to another."""

    path: str
    before: SettingValue
    after: SettingValue


class Finding(msgspec.Struct, frozen=True):
    """Something that is wrong with a run, its cause, and its remedy."""

    rule: str
    number: float
    band: tuple[float, float]  # where the number would be healthy
    where: str  # the layer, or empty
    cause: str  # one sentence for a learner, with the number
    remedy: tuple[Command, ...]  # to be applied in this order; empty where none is known
    advice: str  # the remedy in words, or that none is known
    seen_in: Literal["loss", "accuracy", "updates", "activations"]  # the plot that shows it


@dataclass(frozen=True, slots=True)
class Notice:
    """A finding that came up at a step."""

    step: int
    rule: str


@dataclass(frozen=True, slots=True, eq=False)
class LookingBack:
    """A look back at a step of a run, while its training waits."""

    step: int  # that is wanted
    end: int  # how far the run has come
    done: float  # how much of it is rebuilt, from 0 to 1; before 1 another step is shown
    so_far: Curves  # the curves up to the step that is shown
    verified: float | None = None  # of a link's state: how much of its run is repeated, from 0 to 1


@dataclass(frozen=True, slots=True)
class Parent:
    """The run that this one went on from, as it was after a step."""

    run: int
    step: int


@dataclass(frozen=True, slots=True, eq=False)
class BranchInfo:
    """A run that was left for another way from one of its steps; it can be taken up again."""

    run: int
    parent: Parent | None  # None: it began at its first step
    step: int  # its last
    change: str  # the first change that is its own; empty if it has none
    past: PastRun | None  # how it was left; None: it came with a link, and has yet to be repeated


COMPARED = ("loss_average", "validation_loss", "train_accuracy", "validation_accuracy")


@dataclass(frozen=True, slots=True, eq=False)
class OtherRun:
    """Run B, which is trained in lockstep with this one, run A."""

    run: int
    since: int  # the step up to which both are the same
    config: RunConfig
    curves: Curves
    markers: tuple[Marker, ...]  # its own
    change: str  # the first change of B that is its own; empty if there is none
    diverged: bool
    distance: float  # norm(weights of B - weights of A) / norm(weights of A)
    line: LossLine | None  # the loss between both, as far as measured; None while they train

    def minus(self, a: "Snapshot") -> Mapping[str, float]:
        """How much B's last figures are above A's; NaN where either has none."""
        return {name: self.above(a, name) for name in COMPARED}

    def above(self, a: "Snapshot", name: str) -> float:
        """How much a figure of B is above A's, both at the step of A's last one."""
        step, figure = a.so_far.last_known(name)
        return self.at(step, name) - figure

    def at(self, step: int, name: str) -> float:
        """B's last figure of this name at a step."""
        return self.last_known(step, name)[1]

    def last_known(self, step: int, name: str) -> tuple[int, float]:
        """The step and value of B's last figure of this name up to a step; 0 and NaN of none."""
        steps = self.curves["step"]
        rows = int(np.searchsorted(steps, step, side="right"))
        known = np.flatnonzero(np.isfinite(self.curves[name][:rows]))
        if not known.size:
            return 0, math.nan
        return int(steps[known[-1]]), float(self.curves[name][known[-1]])


class Snapshot(msgspec.Struct, frozen=True, eq=False):
    """Everything known of an experiment at one step; immutable.

    Several are made for each frame: a frozen dataclass of so many fields takes 20 times as long.
    """

    run: int
    step: int
    epoch: float
    status: Status
    message: str  # why it diverged, failed or refused a command; else empty
    config: RunConfig
    data: DataInfo
    curves: Curves  # of the whole run, whatever step is looked at
    layers: tuple[LayerStats, ...]
    activation_history: ActivationHistory  # of the layers, along the run
    tensors: tuple[WeightStats, ...]  # one a layer, in order
    metrics: RunMetrics
    findings: tuple[Finding, ...]  # most serious first
    condition: Condition
    markers: tuple[Marker, ...]
    noticed: tuple[Notice, ...]  # findings of the whole run, as they came up
    followed: tuple[Change, ...]  # advice followed since the last change that no advice asked for
    diverged_under: RunConfig | None  # the settings with which this run diverged
    costs: Mapping[str, float]  # seconds of each instrument's last measurement
    pace: Pace  # the rate of steps that the conductor allows
    steps_per_second: float  # measured
    training_steps_per_second: float  # of pure training time; 0 before the first step
    autopsy: Autopsy | None  # of a run that has diverged
    background: BackgroundResults  # results of background jobs
    on_demand: OnDemandStatistics  # statistics that views have requested
    previous: PastRun | None  # the run before this one
    pinned: tuple[PastRun, ...]  # runs kept for comparison
    until: int | None  # the step at which the run pauses by itself
    looking_back: LookingBack | None  # None: this is how the run stands now
    parent: Parent | None  # None: this run began at its first step
    other: OtherRun | None  # the run that is trained beside it
    branches: tuple[BranchInfo, ...]  # the other runs of its tree, that left longest ago first

    @property
    def so_far(self) -> Curves:
        """The curves up to this step."""
        return self.looking_back.so_far if self.looking_back else self.curves

    @property
    def lesson_asks(self) -> bool:
        """Whether the question of a lesson is open, which a finding might answer."""
        lesson = self.background.lesson
        return lesson is not None and lesson.asks

    @property
    def visible_findings(self) -> tuple[Finding, ...]:
        """The findings that the page shows: none before the verdict of a lesson is read."""
        return () if self.lesson_asks else self.findings

    @property
    def change(self) -> str:
        """The first change of the run that is its own; empty if there is none."""
        return own_change(self.markers, self.parent)

    @property
    def end(self) -> int:
        """How far the run has come, whatever step is looked at."""
        return self.looking_back.end if self.looking_back else self.step


def own_change(markers: Iterable[Marker], parent: Parent | None) -> str:
    """The first change of a run that is its own, in words; empty if there is none."""
    since = parent.step if parent else 0
    return next((x.text for x in markers if x.path and x.step >= since), "")

"""Measures what a snapshot shows, within a fixed share of the training time.

Each instrument accrues its share of that time and measures when it can afford to. What is cheap
is new in every snapshot, what is expensive less often. None changes what training computes.
"""

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from engine.measure.activation_history import ActivationHistory, ActivationRecorder
from engine.measure.dead_units import DeadUnits
from engine.measure.gradient_probe import Backward, Probe
from engine.measure.histogram import HistogramScale
from engine.measure.run_metrics import RunMetrics
from engine.measure.snapshot import LayerStats, WeightStats
from engine.nn.activations import ACTIVATIONS
from engine.nn.channels import examples_first
from engine.nn.network import Tensor
from engine.training.training import Training
from engine.types import Array

BUDGET = 0.04  # share of the training time; together with the curves it stays below a tenth
SHOWN = 128  # training examples whose activations are shown
SMOOTHED = 0.9  # decay of the running means behind the noise scale
FLAT = 0.015  # share of a bounded activation's range that counts as saturated
NEVER = -1  # no step
DRAWN = ("activations", "weights", "accuracy")  # what new weights have before a step is made


@dataclass
class _Instrument:
    """A quantity to measure, its share of the budget, and the seconds it has accrued."""

    measure: Callable[["Instruments"], None]
    share: float
    cost: float = 0.0
    accrued: float = 0.0
    measured_at: int = NEVER  # the step of its last measurement


@dataclass(frozen=True, slots=True, eq=False)
class InstrumentState:
    """What instruments of an earlier step of the run take over, such as the histogram scale."""

    scale: HistogramScale
    activations: ActivationRecorder
    gradient_cosine: float


class Instruments:
    """All measurements of one run."""

    def __init__(
        self,
        training: Training,
        clock: Callable[[], float],
        later: InstrumentState | None = None,  # of the same run, if `training` is an earlier step
    ) -> None:
        self._training = training
        self._clock = clock
        self.layers: tuple[LayerStats, ...] = ()  # one for each output that is shown
        self.tensors: tuple[WeightStats, ...] = ()  # one for each layer's weights
        self._scale = copy.copy(later.scale) if later else HistogramScale()
        self._activation_recorder = ActivationRecorder()
        self._dead_units = DeadUnits(training)
        self._noise = _RunningMean(), _RunningMean()
        self._overshoot = math.nan
        self._step = NEVER  # of the last measurement, ...
        self._all_at = NEVER  # ... and of the last one that measured everything
        self._spent = self._trained = 0.0
        self.by_name = {
            "activations": _Instrument(Instruments._measure_activations, share=5),
            "accuracy": _Instrument(Instruments._evaluate, share=1),
            "dead units": _Instrument(Instruments._count_dead, share=1),
            "gradients": _Instrument(Instruments._measure_gradients, share=1),
            "overshoot": _Instrument(Instruments._measure_overshoot, share=1),
            "weights": _Instrument(Instruments._measure_weights, share=1),
        }
        self.renew()
        if later:
            self._begun = 0  # a replayed run has a mini-batch to measure: that of its last step

    @property
    def state(self) -> InstrumentState:
        """The state that instruments of an earlier step of this run take over."""
        activations = self._activation_recorder.up_to(self._training.step)
        return InstrumentState(copy.copy(self._scale), activations, self._training.gradient_cosine)

    def go_on(self, later: InstrumentState) -> None:
        """Take over the history of the activations up to this step."""
        self._activation_recorder = later.activations.up_to(self._training.step)

    def renew(self) -> None:
        """Measure anew after the network was replaced or its weights redrawn."""
        self._probe: Probe | None = None  # built when it is first needed: after a step
        self._dead_units.begin()
        self._backward = Backward({}, {}, math.nan, math.nan)
        for mean in self._noise:
            mean.clear()
        self._overshoot = math.nan
        self._step = self._all_at = NEVER
        self._begun = self._training.step  # there is no mini-batch to measure until the next step
        for instrument in self.by_name.values():
            instrument.measured_at = NEVER
        for name in DRAWN:
            self._measure_one(self.by_name[name])

    def forget_last_step(self) -> None:
        """Drop the overshoot: the next step is made by another optimizer or loss."""
        self._overshoot = math.nan

    def measure_all(self) -> None:
        """Measure everything that was not measured at this step yet, whatever the cost."""
        step = self._training.step
        if self._all_at != step:
            self._step = self._all_at = step
            self._dead_units.finish()
            self._add_dead_shares()
            for instrument in self.by_name.values():
                if instrument.measured_at != step:
                    self._measure_timed(instrument)

    def measure_end(self) -> None:
        """Measure the weights of a run that has diverged; its last finite activations stay."""
        self._measure_weights()

    def measure(self, trained: float) -> None:
        """Measure what is affordable after `trained` more seconds of training."""
        self._trained += trained
        if self._step == self._training.step:
            return
        self._step = self._training.step
        shares = sum(instrument.share for instrument in self.by_name.values())
        for instrument in self.by_name.values():
            instrument.accrued += BUDGET * trained * instrument.share / shares
            if instrument.accrued >= instrument.cost and instrument.measured_at != self._step:
                self._spent += self._measure_timed(instrument)
                # Time accrued for more than one measurement would only be spent in a burst.
                instrument.accrued = min(instrument.accrued, 2 * instrument.cost) - instrument.cost

    def _measure_timed(self, instrument: _Instrument) -> float:
        start = self._clock()
        self._measure_one(instrument)
        instrument.cost = self._clock() - start
        return instrument.cost

    def _measure_one(self, instrument: _Instrument) -> None:
        instrument.measure(self)
        instrument.measured_at = self._training.step

    # ---- results ----------------------------------------------------------------------------

    @property
    def costs(self) -> Mapping[str, float]:
        """Seconds that the last measurement of each instrument took."""
        return MappingProxyType({name: x.cost for name, x in self.by_name.items()})

    @property
    def activation_history(self) -> ActivationHistory:
        """The activation histograms along the run."""
        return self._activation_recorder.history

    @property
    def metrics(self) -> RunMetrics:
        """The numbers that describe the run as a whole."""
        training = self._training
        noise, length = self._noise[0].value, self._noise[1].value
        (train_loss, train_accuracy), (validation_loss, validation_accuracy) = self._evaluated
        return RunMetrics(
            first_loss=training.first_loss,
            chance_loss=training.chance_loss,
            constant_loss=training.constant_loss,
            train_loss=train_loss,
            validation_loss=validation_loss,
            train_accuracy=train_accuracy,
            validation_accuracy=validation_accuracy,
            learning_rate=training.learning_rate,
            gradient_cosine=training.gradient_cosine,
            overshoot=self._overshoot,
            noise_scale=noise / length if length > 0 else math.nan,
            cost=self._spent / self._trained if self._trained > 0 else 0.0,
        )

    # ---- the instruments ----------------------------------------------------------------------

    def _measure_activations(self) -> None:
        shown = self._training.evaluators[0].run_forward().shown
        outputs = {layer.name: examples_first(layer.out)[:SHOWN] for layer in shown}
        self._scale.cover_all(*outputs.values())
        edges = _frozen(self._scale.edges)
        bounds = ACTIVATIONS.build(self._training.config.model.activation).bounds
        self.layers = tuple(
            _layer_stats(
                name, a, self._scale, edges, None if name == "scores" else bounds,
                dead=self._dead_units.dead.get(name, math.nan),
                backward=self._backward.signals.get(name, math.nan),
            )
            for name, a in outputs.items()
        )  # fmt: skip
        counts = np.stack([layer.counts for layer in self.layers])
        self._activation_recorder.note(self._training.step, edges, counts)

    def _evaluate(self) -> None:
        self._evaluated = [evaluator.evaluate() for evaluator in self._training.evaluators]

    def _count_dead(self) -> None:
        self._dead_units.go_on()
        self._add_dead_shares()

    def _add_dead_shares(self) -> None:
        dead = self._dead_units.dead
        self.layers = tuple(replace(x, dead=dead.get(x.name, math.nan)) for x in self.layers)

    def _measure_gradients(self) -> None:
        if self._training.step == self._begun:
            return
        self._backward = self._built_probe().backward()
        signals, gradients = self._backward.signals, self._backward.gradients
        self.layers = tuple(replace(x, backward=signals.get(x.name, math.nan)) for x in self.layers)
        self.tensors = tuple(replace(x, gradient=gradients[x.name]) for x in self.tensors)
        if math.isfinite(self._backward.noise):
            for mean, new in zip(
                self._noise, (self._backward.noise, self._backward.length), strict=True
            ):
                mean.add(new)

    def _measure_overshoot(self) -> None:
        if self._training.step > self._begun:
            self._overshoot = self._built_probe().overshoot()

    def _built_probe(self) -> Probe:
        self._probe = self._probe or Probe(self._training)
        return self._probe

    def _measure_weights(self) -> None:
        parameters, update = self._training.network.parameters, self._training.optimizer.last_update
        gradients = self._backward.gradients
        self.tensors = tuple(
            _weight_stats(
                t, parameters.theta[t.span], update[t.span], parameters.drawn[t.span],
                gradients.get(t.layer, math.nan),
            )
            for t in parameters.weights
        )  # fmt: skip


class _RunningMean:
    """An exponential moving average, corrected for its start at 0."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._sum = self._weight = 0.0

    def add(self, value: float) -> None:
        """Include one more value."""
        self._sum = SMOOTHED * self._sum + (1 - SMOOTHED) * value
        self._weight = SMOOTHED * self._weight + (1 - SMOOTHED)

    @property
    def value(self) -> float:
        """The mean, or NaN before the first value."""
        return self._sum / self._weight if self._weight else math.nan


def norm_and_ratio(
    weights: Array,  # of any shape, after the step
    update: Array,  # of the same shape: what the step subtracted
) -> tuple[float, float]:
    """The norm of the weights after a step, and norm(update) / norm(weights before the step).

    A healthy ratio is near 1e-3: far above it training is unstable, far below it hardly learns.
    """
    after, moved, across = (
        float(np.vdot(a, b)) for a, b in ((weights, weights), (update, update), (weights, update))
    )
    before = after + 2 * across + moved  # |w + u|², so that the old weights need not be kept
    return math.sqrt(after), math.sqrt(moved / before) if before > 0 else math.nan


def _layer_stats(
    name: str,
    values: Array,
    scale: HistogramScale,
    edges: Array,
    bounds: tuple[float, float] | None,
    *,
    dead: float,
    backward: float,
) -> LayerStats:
    """Statistics of a layer's activations, with the latest results of the other instruments."""
    active = values[values != 0]
    counts = scale.count(active)
    finite = values[np.isfinite(values)] if counts.broken else values
    return LayerStats(
        name,
        mean=float(finite.mean(dtype=np.float64)) if finite.size else math.nan,
        std=float(finite.std(dtype=np.float64)) if finite.size else math.nan,
        zero=1 - active.size / values.size,
        saturated=_saturated(values, bounds) if bounds else math.nan,
        dead=dead,
        backward=backward,
        edges=edges,
        counts=_frozen(counts.inside),
        below=counts.below,
        above=counts.above,
        broken=counts.broken,
    )


def _weight_stats(
    tensor: Tensor, weights: Array, update: Array, drawn: Array, gradient: float
) -> WeightStats:
    """Statistics of a layer's weights, with the gradient measured before."""
    norm, ratio = norm_and_ratio(weights, update)
    start = _norm(drawn)
    return WeightStats(
        tensor.layer,
        norm=norm,
        gradient=gradient,
        ratio=ratio,
        distance=_norm(weights - drawn) / start if start > 0 else math.nan,
        unit_variance=_unit_variance(weights.reshape(tensor.shape)),
        weight_gain=norm / math.sqrt(tensor.shape[1]),
    )


def _unit_variance(W: Array) -> float:
    """The variance of the weights across a layer's units, as a share of their mean square."""
    if W.shape[1] == 1:
        return math.nan
    size = float(np.mean(W * W))
    return float(W.var(axis=1).mean()) / size if size > 0 else 0.0


def _saturated(values: Array, bounds: tuple[float, float]) -> float:
    low, high = bounds
    edge = FLAT * (high - low)
    return float(np.mean((values < low + edge) | (values > high - edge)))


def _norm(v: Array) -> float:
    return math.sqrt(float(np.vdot(v, v)))


def _frozen[A: np.ndarray](array: A) -> A:
    array.setflags(write=False)
    return array

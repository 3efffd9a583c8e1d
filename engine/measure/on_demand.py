"""Statistics measured only while a view shows them: too expensive or large for every snapshot.

To add one, add a field to `OnDemandStatistics`, and under the same name a function to `STATISTICS`.
"""

import dataclasses
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Any

from engine.measure.decision_surface import DecisionSurface, decision_surface
from engine.measure.feature_maps import FeatureMaps, feature_maps
from engine.measure.model_summary import SummaryRow, model_summary
from engine.measure.preactivations import Preactivations, preactivations
from engine.measure.predictions import Predictions, predictions
from engine.measure.signal_theory import SignalTheory, signal_theory
from engine.measure.weight_images import WeightImages, weight_images
from engine.training.training import Training

BUDGET = 0.05  # share of the training time, for each statistic


@dataclass(frozen=True, slots=True)
class OnDemandStatistics:
    """The statistics that views have requested; None where no view shows one."""

    preactivations: Preactivations | None = None
    signal_theory: SignalTheory | None = None
    model_summary: tuple[SummaryRow, ...] | None = None
    weight_images: WeightImages | None = None
    feature_maps: FeatureMaps | None = None
    decision_surface: DecisionSurface | None = None
    predictions: Predictions | None = None


STATISTICS: Mapping[str, Callable[[Training], object]] = {
    "preactivations": preactivations,
    "signal_theory": signal_theory,
    "model_summary": model_summary,
    "weight_images": weight_images,
    "feature_maps": feature_maps,
    "decision_surface": decision_surface,
    "predictions": predictions,
}
# ... and what stays valid after a change, should the network diverge before the next measurement.
OUTLASTING = frozenset({"weight_images", "feature_maps", "decision_surface", "predictions"})
# Seconds of training between two measurements of what is large to send, however cheap it is.
PAUSES = {"weight_images": 0.4, "feature_maps": 0.4, "predictions": 0.6}
# Constant while the weights are learned: measured once, also for a network that has diverged.
LASTING = frozenset({"signal_theory", "model_summary"})


class OnDemandInstruments:
    """Measures the requested statistics of one run, each within a share of the training time."""

    def __init__(self, training: Training, clock: Callable[[], float]) -> None:
        self._training = training
        self._clock = clock
        self.results = OnDemandStatistics()
        self.renew()

    def renew(self) -> None:
        """Measure anew after the network was changed; results that no longer apply are dropped."""
        kept: dict[str, Any] = {name: getattr(self.results, name) for name in OUTLASTING}
        self.results = OnDemandStatistics(**kept)
        self._accrued: dict[str, float] = {}  # seconds that each has accrued
        # The step of each one's last measurement; none if it is due at once.
        self._steps: dict[str, int] = {name: -1 for name in kept if kept[name] is not None}

    def measure(self, requested: Set[str], trained: float) -> OnDemandStatistics:
        """The requested statistics, renewed as `trained` more seconds of training can afford."""
        for name in requested & STATISTICS.keys():
            measured_at = self._steps.get(name)
            if measured_at == self._training.step or (name in LASTING and measured_at is not None):
                continue
            self._accrued[name] = self._accrued.get(name, 0.0) + BUDGET * trained
            if self._accrued[name] >= 0:
                self._measure_one(name)
        for name in self._steps.keys() - requested:
            del self._steps[name]
            gone: dict[str, Any] = {name: None}
            self.results = dataclasses.replace(self.results, **gone)
        return self.results

    def measure_now(self, requested: Set[str]) -> OnDemandStatistics:
        """The requested statistics, all of them measured now."""
        self._accrued = dict.fromkeys(requested, 0.0)
        return self.measure(requested, 0.0)

    def measure_lasting(self, requested: Set[str]) -> OnDemandStatistics:
        """The requested statistics that are still defined for a network that has diverged."""
        for name in requested & LASTING - self._steps.keys():
            self._measure_one(name)
        return self.results

    def _measure_one(self, name: str) -> None:
        start = self._clock()
        result: dict[str, Any] = {name: STATISTICS[name](self._training)}
        self.results = dataclasses.replace(self.results, **result)
        self._steps[name] = self._training.step
        debt = max(self._clock() - start, BUDGET * PAUSES.get(name, 0.0))
        self._accrued[name] = -debt  # paid back by the next seconds of training

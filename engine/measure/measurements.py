"""All that is measured on one run: what every snapshot holds, and what views request."""

from collections.abc import Callable, Set

from engine.measure.instruments import Instruments, InstrumentState
from engine.measure.on_demand import OnDemandInstruments
from engine.training.training import Training


class Measurements:
    """The instruments of a run, and the statistics that are measured only while a view shows them.

    `requested` are names of fields of `OnDemandStatistics`.
    """

    def __init__(
        self, training: Training, clock: Callable[[], float], later: InstrumentState | None = None
    ) -> None:
        self.instruments = Instruments(training, clock, later)
        self.on_demand = OnDemandInstruments(training, clock)

    def renew(self) -> None:
        """Measure anew after the network was replaced or its weights redrawn."""
        self.instruments.renew()
        self.on_demand.renew()

    def measure(self, requested: Set[str], trained: float) -> None:
        """Measure what is affordable after `trained` more seconds of training."""
        self.instruments.measure(trained)
        self.on_demand.measure(requested, trained)

    def measure_all(self, requested: Set[str]) -> None:
        """Measure everything, whatever the cost."""
        self.instruments.measure_all()
        self.on_demand.measure_now(requested)

    def measure_broken(self, requested: Set[str]) -> None:
        """Measure what is still defined for a network that has diverged."""
        self.on_demand.measure_lasting(requested)

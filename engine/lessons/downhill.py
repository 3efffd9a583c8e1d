"""An exhibit: the loss of one mini-batch along its gradient."""

from dataclasses import dataclass

import numpy as np

from engine.lessons.graph import Graph, Line
from engine.measure.float64_copy import Float64Copy
from engine.number_format import written
from engine.registry import Choice
from engine.training.config import RunConfig
from engine.training.training import Training

DIGITS = RunConfig()  # the run that the page begins with


@dataclass(frozen=True, slots=True, eq=False)
class Slope(Graph):
    """How far the loss of a mini-batch falls in a step of one rate, and of twice that rate."""

    rate: float
    start: float  # the loss before the step
    highest: float  # ... after one, at the worst of all rates
    fall: float
    of_twice: float
    foreseen: float  # rate times the squared length of the gradient

    @property
    def ratio(self) -> float:
        """How many times as far the loss falls at twice the rate."""
        return self.of_twice / self.fall


@dataclass(frozen=True)
class Downhill:
    """One step at every rate from the same weights, on the same examples."""

    rate: float
    up_to: float  # the highest rate in the picture
    config: RunConfig = DIGITS

    @property
    def dataset(self) -> Choice:
        """The data set whose examples they are."""
        return self.config.data.dataset

    def show(self) -> Slope:
        """Move the weights against the gradient of a mini-batch, and measure its loss."""
        training = Training(self.config, np.float32)
        training.batches.advance()
        copy = Float64Copy(training)
        gradient, start = copy.gradient(), copy.parameters.theta.copy()
        here, squared = copy.loss(), float(gradient @ gradient)

        def loss(rate: float) -> float:
            copy.parameters.theta[...] = start - rate * gradient
            return copy.loss()

        rates = np.linspace(0.0, self.up_to, 81)
        curve = np.array([loss(rate) for rate in rates])
        straight = here - rates * squared
        shown = straight >= min(0.0, float(curve.min()))
        fall, of_twice = here - loss(self.rate), here - loss(2 * self.rate)
        return Slope(
            f"rates up to {written(self.up_to)}",
            ("learning rate of the step", "loss of its examples"),
            (
                Line("after the step", rates, curve),
                Line("as the gradient foresees", rates[shown], straight[shown], dashed=True),
            ),
            (False, False),
            f"at a rate of {written(self.rate)} the loss falls by {written(fall, 3)},"
            f" at twice that rate by {written(of_twice, 3)}",
            None,
            self.rate,
            here,
            float(curve.max()),
            fall,
            of_twice,
            self.rate * squared,
        )

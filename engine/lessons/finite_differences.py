"""An exhibit: backpropagation beside finite differences, from a wide one to a narrow one."""

from dataclasses import dataclass

import numpy as np

from engine.lessons.graph import Graph, Line
from engine.measure.float64_copy import Float64Copy
from engine.number_format import written
from engine.registry import Choice
from engine.training.config import RunConfig
from engine.training.config_sections import ModelConfig
from engine.training.training import Training
from engine.types import Array

# tanh has no kink, at which a difference would be no slope.
SMOOTH = RunConfig(model=ModelConfig(hidden=(16,), activation=Choice("tanh")))
POWERS = np.arange(-12.0, -0.5, 0.5)  # of ten: the steps to either side
CHECKED = 40  # weights
ENDS = 1e-11, 1.0  # of the errors in a picture


@dataclass(frozen=True, slots=True, eq=False)
class Differences(Graph):
    """How far backpropagation and differences are apart, by the width of the difference."""

    best: float  # the smallest relative error
    at: float  # the step to either side that has it


@dataclass(frozen=True)
class GradientErrors:
    """A gradient check at many widths; `factor` is a fault: it multiplies one layer's gradient."""

    factor: float = 1.0
    config: RunConfig = SMOOTH

    @property
    def dataset(self) -> Choice:
        """The data set whose examples they are."""
        return self.config.data.dataset

    def show(self) -> Differences:
        """Compare the gradient of some weights with differences of the loss."""
        training = Training(self.config, np.float32)
        training.batches.advance()
        copy = Float64Copy(training)
        gradient, first = copy.gradient(), copy.parameters.tensors[0].span
        gradient[first] *= self.factor
        places = np.linspace(first.start, first.stop - 1, CHECKED).astype(int)
        steps = 10**POWERS
        errors = np.array([_error(copy, gradient, places, step) for step in steps])
        best = int(errors.argmin())
        fault = "" if self.factor == 1 else f", the first layer times {written(self.factor)}"
        return Differences(
            f"backpropagation{fault}",
            ("step to either side, h", "relative error"),
            (Line("relative error", steps, errors),),
            (True, True),
            f"the smallest error is {written(float(errors[best]), 2)},"
            f" at a step of {written(float(steps[best]), 1)}",
            ENDS,
            float(errors[best]),
            float(steps[best]),
        )


def _error(copy: Float64Copy, gradient: Array, places: Array, step: float) -> float:
    """How far the differences at this step are from the gradient, relative to them."""
    differences = np.array([_difference(copy, int(place), step) for place in places])
    return float(
        np.linalg.norm(gradient[places] - differences)
        / max(float(np.linalg.norm(differences)), 1e-300)
    )


def _difference(copy: Float64Copy, place: int, step: float) -> float:
    theta = copy.parameters.theta
    value = float(theta[place])
    theta[place] = value + step
    above = copy.loss()
    theta[place] = value - step
    below = copy.loss()
    theta[place] = value
    return (above - below) / (2 * step)

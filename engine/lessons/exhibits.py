"""Exhibits: figures with numbers that need no training, computed from a few plain settings."""

from dataclasses import dataclass
from typing import cast

import numpy as np

from engine.data import DATASETS
from engine.data.preprocessing import PREPROCESSING
from engine.lessons.words import choice, preprocessed
from engine.nn.activations import ACTIVATIONS, Elementwise
from engine.number_format import written
from engine.registry import Choice
from engine.training.config_sections import DataConfig
from engine.training.prepare_data import prepare
from engine.types import Array, Integers

PENGUINS, CLOTHES = Choice("penguins"), Choice("Fashion-MNIST")


@dataclass(frozen=True, slots=True, eq=False)
class FunctionCurve:
    """An activation as a curve: where it is flat, and the mean of its outputs for normal inputs."""

    name: str  # of the activation
    x: Array  # (K,)
    value: Array  # (K,)
    slope: Array  # (K,)
    points: tuple[float, ...]
    slopes: tuple[float, ...]  # at the points
    mean: float  # of its value for inputs from N(0, 1)


@dataclass(frozen=True)
class Nonlinearity:
    """An activation at the points that the lecture discusses: -10, 0 and 10."""

    activation: Choice
    points: tuple[float, ...] = (-10.0, 0.0, 10.0)

    def show(self) -> FunctionCurve:
        """Its value and slope, computed by the functions that train."""
        function = cast(Elementwise, ACTIVATIONS.build(self.activation))
        x = np.linspace(-12, 12, 481)
        at = np.array(self.points)
        z = np.linspace(-8, 8, 4000)
        density = np.exp(-0.5 * z * z)
        slopes = tuple(float(slope) for slope in _evaluate(function, at)[1])
        mean = float(density @ _evaluate(function, z)[0] / density.sum())
        return FunctionCurve(
            choice(self.activation), x, *_evaluate(function, x), self.points, slopes, mean
        )


def _evaluate(function: Elementwise, z: Array) -> tuple[Array, Array]:
    value, slope = np.empty_like(z), np.empty_like(z)
    function.value(z, value)
    function.slope(z, value, slope)
    return value, slope


@dataclass(frozen=True, slots=True, eq=False)
class Descent:
    """The path of two weights in gradient descent, one example a step."""

    name: str  # describes the inputs
    weights: Array  # (S, 2) from start to end
    goal: tuple[float, float]
    same_sign: float  # share of the steps that move both weights up, or both down
    detour: float  # length of the path, relative to the straight line from start to goal


@dataclass(frozen=True)
class TwoWeights:
    """One linear unit with two inputs, uniform between `low` and `low + 1`, trained by SGD.

    Its minimum lies to the lower right: one weight must rise, the other must fall.
    """

    low: float  # 0: all inputs are positive; -0.5: they are centred
    learning_rate: float = 0.3
    goal: tuple[float, float] = (1.0, -1.0)
    near: float = 0.05  # distance from the minimum at which the path ends
    seed: int = 0

    def show(self) -> Descent:
        """Descend on the squared error of one example at a time."""
        rng, goal = np.random.default_rng(self.seed), np.array(self.goal)
        w, path, same = np.zeros(2), [np.zeros(2)], 0
        while len(path) < 2000 and np.hypot(*(w - goal)) > self.near:
            x = self.low + rng.random(2)
            dw = x * (x @ (w - goal))
            same += dw[0] * dw[1] > 0
            w = w - self.learning_rate * dw
            path.append(w)
        weights = np.array(path)
        length = float(np.hypot(*np.diff(weights, axis=0).T).sum())
        share = float(same) / max(1, len(path) - 1)
        name = f"inputs from {written(self.low)} to {written(self.low + 1)}"
        return Descent(name, weights, self.goal, share, length / float(np.hypot(*goal)))


@dataclass(frozen=True, slots=True, eq=False)
class Cloud:
    """Two inputs of a data set after preprocessing."""

    name: str  # of the data set and its preprocessing
    points: Array  # (N, 2)
    labels: Integers | Array  # (N,)
    mean: Array  # (2,)
    covariance: Array  # (2, 2)
    condition: float  # condition number: longest axis / shortest axis, squared; 1 is round


@dataclass(frozen=True)
class Scatter:
    """Two inputs of a data set as a scatter plot, raw or preprocessed."""

    preprocessing: Choice
    dataset: Choice = PENGUINS
    inputs: tuple[int, int] = (2, 0)

    def show(self) -> Cloud:
        """Transform the two inputs, and measure the cloud of points."""
        examples = DATASETS.build(self.dataset)(np.random.default_rng(0))
        x = examples.x[:, list(self.inputs)].astype(np.float64)
        points = PREPROCESSING.build(self.preprocessing)(x, (2,))(x)
        covariance = np.cov(points.T, bias=True)
        lengths = np.linalg.eigvalsh(covariance)
        return Cloud(
            f"{self.dataset.name}, {preprocessed(self.preprocessing)}",
            points,
            examples.y,
            points.mean(axis=0),
            covariance,
            float(lengths[1] / lengths[0]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Means:
    """What preprocessing subtracts from images, and what is left."""

    name: str  # of the data set, and of the preprocessing
    subtracted: Array  # in the shape of an image
    numbers: int  # how many different numbers are subtracted
    train: float  # the largest mean of a pixel that is left, over the training set
    validation: float  # ... over the validation set, to which the preprocessing was not fitted
    overall: float  # the mean of all pixels of all training examples


@dataclass(frozen=True)
class Subtraction:
    """The mean of a data set's images that a preprocessing subtracts."""

    preprocessing: Choice
    dataset: Choice = CLOTHES

    def show(self) -> Means:
        """Preprocess the images, and measure what is subtracted and what is left."""
        rng = np.random.default_rng
        raw = prepare(DataConfig(dataset=self.dataset, preprocessing=Choice("none")), rng(0), "f8")
        data = DataConfig(dataset=self.dataset, preprocessing=self.preprocessing)
        parts = prepare(data, rng(0), "f8")
        subtracted = raw.train.x[0] - parts.train.x[0]
        return Means(
            f"{self.dataset.name}, {self.preprocessing.name}",
            subtracted.reshape(parts.train.shape),
            len(np.unique(subtracted.round(5))) if subtracted.any() else 0,
            float(np.abs(parts.train.x.mean(axis=0)).max()),
            float(np.abs(parts.validation.x.mean(axis=0)).max()),
            float(parts.train.x.mean()),
        )

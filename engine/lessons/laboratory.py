"""The initialization lab: any activation, initializer, depth and width, before any training.

Normally distributed inputs run forward once, and a random gradient backward. The measurements stand
beside the predictions of mean-field theory, and beside the slides' figures where they have any.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np

from engine.lessons import slides
from engine.lessons.words import choice
from engine.measure.histogram import HistogramScale
from engine.measure.propagation import (
    Moments,
    Signal,
    measure_signal,
    predict_backward,
    predict_signal,
)
from engine.nn.activations import ACTIVATIONS, Maxout
from engine.registry import Choice
from engine.training.config import RunConfig
from engine.training.config_sections import ModelConfig
from engine.types import Array, Integers

EXAMPLES = 250  # a quarter of the lecture's: this changes figures less than another seed does
TANH, XAVIER = Choice("tanh"), Choice("Xavier")
BOUNDED = 0.97  # share of a bounded activation's half range beyond which it is saturated


@dataclass(frozen=True, slots=True, eq=False)
class LabLayer:
    """One layer of the lab: measured, predicted, and on the slides (NaN: not known)."""

    name: str
    mean: float
    expected_mean: float
    slide_mean: float
    std: float
    expected_std: float
    slide_std: float
    backward: float  # std of the gradient at its output; relative to the last layer's
    expected_backward: float
    zero: float  # share of activations that are exactly 0
    saturated: float  # share beyond 97 % of a bounded activation's half range; NaN if unbounded
    edges: Array  # (K+1,) the same for all layers; equally wide in asinh
    counts: Integers  # (K,) without the exact zeros


@dataclass(frozen=True, slots=True)
class LabReport:
    """All layers of the lab, first to last."""

    activation: Choice
    initializer: Choice
    examples: int
    input_std: float
    layers: tuple[LabLayer, ...]

    @property
    def name(self) -> str:
        """Such as "tanh, Xavier"."""
        return f"{choice(self.activation)}, {choice(self.initializer)}"

    @property
    def stds(self) -> list[float]:
        """The size of the activations, layer by layer."""
        return [layer.std for layer in self.layers]


@dataclass(frozen=True, kw_only=True)
class Laboratory:
    """The settings of the lab; by default the size of the lecture's experiment."""

    activation: Choice = TANH
    initializer: Choice = XAVIER
    depth: int = slides.DEPTH
    width: int = slides.WIDTH
    examples: int = EXAMPLES
    seed: int = 0

    @property
    def model(self) -> ModelConfig:
        """The network of the lab; refuses illegal sizes."""
        return ModelConfig(
            activation=self.activation,
            initializer=self.initializer,
            hidden=(self.width,) * self.depth,
        )

    def show(self) -> LabReport:
        """Run inputs forward and a gradient backward; compare with theory and slides."""
        rng = np.random.default_rng(self.seed)
        x = rng.standard_normal((self.examples, self.width), np.float32)
        signals = measure_signal(self.model, x, rng)
        moments = self._expect([signal.variance_gain for signal in signals])
        largest = max((float(np.abs(signal.activations).max()) for signal in signals), default=0.0)
        scale = HistogramScale()
        scale.cover(largest)
        backward = predict_backward(moments)
        means, stds = self._printed(slides.MEANS), self._printed(slides.STDS)
        layers = tuple(
            self._describe(signal, scale, expected, back, *printed)
            for signal, expected, back, *printed in zip(
                signals, moments, backward, means, stds, strict=True
            )
        )
        return LabReport(self.activation, self.initializer, self.examples, float(x.std()), layers)

    def train_from_here(self, config: RunConfig) -> RunConfig:
        """This config with these layers and this initializer in place of its own."""
        model = msgspec.structs.replace(
            config.model,
            hidden=self.model.hidden,
            activation=self.activation,
            initializer=self.initializer,
        )
        return msgspec.structs.replace(config, model=model)

    def _expect(self, variance_gains: list[float]) -> list[Moments]:
        if isinstance(ACTIVATIONS.build(self.activation), Maxout):  # not a function of one number
            return [Moments(math.nan, math.nan, math.nan)] * len(variance_gains)
        return predict_signal(self.activation, variance_gains)

    def _printed(self, table: Mapping[tuple[str, str], tuple[float, ...]]) -> tuple[float, ...]:
        """The slides' figures, if they have exactly this experiment."""
        case = self.activation.name, self.initializer.name
        known = (self.depth, self.width) == (slides.DEPTH, slides.WIDTH)
        if not known or self.activation.knobs or self.initializer.knobs or case not in table:
            return (math.nan,) * self.depth
        return table[case]

    def _describe(
        self,
        signal: Signal,
        scale: HistogramScale,
        expected: Moments,
        back: float,
        slide_mean: float,
        slide_std: float,
    ) -> LabLayer:
        edges, values = scale.edges, signal.activations
        active = values[values != 0]
        counts = scale.count(active).inside
        for array in (edges, counts):
            array.setflags(write=False)
        return LabLayer(
            signal.name,
            *(signal.mean, expected.mean, slide_mean),
            *(signal.std, expected.std, slide_std),
            *(signal.backward, back),
            zero=1 - active.size / values.size,
            saturated=self._saturated(values),
            edges=edges,
            counts=counts,
        )

    def _saturated(self, values: Array) -> float:
        bounds = ACTIVATIONS.build(self.activation).bounds
        if bounds is None:
            return math.nan
        middle, reach = sum(bounds) / 2, (bounds[1] - bounds[0]) / 2
        return float(np.mean(np.abs(values - middle) > BOUNDED * reach))

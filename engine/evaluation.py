"""Looking at a network from outside, without disturbing its training."""

import numpy as np

from engine.config import RunConfig
from engine.datasets import Examples
from engine.losses import LOSSES, accuracy
from engine.network import Parameters, build_network
from engine.telemetry import HistogramScale, LayerFrame, measure_layers

JUDGED = 512  # examples of each split that a row of the history is computed on, at most
SHOWN = 128  # of them, how many are drawn as histograms, at most


class Judge:
    """A second network over the same parameters, which runs on a fixed set of examples."""

    def __init__(self, config: RunConfig, examples: Examples, parameters: Parameters) -> None:
        dtype = parameters.theta.dtype
        count = min(JUDGED, len(examples))
        self._x = examples.x[:count]
        self._labels = examples.y[:count]
        self._target = examples.target(dtype)[:count]
        self._dz = np.empty_like(self._target)
        self._loss = LOSSES.build(config.optimization.loss)
        self._network = build_network(
            config.model,
            self._x.shape[1],
            examples.outputs,
            count,
            parameters=parameters,
            dtype=dtype,
        )

    def judge(self) -> tuple[float, float]:
        """The mean loss (nats) and the accuracy (0 to 1) on the fixed examples."""
        z = self._network.forward(self._x, train=False)
        return self._loss(z, self._target, self._dz), accuracy(z, self._labels)

    def layers(self, scale: HistogramScale) -> tuple[LayerFrame, ...]:
        """The activations of every layer on the first of the fixed examples."""
        self._network.forward(self._x, train=False)
        shown = self._network.shown
        return measure_layers(
            [layer.name for layer in shown], [layer.out[:SHOWN] for layer in shown], scale
        )

"""The outcome of a lesson's run: its last snapshot, and what else the checks need."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.measure.snapshot import Snapshot, Status
from engine.nn.channels import examples_first
from engine.runtime.experiment import Experiment
from engine.training.build_network import build_network
from engine.training.config import RunConfig
from engine.training.evaluation import EVALUATED
from engine.types import Array, Integers

_AT_A_TIME = 64


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """A finished run; its arrays are read-only copies."""

    snapshot: Snapshot
    parameters: Mapping[str, Array]  # by layer and name, such as "dense 1 W"
    scores: Array  # (N, O) for at most 512 validation examples
    answers: Integers | Array  # (N,) their labels, or (N, O) their values
    example: Array  # the first of them, in its own shape
    responses: Mapping[str, Array]  # outputs of each layer for that example: (O,) or maps (H, W, O)

    @property
    def config(self) -> RunConfig:
        """Its settings at the end."""
        return self.snapshot.config

    @property
    def accuracy(self) -> float:
        """Share of the validation examples whose highest score is that of the right class."""
        return float(np.mean(self.scores.argmax(axis=1) == self.answers))

    @property
    def loss(self) -> float:
        """The mean loss on the training examples that are evaluated."""
        return self.snapshot.metrics.train_loss

    @property
    def first_cost(self) -> float:
        """Loss and penalty before the first step."""
        curves = self.snapshot.curves
        return float(curves["loss"][0] + curves["penalty"][0])

    @property
    def diverged(self) -> bool:
        """Whether the loss became infinite or NaN."""
        return self.snapshot.status is Status.DIVERGED

    @property
    def ratio(self) -> float:
        """The update/weight ratio: the median over the layers, in the last rows."""
        curves = self.snapshot.curves
        lately = [curves[f"ratio {x.name}"][-20:] for x in self.snapshot.tensors]
        return float(np.nanmedian([np.nanmedian(ratios) for ratios in lately]))

    def steps_to(self, accuracy: float) -> float:
        """The first recorded step with this training accuracy, or infinity."""
        curves = self.snapshot.curves
        rows = np.flatnonzero(curves["train_accuracy"] >= accuracy)
        return float(curves["step"][rows[0]]) if len(rows) else math.inf


@np.errstate(over="ignore", invalid="ignore")
def outcome(experiment: Experiment) -> Outcome:
    """Collect the outcome of a run; the experiment is not changed."""
    validation, parameters = experiment.data.validation, experiment.network.parameters
    count = min(EVALUATED, len(validation))
    model, shape = experiment.config.model, validation.shape
    dtype = parameters.theta.dtype
    network = build_network(
        model, shape, validation.outputs, min(_AT_A_TIME, count), parameters=parameters, dtype=dtype
    )
    scores = np.empty((count, validation.outputs), dtype)
    for start in range(0, count, network.batch):
        begin = min(start, count - network.batch)  # the last piece overlaps the one before
        piece = slice(begin, begin + network.batch)
        scores[piece] = network.forward(validation.x[piece], train=False)
    one = build_network(model, shape, validation.outputs, 1, parameters=parameters, dtype=dtype)
    one.forward(validation.x[:1], train=False)
    return Outcome(
        experiment.snapshot(),
        {
            f"{tensor.layer} {tensor.name}": _kept(
                parameters.theta[tensor.span].reshape(tensor.shape)
            )
            for tensor in parameters.tensors
        },
        _kept(scores),
        _kept(validation.y[:count]),
        _kept(validation.x[0].reshape(shape)),
        {layer.name: _kept(examples_first(layer.out)[0]) for layer in one.layers},
    )


def _kept[A: np.ndarray](array: A) -> A:
    """A read-only copy."""
    copy: A = array.copy()
    copy.setflags(write=False)
    return copy

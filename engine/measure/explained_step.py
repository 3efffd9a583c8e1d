"""One step of a run in slow motion: its batch, forward, loss, backward and update.

It is made on a copy of the run, by the same parts in the same order as any other step, so that the
run, when it makes this step, gets the same weights to the bit.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.data import Examples
from engine.measure.float64_copy import backward_by_layer
from engine.measure.model_summary import kind_of
from engine.measure.predictions import predictions_of, read_only, shares, small
from engine.nn.layers import Layer
from engine.nn.losses import LOSSES
from engine.nn.network import Tensor
from engine.registry import Choice
from engine.training.training import Diverged, Training
from engine.types import Array

MOST_EXAMPLES = 64  # of the mini-batch that are shown
MOST_INPUTS = 24  # of an example that is a row of a table
MOST_UNITS = 64  # shown of a layer
MOST_MAPS = 16
SIDE = 24  # pixels, at most, of a feature map that is shown
MATRIX = 64  # rows and columns, at most, of the weights that are shown

# The loss shows that a step diverges, so NumPy's warning is not needed.
quietly = np.errstate(over="ignore", invalid="ignore", divide="ignore")


@dataclass(frozen=True, slots=True, eq=False)
class BatchExample:
    """An example of the mini-batch, and what the network makes of it before this step."""

    picture: Array | None  # (H, W) or (H, W, 3) as it was before preprocessing; None for tables
    inputs: Array  # (I,) the first, as they were before preprocessing; none of pictures
    right: float  # true label or value, in the data's units
    predicted: float
    loss: float


@dataclass(frozen=True, slots=True, eq=False)
class LayerPass:
    """A layer's output for one example, and the gradient of the batch's loss there."""

    name: str
    kind: str  # as a learner calls it: dense, batch norm, ReLU, pool 2×2
    weighted: bool  # whether it has weights
    units: int  # of the whole layer: or feature maps
    output: Array  # (O,) or (O, H, W), of the first units
    gradient: Array | None  # of the same shape; None: the step has no way back


@dataclass(frozen=True, slots=True, eq=False)
class TensorStep:
    """An array of parameters, and how this step changes it."""

    layer: str
    name: str
    shape: tuple[int, ...]
    size: float  # norm before the step
    gradient: float  # norm of the gradient of the loss
    update: float  # norm of what is subtracted
    weights: Array  # (rows, columns) the first rows and columns before the step
    change: Array  # (rows, columns) what is added to them

    @property
    def ratio(self) -> float:
        """The size of the update over that of the parameters: healthy near 0.001 for weights."""
        return self.update / self.size if self.size > 0 else math.nan


@dataclass(frozen=True, slots=True, eq=False)
class ExplainedStep:
    """All that happens in one step, for one example of its mini-batch where examples differ."""

    run: int
    step: int  # its number: the run had made one less
    batch: int  # examples in the mini-batch
    examples: tuple[BatchExample, ...]  # the first of them
    chosen: int  # which of them is followed
    entering: Array  # (I,) the followed example as the network gets it, at most MOST_UNITS numbers
    inputs: int  # how many numbers an example is
    layers: tuple[LayerPass, ...]  # in order
    scores: Array  # (O,) of the followed example
    probabilities: Array | None  # (O,) if the loss makes scores into probabilities
    target: Array  # (O,)
    dscores: Array | None  # (O,) gradient of the mean loss; None if the loss is too large
    loss_name: str
    loss: float  # mean over the mini-batch
    penalty: float  # what L2 and L1 add to it
    tensors: tuple[TensorStep, ...]  # empty if the step diverges
    optimizer: Choice
    learning_rate: float
    clipped: float  # factor on the gradient by clipping; 1: none
    digest: str  # of the parameters after the step; empty if it diverges

    @property
    def diverges(self) -> bool:
        """Whether the run would end with this step."""
        return not self.digest


@dataclass(frozen=True, slots=True)
class Explaining:
    """An explanation that is being computed."""

    done: float  # from 0 to 1


def explain_step(training: Training, run: int = 1, chosen: int = 0) -> ExplainedStep:
    """The next step of a run, which is not touched, for one example of its mini-batch."""
    *_, explained = explaining(training, run, chosen)
    if not isinstance(explained, ExplainedStep):
        raise RuntimeError("the explanation ended early")
    return explained


def explaining(
    training: Training, run: int = 1, chosen: int = 0
) -> Iterator[ExplainedStep | Explaining]:
    """Explain the next step in pieces, each about as long as a step."""
    copy = training.fork(training.save())
    yield Explaining(0.25)
    slow = _SlowStep(copy, run, chosen)
    slow.forward()
    yield Explaining(0.5)
    slow.backward()
    yield Explaining(0.75)
    yield slow.finish()


class _SlowStep:
    """A copy of a run, which makes one step in parts and notes what they compute."""

    def __init__(self, training: Training, run: int, chosen: int) -> None:
        self._training, self._run = training, run
        self._network = training.network
        self._chosen = min(max(0, chosen), self._network.batch - 1, MOST_EXAMPLES - 1)
        self._before = training.network.parameters.theta.copy()
        self._gradients: dict[str, Array] = {}
        self._norms: dict[Tensor, float] = {}
        self._diverged = False

    @quietly
    def forward(self) -> None:
        try:
            self._loss = self._training.go_forward()
        except Diverged as diverged:
            self._loss, self._diverged = diverged.loss, True
        self._outputs = {x.name: _of_one(x.out, self._chosen) for x in self._network.layers}
        self._scores = self._network.layers[-1].out.copy()
        self._penalty = self._training.regularization.penalty

    @quietly
    def backward(self) -> None:
        if self._diverged:
            return
        self._dscores = read_only(self._training.dscores[self._chosen].copy())
        for layer, dy in backward_by_layer(self._network, self._training.dscores):
            self._gradients[layer.name] = _of_one(dy, self._chosen)
        for layer in itertools.takewhile(lambda x: "W" not in x.shapes, self._network.layers):
            del self._gradients[layer.name]  # of the data, which the first weights do not compute
        grad = self._network.parameters.grad
        self._norms = {x: _norm(grad[x.span]) for x in self._network.parameters.tensors}

    @quietly
    def finish(self) -> ExplainedStep:
        training, config = self._training, self._training.config
        batches, rate = training.batches, training.learning_rate
        if not self._diverged:
            training.move()
        probabilities = shares(self._scores[self._chosen : self._chosen + 1], config)
        return ExplainedStep(
            run=self._run,
            step=training.step,
            batch=self._network.batch,
            examples=tuple(self._examples()),
            chosen=self._chosen,
            entering=read_only(batches.x[self._chosen][:MOST_UNITS].copy()),
            inputs=batches.x.shape[1],
            layers=tuple(self._pass_of(layer) for layer in self._network.layers),
            scores=read_only(self._scores[self._chosen].copy()),
            probabilities=None if probabilities is None else read_only(probabilities[0]),
            target=read_only(batches.target[self._chosen].copy()),
            dscores=None if self._diverged else self._dscores,
            loss_name=config.optimization.loss.name,
            loss=self._loss,
            penalty=self._penalty,
            tensors=() if self._diverged else tuple(map(self._change_of, self._norms)),
            optimizer=config.optimization.optimizer,
            learning_rate=rate,
            clipped=training.regularization.clipped,
            digest="" if self._diverged else self._network.parameters.digest,
        )

    def _pass_of(self, layer: Layer) -> LayerPass:
        out = layer.out
        return LayerPass(
            name=layer.name,
            kind=kind_of(layer, self._training),
            weighted="W" in layer.shapes,
            units=out.shape[0] if out.ndim == 4 else out.shape[1],
            output=self._outputs[layer.name],
            gradient=self._gradients.get(layer.name),
        )

    def _change_of(self, tensor: Tensor) -> TensorStep:
        before = self._before[tensor.span]
        after = self._network.parameters.theta[tensor.span]
        columns = tensor.shape[-1]
        corner = (slice(MATRIX), slice(MATRIX))
        change = after - before
        return TensorStep(
            layer=tensor.layer,
            name=tensor.name,
            shape=tensor.shape,
            size=_norm(before),
            gradient=self._norms[tensor],
            update=_norm(self._training.optimizer.last_update[tensor.span]),
            weights=read_only(before.reshape(-1, columns)[corner].copy()),
            change=read_only(change.reshape(-1, columns)[corner].copy()),
        )

    def _examples(self) -> Iterator[BatchExample]:
        training, train = self._training, self._training.data.train
        rows = training.batches.rows[:MOST_EXAMPLES]
        predicted = predictions_of(self._scores, train)
        losses = self._losses(len(rows))
        for number, row in enumerate(rows):
            right = train.y[row] if train.classes else train.y[row, 0]
            picture, inputs = _before_preprocessing(training, train, int(row))
            yield BatchExample(
                picture, inputs, float(right), float(predicted[number]), losses[number]
            )

    def _losses(self, count: int) -> list[float]:
        """The loss of each example alone, whose mean is that of the mini-batch."""
        loss = LOSSES.build(self._training.config.optimization.loss)
        target, dz = self._training.batches.target, np.empty_like(self._scores)
        row = np.empty_like(dz[:, 0])
        ones = (slice(n, n + 1) for n in range(count))
        return [loss(self._scores[n], target[n], dz[n], row[n]) for n in ones]


def _before_preprocessing(
    training: Training, train: Examples, row: int
) -> tuple[Array | None, Array]:
    """An example as the data hold it: a picture, or the first inputs of a row of a table."""
    raw = training.data.raw
    values = raw.x[row if train.rows is None else int(train.rows[row])]
    if len(raw.shape) > 1:
        picture = np.asarray(small(values.reshape(raw.shape)), np.float32)
        return read_only(picture), read_only(np.empty(0, np.float32))
    return None, read_only(np.asarray(values[:MOST_INPUTS], np.float32))


def _of_one(out: Array, number: int) -> Array:
    """The first units of a layer for one example: (O,), or (O, H, W) of feature maps."""
    if out.ndim == 4:
        every = math.ceil(max(out.shape[1:3]) / SIDE)
        return read_only(out[:MOST_MAPS, ::every, ::every, number].copy())
    return read_only(out[number, :MOST_UNITS].copy())


def _norm(values: Array) -> float:
    return math.sqrt(float(np.vdot(values, values)))

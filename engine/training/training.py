"""One run of training: a network, its data, its optimizer, and the step they make together.

A `Run` (engine/runtime/run.py) makes the steps, and writes what they give into the curves.
"""

import copy
import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import DTypeLike

from engine.data import Examples, Split
from engine.nn.initializers import INITIALIZERS
from engine.nn.losses import LOSSES, Loss
from engine.nn.network import Network, Parameters
from engine.number_format import written
from engine.registry import Choice
from engine.training.batches import Batches
from engine.training.blas_threads import hold_blas
from engine.training.build_network import build_layers, build_network
from engine.training.config import Pretraining, RunConfig, rebuilt
from engine.training.evaluation import EVALUATED, Evaluator, evaluation_network
from engine.training.optimizers import Optimizer
from engine.training.prepare_data import prepare
from engine.training.regularization import Regularization
from engine.training.schedules import SCHEDULES, warm_up
from engine.training.setting import Rebuilds
from engine.types import Array

# Times the first loss. Of 144 runs at absurd rates, 45 rose above it, and none of those learned;
# the highest rise of a run that still learned was 14-fold.
DIVERGENCE_FACTOR = 1e4
MOST_BEFORE = 5e9  # multiplications that pretraining may take: about a second
DRAWN_ON = 256  # training examples that data-dependent initializers may use


class Diverged(Exception):
    """The loss is infinite, NaN, or absurdly large."""

    def __init__(self, loss: float) -> None:
        super().__init__(f"the loss is {written(loss)}")
        self.loss = loss


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """The state that, with the data, determines all further steps."""

    step: int
    config: RunConfig
    scheduled_at: int
    first_loss: float
    theta: Array  # (P,)
    drawn: Array  # (P,) shared by all states since then
    statistics: Array
    optimizer: tuple[Mapping[str, Array], int]
    batches: tuple[np.ndarray, int, int, Mapping[str, Any]]
    dropout: Mapping[str, Any]  # the state of the generator
    weights: Mapping[str, Any]  # ... and of the generator that draws weights

    @property
    def nbytes(self) -> int:
        """The bytes that it alone takes, without what it shares."""
        memory = self.optimizer[0].values()
        return sum(x.nbytes for x in (self.theta, self.statistics, self.batches[0], *memory))


class Training:
    """A network in training; its config and seed determine every step to the bit."""

    def __init__(self, config: RunConfig, dtype: DTypeLike, data: Split | None = None) -> None:
        """Draw the first weights; `data` are those of another run under the same config."""
        hold_blas()
        self.config = config
        self.step = 0
        self.scheduled_at = 0  # the step at which the schedule was chosen
        self.dtype = dtype
        streams = np.random.SeedSequence(config.seed).spawn(4)
        drawn, self._weights_rng, order, self._dropout_rng = map(np.random.default_rng, streams)
        if config.data.seed is not None:
            drawn = np.random.default_rng(config.data.seed)
        self.data = data or prepare(config.data, drawn, dtype)
        check_loss_fits_data(config, self.data.train)
        train = self.data.train
        self.batches = Batches(train.x, train.target, config.optimization.batch_size, order)
        self._assemble(None)
        parameters = self.network.parameters
        theta = parameters.theta
        self.optimizer = Optimizer(config.optimization.optimizer, theta, parameters.regularized)
        self._comparing = False
        self._previous: Array = np.zeros_like(theta)
        self.gradient_cosine = math.nan  # cosine between the gradients of two consecutive steps
        self.draw_weights()
        if config.start:
            self._inherit(config.start)

    def _assemble(self, parameters: Parameters | None) -> None:
        """Build what depends on the config, over existing parameters if there are any."""
        self.network: Network = build_network(
            self.config.model,
            self.data.train.shape,
            self.data.train.outputs,
            len(self.batches.x),
            parameters=parameters,
            dtype=self.dtype,
            rng=self._dropout_rng,
        )
        self._use_loss(evaluation_network(self.config, self.data.train, self.network))
        self._schedule = SCHEDULES.build(self.config.optimization.schedule)
        self.dscores: Array = np.empty_like(self.batches.target)  # the gradient of the scores
        self._row = np.empty_like(self.dscores[:, 0])
        self.regularization = Regularization(self.config.optimization, self.network.parameters)

    def _use_loss(self, evaluating: Network) -> None:
        """Use the config's loss, for training and for evaluation by a second network."""
        self._loss: Loss = LOSSES.build(self.config.optimization.loss)
        chance = self._loss.of_chance(self.data.train.outputs)
        # The loss when all scores are equal; NaN if that has no meaning for this loss.
        self.chance_loss = math.nan if chance is None else chance
        self.constant_loss = self._loss.of_constant(self.data.train.target)
        self.evaluators = tuple(
            Evaluator(self.config, examples, evaluating)
            for examples in (self.data.train, self.data.validation)
        )

    # ---- one step ---------------------------------------------------------------------------

    def update(self) -> float:
        """Batch, forward, loss, backward, update; returns the batch's loss or raises Diverged."""
        loss = self.go_forward()
        self.network.backward(self.dscores)
        self.move()
        return loss

    def go_forward(self) -> float:
        """The first part of a step: the next batch, its scores, their loss and its gradient.

        Diverged is raised if the loss is not finite, or far above the first one.
        """
        self.batches.advance()
        self.step += 1
        scores = self.network.forward(self.batches.x, train=True)
        loss = self._loss(scores, self.batches.target, self.dscores, self._row)
        if not loss <= self._diverged_above:  # NaN fails every comparison
            raise Diverged(loss)
        if self._comparing:
            np.copyto(self._previous, self.network.parameters.grad)
        return loss

    def move(self) -> None:
        """The last part of a step, after the gradients: the update."""
        optimization, grad = self.config.optimization, self.network.parameters.grad
        if optimization.clip:
            self.regularization.clip()
            self.optimizer.update(grad, self.learning_rate)
        else:  # block by block, while each is in the processor's cache
            self.optimizer.update(grad, self.learning_rate, self.regularization.penalize)
        if self._comparing:
            self._compare()
        if optimization.max_norm:
            self.regularization.limit_weights(self.optimizer.last_update)

    def compare_next(self) -> None:
        """At the next step, set `gradient_cosine` from its gradient and the one before."""
        self._comparing = True

    def _compare(self) -> None:
        self._comparing = False
        now, before = self.network.parameters.grad, self._previous
        lengths = math.sqrt(float(np.vdot(now, now)) * float(np.vdot(before, before)))
        self.gradient_cosine = float(np.vdot(now, before)) / lengths if lengths > 0 else math.nan

    @property
    def learning_rate(self) -> float:
        """The rate of the current step (of the first, before any), with schedule and warm-up."""
        optimization, done = self.config.optimization, self.step - 1 if self.step else 0
        since = done - self.scheduled_at
        scheduled = self._schedule(since if since > 0 else 0)
        rate = optimization.learning_rate * scheduled
        return rate * warm_up(done, optimization.warm_up) if optimization.warm_up else rate

    # ---- changes while it runs ----------------------------------------------------------------

    def can_follow(self, config: RunConfig) -> bool:
        """Whether this network can continue under `config`, which has the same data.

        Raises ValueError if the network would be illegal for the batch size.
        """
        if Rebuilds.NETWORK not in rebuilt(self.config, config):
            return True
        data, batch = self.data.train, config.optimization.batch_size
        layers = build_layers(config.model, data.shape, data.outputs, min(batch, len(data)))
        return self.network.parameters.fits(layers)

    def follow(self, config: RunConfig) -> None:
        """Continue under another config, with the same parameters."""
        check_loss_fits_data(config, self.data.train)
        anew, before, now = rebuilt(self.config, config), self.config, config.optimization
        self.config = config
        if now.schedule.name != before.optimization.schedule.name:
            self.scheduled_at = self.step
        self._schedule = SCHEDULES.build(now.schedule)
        self.regularization.config = now
        if Rebuilds.NETWORK in anew:
            self.batches.resize(now.batch_size)
            self._assemble(self.network.parameters)
        if Rebuilds.OPTIMIZER in anew:
            self.optimizer.follow(now.optimizer)
        if Rebuilds.LOSS in anew:
            self._use_loss(self.evaluators[0].network)
            self._measure_first_loss()

    def save(self) -> State:
        """A copy of the state that determines all further steps."""
        parameters = self.network.parameters
        return State(
            self.step, self.config, self.scheduled_at, self.first_loss,
            parameters.theta.copy(), parameters.drawn, parameters.statistics.copy(),
            self.optimizer.save(), self.batches.save(),
            self._dropout_rng.bit_generator.state, self._weights_rng.bit_generator.state,
        )  # fmt: skip

    def fork(self, state: State) -> "Training":
        """Another run over the same data that continues from `state` exactly as this one did.

        The two share only the examples, which nobody changes.
        """
        fork = copy.copy(self)
        fork.step, fork.config = state.step, state.config
        fork.scheduled_at = state.scheduled_at
        fork._dropout_rng, fork._weights_rng = np.random.default_rng(), np.random.default_rng()
        fork._dropout_rng.bit_generator.state = state.dropout
        fork._weights_rng.bit_generator.state = state.weights
        fork.batches = self.batches.fork(state.config.optimization.batch_size, state.batches)
        fork._assemble(None)
        parameters = fork.network.parameters
        parameters.theta[...], parameters.drawn = state.theta, state.drawn
        parameters.statistics[...] = state.statistics
        fork._begin_at(state.first_loss)
        fork.optimizer = Optimizer(
            state.config.optimization.optimizer, parameters.theta, parameters.regularized
        )
        fork.optimizer.load(state.optimizer)
        fork._comparing, fork._previous = False, np.zeros_like(parameters.theta)
        fork.gradient_cosine = math.nan  # until the next comparison
        return fork

    def fork_now(self) -> "Training":
        """Another run that continues from the current step, with the gradient of that step."""
        fork = self.fork(self.save())
        fork.network.parameters.grad[...] = self.network.parameters.grad
        fork.gradient_cosine, fork._comparing = self.gradient_cosine, self._comparing
        return fork

    def restarted(self, config: RunConfig) -> "Training":
        """The run that began under `config`, over the same data, before its first step."""
        return Training(config, self.dtype, self.data)

    def draw_weights(self) -> None:
        """Draw new weights at the current step."""
        initializer = INITIALIZERS.build(self.config.model.initializer)
        x = self.data.train.x[:DRAWN_ON]
        shape, outputs = self.data.train.shape, self.data.train.outputs
        drawn = build_network(
            self.config.model, shape, outputs, len(x),
            parameters=self.network.parameters, dtype=self.dtype,
        )  # fmt: skip
        drawn.draw(initializer, self._weights_rng, x)
        self.network.parameters.note_drawn()
        self.optimizer.reset()
        self.network.parameters.statistics[...] = self._measure_first_loss()

    def _inherit(self, pretraining: Pretraining) -> None:
        """Copy what was learned on other data, in all layers that fit except the last."""
        work = pretraining.steps * len(self.batches.x) * self.network.work
        if work > MOST_BEFORE:
            raise ValueError(
                f"pretraining takes {written(work, 1)} multiplications;"
                f" {written(MOST_BEFORE, 0)} are allowed: fewer steps, or a smaller network"
            )
        learned = _learned(self.config.to_json(), np.dtype(self.dtype).str)
        for layer in self.network.layers[:-1]:
            for name, values in (*layer.params.items(), *layer.running.items()):
                before = learned.get((layer.name, name))
                if before is not None and before.shape == values.shape:
                    values[...] = before
        self.network.parameters.note_drawn()
        self._measure_first_loss()

    def _measure_first_loss(self) -> Array:
        """Measure the first loss, of which a multiple counts as divergence.

        Returns the running statistics that batch norm estimates on the way.
        """
        if self.network.parameters.running:
            loss, statistics = self._loss_in_training_mode()
        else:
            (loss, _), statistics = self.evaluators[0].evaluate(), np.zeros(0, self.dtype)
        self._begin_at(loss)
        return statistics

    def _begin_at(self, loss: float) -> None:
        self.first_loss = loss
        self._diverged_above = DIVERGENCE_FACTOR * max(
            loss, 1e-3
        )  # not 0, should the first loss be 0

    def _loss_in_training_mode(self) -> tuple[float, Array]:
        """The loss and batch norm's statistics as in training, averaged over a few mini-batches."""
        model, parameters = self.config.model, self.network.parameters
        at_once = Choice(model.normalization.name, {"momentum": 1.0})  # keeps only the last batch
        train, size = self.data.train, len(self.batches.x)
        network = build_network(
            msgspec.structs.replace(model, dropout=0.0, normalization=at_once),
            train.shape, train.outputs, size, parameters=parameters, dtype=self.dtype,
        )  # fmt: skip
        before, seen = parameters.statistics.copy(), []
        for start in range(0, max(1, min(EVALUATED, len(train)) - size + 1), size):
            piece = slice(start, start + size)
            scores = network.forward(train.x[piece], train=True)
            loss = self._loss(scores, train.target[piece], self.dscores, self._row)
            seen.append((loss, parameters.statistics.copy()))
        parameters.statistics[...] = before
        losses, statistics = zip(*seen, strict=True)
        return float(np.mean(losses)), np.mean(statistics, axis=0)


def check_loss_fits_data(config: RunConfig, examples: Examples) -> None:
    """Raise ValueError unless the loss fits the targets of these examples."""
    loss = LOSSES.build(config.optimization.loss)
    if loss.predicts == "classes" and not examples.classes:
        raise ValueError(
            f"{config.optimization.loss.name} needs classes, but {config.data.dataset.name}"
            " has values to predict: choose mean squared error"
        )


@functools.lru_cache(8)
def _learned(config: str, dtype: str) -> Mapping[tuple[str, str], Array]:
    """The parameters at the end of pretraining; cached, because runs are restarted."""
    run = RunConfig.from_json(config)
    if run.start is None:
        return {}
    training = Training(msgspec.structs.replace(run, data=run.start.data, start=None), dtype)
    try:
        for _ in range(run.start.steps):
            training.update()
    except Diverged:
        raise ValueError(
            f"pretraining diverged at step {training.step}: lower the learning rate"
        ) from None
    return {
        (layer.name, name): values.copy()
        for layer in training.network.layers
        for name, values in (*layer.params.items(), *layer.running.items())
    }

"""One experiment: a network, its data, and everything that can be done to it while it learns.

There are no threads here. `advance` trains, `apply` obeys a command, `snapshot` tells how things
stand; whoever calls them decides when. A run is determined to the bit by its first config and its
journal, the list of `(step, command)` that were applied to it.
"""

import math
import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import DTypeLike

from engine.batches import Batches
from engine.commands import Command, Pause, Play, Restart, SetKnob, Step
from engine.config import SETTINGS, Effect, RunConfig
from engine.evaluation import Judge
from engine.history import History
from engine.initializers import INITIALIZERS
from engine.losses import LOSSES
from engine.network import Network, Parameters, build_network
from engine.optimizers import Optimizer
from engine.preparation import prepare
from engine.registry import Choice
from engine.telemetry import (
    HistogramScale,
    LayerFrame,
    Marker,
    Pace,
    Snapshot,
    Spread,
    Status,
    update_ratios,
)

# Times the first loss. Of 144 runs at absurd rates 45 rose above it and none of them learned; the
# worst that learned all the same had risen 14-fold.
EXPLODED = 1e4

# An overflow is told in words by the check of the loss; a warning on the console would tell nobody.
_quietly = np.errstate(over="ignore", invalid="ignore", divide="ignore")


class Experiment:
    """A network that learns, step by step, and obeys commands between two steps."""

    def __init__(
        self,
        config: RunConfig,
        *,
        dtype: DTypeLike = np.float32,
        clock: Callable[[], float] = time.perf_counter,  # seconds; sets how long a slice lasts
    ) -> None:
        self.run = 0
        self.status = Status.PAUSED
        self._dtype = dtype
        self._clock = clock
        self._begin(config)

    # ---- a new run ------------------------------------------------------------------------

    def _begin(self, config: RunConfig) -> None:
        self.run += 1
        self.step = 0
        self.message = ""
        self.config = self.first_config = config
        self.journal: list[tuple[int, Command]] = []
        self._markers: list[Marker] = []
        streams = np.random.SeedSequence(config.seed).spawn(3)
        data_rng, self._weights_rng, order_rng = map(np.random.default_rng, streams)

        self.data = prepare(config.data, data_rng, self._dtype)
        train = self.data.train
        target = train.target(self._dtype)
        self.batches = Batches(train.x, target, config.optimization.batch_size, order_rng)
        self._assemble(None)
        parameters = self.network.parameters
        self._optimizer = Optimizer(config.optimization.optimizer, parameters.theta)
        self._decay = np.empty(parameters.regularized, self._dtype)
        self._scale = HistogramScale()
        self._pace = Pace()
        self._spread = Spread()
        self._shown: tuple[LayerFrame, ...] = ()
        self._history = History(
            [
                *("loss", "loss_low", "loss_high", "validation_loss", "penalty"),
                *("train_accuracy", "validation_accuracy"),
                *(f"ratio {tensor.layer}" for tensor in parameters.weights),
            ]
        )
        self._draw_weights()
        self._record(dict.fromkeys(("loss", "loss_low", "loss_high"), self._first_loss))

    def _assemble(self, parameters: Parameters | None) -> None:
        """Build what depends on the config, over the parameters of before if there are any."""
        self.network: Network = build_network(
            self.config.model,
            self.batches.x.shape[1],
            self.batches.target.shape[1],
            len(self.batches.x),
            parameters=parameters,
            dtype=self._dtype,
        )
        parameters = self.network.parameters
        self._dz = np.empty_like(self.batches.target)
        self._loss = LOSSES.build(self.config.optimization.loss)
        self._judges = [
            Judge(self.config, examples, parameters)
            for examples in (self.data.train, self.data.validation)
        ]

    def _draw_weights(self) -> None:
        initializer = INITIALIZERS.build(self.config.model.initializer)
        self.network.draw(initializer, self._weights_rng)
        self._optimizer.reset()
        self._first_loss, _ = self._judges[0].judge()

    # ---- training -------------------------------------------------------------------------

    @_quietly
    def train(self, steps: int) -> None:
        """Make so many updates, fewer only if the run diverges."""
        for _ in range(steps):
            if self.status is Status.DIVERGED:
                return
            self._update()

    @_quietly
    def advance(self, seconds: float) -> None:
        """Train for about so long, if the experiment is running; at least one step."""
        deadline = self._clock() + seconds
        while self.status is Status.RUNNING:
            self._update()
            if self._clock() >= deadline:
                return

    def _update(self) -> None:
        """One step: batch, forward, loss, backward, update."""
        optimization, parameters = self.config.optimization, self.network.parameters
        theta, grad = parameters.theta, parameters.grad
        self.step += 1
        self.batches.advance()
        scores = self.network.forward(self.batches.x, train=True)
        loss = self._loss(scores, self.batches.target, self._dz)
        if not loss <= EXPLODED * self._first_loss:  # NaN fails every comparison
            return self._diverge(loss)
        self._spread.add(loss)
        self.network.backward(self._dz)
        if optimization.l2:
            weights = theta[: len(self._decay)]
            np.multiply(weights, optimization.l2, out=self._decay)
            grad[: len(self._decay)] += self._decay
        update = self._optimizer.direction(grad, self.step)
        update *= optimization.learning_rate
        due = self._history.due(self.step)
        ratios = update_ratios(parameters, update) if due else {}
        theta -= update
        if due:
            self._record(self._spread.take() | ratios)

    def _record(self, figures: dict[str, float]) -> None:
        (_, train_accuracy), (validation_loss, validation_accuracy) = (
            judge.judge() for judge in self._judges
        )
        weights = self.network.parameters.theta[: len(self._decay)]
        figures |= {
            "validation_loss": validation_loss,
            "penalty": 0.5 * self.config.optimization.l2 * float(np.vdot(weights, weights)),
            "train_accuracy": train_accuracy,
            "validation_accuracy": validation_accuracy,
        }
        self._history.append(self.step, figures)

    def _diverge(self, loss: float) -> None:
        self.status = Status.DIVERGED
        self._mark("diverged")
        self._history.append(self.step, {"loss": loss})
        where = next((x.name for x in self.network.layers if not np.isfinite(x.out).all()), None)
        self.message = _autopsy(self.step, loss, where, self.config)

    # ---- commands -------------------------------------------------------------------------

    @_quietly
    def apply(self, command: Command) -> None:
        """Obey a command; ValueError says in one sentence why an impossible one is refused."""
        journal = self.journal  # of this run; a command that begins a new one leaves it behind
        step = self.step
        match command:
            case Play():
                self._refuse_if_diverged()
                self.status = Status.RUNNING
            case Pause():
                if self.status is Status.RUNNING:
                    self.status = Status.PAUSED
            case Step():
                self._refuse_if_diverged()
                self.status = Status.PAUSED
                self._history.make_due()
                self.train(1)
            case SetKnob(path, value):
                self._set(path, value)
            case Restart(seed):
                self._restart(self.config if seed is None else self.config.with_seed(seed))
        journal.append((step, command))

    def _refuse_if_diverged(self) -> None:
        if self.status is Status.DIVERGED:
            raise ValueError("This run has diverged: lower the learning rate, then restart it.")

    def _restart(self, config: RunConfig) -> None:
        self._begin(config)
        if self.status is not Status.PAUSED:
            self.status = Status.RUNNING

    def _set(self, path: str, value: float | Choice) -> None:
        before = self.config.value(path)
        config = self.config.replace(path, value)
        if config.value(path) == before:
            return
        setting = SETTINGS[path]
        if setting.effect is Effect.NEW_RUN:
            return self._restart(config)
        self.config = config
        self.batches.resize(config.optimization.batch_size)
        self._assemble(self.network.parameters)
        self._optimizer.follow(config.optimization.optimizer)
        if setting.effect is Effect.REDRAW:
            self._draw_weights()
            if self.status is Status.DIVERGED:
                self.status, self.message = Status.PAUSED, ""
        self._mark(f"{setting.label} {_plain(before)} → {_plain(config.value(path))}")

    def _mark(self, text: str) -> None:
        self._markers.append(Marker(self.step, len(self._history), text))
        self._history.make_due()

    # ---- telling --------------------------------------------------------------------------

    @_quietly
    def snapshot(self) -> Snapshot:
        """How things stand, measured now; training goes on unchanged by it."""
        if self.status is not Status.DIVERGED or not self._shown:
            self._shown = self._judges[0].layers(self._scale)
        running = self.status is Status.RUNNING
        return Snapshot(
            run=self.run,
            step=self.step,
            epoch=self.batches.epoch,
            status=self.status,
            message=self.message,
            config=self.config,
            curves=self._history.curves(),
            layers=self._shown,
            markers=tuple(self._markers),
            weights=tuple(tensor.layer for tensor in self.network.parameters.weights),
            steps_per_second=self._pace.rate(self.step, self._clock()) if running else 0.0,
        )


def replay(config: RunConfig, journal: Sequence[tuple[int, Command]], steps: int) -> Experiment:
    """The run that `config` began and `journal` steered, after `steps` steps, to the bit."""
    experiment = Experiment(config)
    for step, command in journal:
        experiment.train(step - experiment.step)
        experiment.apply(command)
    experiment.train(steps - experiment.step)
    return experiment


def _plain(value: float | Choice) -> str:
    if isinstance(value, Choice):
        knobs = ", ".join(f"{name} {number:g}" for name, number in value.knobs.items())
        return f"{value.name} ({knobs})" if knobs else value.name
    return f"{value:g}"


def _autopsy(step: int, loss: float, layer: str | None, config: RunConfig) -> str:
    """One sentence each on what happened, where, why, and what to do."""
    rate, l2 = config.optimization.learning_rate, config.optimization.l2
    what = f"rose to {loss:.3g}" if math.isfinite(loss) else "is no longer a finite number"
    where = f", first seen in layer “{layer}”" if layer else ""
    if rate * l2 > 2 and rate <= 1:
        why = f"Learning rate × L2 = {rate * l2:.3g}: beyond 2 the decay itself overshoots."
        remedy = "Lower one of them"
    else:
        why = f"A learning rate of {rate:g} is too high here."
        remedy = "Lower it"
    return f"Diverged at step {step:,}: the loss {what}{where}. {why} {remedy}, then restart."

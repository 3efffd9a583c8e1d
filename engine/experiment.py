"""One experiment: a network, its data, and everything that can be done to it while it learns.

There are no threads here. `advance` trains, `apply` obeys a command, `snapshot` tells how things
stand; whoever calls them decides when. A run is determined to the bit by its first config and its
journal, the list of `(step, command)` that were applied to it.
"""

import dataclasses
import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import DTypeLike

from engine.autopsy import autopsy
from engine.commands import Command, Pause, Play, Restart, SetKnob, Step
from engine.config import SETTINGS, Effect, RunConfig
from engine.datasets import DATASETS, Split
from engine.diagnosis import diagnose
from engine.gradcheck import GradientCheck, check_gradients
from engine.instruments import Instruments
from engine.losses import LOSSES
from engine.network import Network
from engine.recorder import Recorder
from engine.registry import Choice
from engine.telemetry import Marker, Pace, Snapshot, Status
from engine.training import Diverged, Training

DATASET = "data.dataset"

# An overflow is told in words by the check of the loss; a warning on the console would tell nobody.
_quietly = np.errstate(over="ignore", invalid="ignore", divide="ignore")


class Experiment:
    """A network that learns, step by step, and obeys commands between two steps."""

    @_quietly
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

    def _begin(self, config: RunConfig) -> None:
        training = Training(config, self._dtype)  # may refuse; then the run of before goes on
        self.run += 1
        self.message = ""
        self.config = self.first_config = config
        self.journal: list[tuple[int, Command]] = []
        self._markers: list[Marker] = []
        self._training = training
        self._recorder = Recorder(training)
        self._instruments = Instruments(training, self._clock)
        self._pace = Pace()
        self._trained = 0.0  # seconds since the instruments were last told

    @property
    def step(self) -> int:
        """Updates made so far."""
        return self._training.step

    @property
    def network(self) -> Network:
        """The network that is being trained."""
        return self._training.network

    @property
    def data(self) -> Split:
        """What it is trained and judged on, preprocessed."""
        return self._training.data

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
        start = now = self._clock()
        while self.status is Status.RUNNING and now - start < seconds:
            self._update()
            now = self._clock()
        self._trained += now - start

    def _update(self) -> None:
        try:
            loss = self._training.update()
        except Diverged as diverged:
            return self._diverge(diverged.loss)
        self._recorder.note(loss)

    def _diverge(self, loss: float) -> None:
        self.status = Status.DIVERGED
        self._mark("diverged")
        self._recorder.end(loss)
        self.message = autopsy(self._training, loss)

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
                self._recorder.make_due()
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

    def _set(self, path: str, value: float | Choice | str) -> None:
        before = self.config.value(path)
        config = self.config.replace(path, value)
        if config.value(path) == before:
            return
        setting = SETTINGS[path]
        if path == DATASET:
            config = self._with_fitting_loss(config)
        if setting.effect is Effect.NEW_RUN or not self._training.can_follow(config):
            return self._restart(config)
        self._training.follow(config)
        self.config = config
        if setting.effect is Effect.REDRAW:
            self._training.draw_weights()
            if self.status is Status.DIVERGED:
                self.status, self.message = Status.PAUSED, ""
        self._instruments.renew()
        self._mark(f"{setting.label} {_plain(before)} → {_plain(config.value(path))}")

    def _with_fitting_loss(self, config: RunConfig) -> RunConfig:
        """From data with classes to data with values, or back, the loss has to change as well."""
        examples = DATASETS.build(config.data.dataset)(np.random.default_rng(config.seed))
        if bool(examples.classes) == bool(self.data.train.classes):
            return config
        wanted = "classes" if examples.classes else "either"
        loss = next(x for x in LOSSES if LOSSES.build(Choice(x)).predicts == wanted)
        return config.replace("optimization.loss", Choice(loss))

    def _mark(self, text: str) -> None:
        self._markers.append(Marker(self.step, self._recorder.rows, text))
        self._recorder.make_due()

    # ---- telling --------------------------------------------------------------------------

    @_quietly
    def snapshot(self) -> Snapshot:
        """How things stand, all of it measured now; training goes on unchanged by it."""
        if self.status is not Status.DIVERGED:
            self._instruments.measure_all()
        return self._tell()

    @_quietly
    def glimpse(self) -> Snapshot:
        """How things stand; what is dear to measure may be a little older."""
        trained, self._trained = self._trained, 0.0
        if self.status is not Status.DIVERGED:
            self._instruments.measure(trained)
        return self._tell()

    @_quietly
    def check_gradients(self, coordinates: int = 30) -> GradientCheck:
        """Compare so many of the last mini-batch's gradients with differences of the loss."""
        return check_gradients(self._training, np.random.default_rng(self.step), coordinates)

    def _tell(self) -> Snapshot:
        running = self.status is Status.RUNNING
        instruments = self._instruments
        snapshot = Snapshot(
            run=self.run,
            step=self.step,
            epoch=self._training.batches.epoch,
            status=self.status,
            message=self.message,
            config=self.config,
            curves=self._recorder.curves,
            layers=instruments.layers,
            tensors=instruments.tensors,
            gauges=instruments.gauges,
            findings=(),
            markers=tuple(self._markers),
            costs=instruments.costs,
            steps_per_second=self._pace.rate(self.step, self._clock()) if running else 0.0,
        )
        return dataclasses.replace(snapshot, findings=diagnose(snapshot))


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

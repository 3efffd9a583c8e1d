"""Estimates how long a run will take on this machine, before it starts."""

import functools
import time

import numpy as np

from engine.number_format import written
from engine.runtime.experiment import Experiment
from engine.runtime.run_transfer import RunTransfer, Sent
from engine.training.build_network import size_of
from engine.training.commands import Begin, Restart, SetKnob
from engine.training.config import SETTINGS, RunConfig
from engine.training.evaluation import EVALUATED
from engine.training.setting import Effect

SHORT = 0.03  # seconds of setting up that other visitors do not notice
ALLOWED = 0.1  # seconds that a step may take beside other visitors
PASSES = 3  # a forward pass, and a backward pass that costs twice as much
UPDATED = 20  # the update of a parameter takes as long as so many multiplications
DRAWN = 60  # ... and its allocation and drawing as long as these
SIDE = 256  # of the matrices in the speed measurement


@functools.cache
def speed() -> float:
    """Multiplications per second of a matrix product on this machine, on one thread."""
    a, b = np.ones((SIDE, SIDE), np.float32), np.ones((SIDE, SIDE), np.float32)
    out = np.empty_like(a)
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        np.matmul(a, b, out=out)
        times.append(time.perf_counter() - begun)
    return float(SIDE**3 / max(min(times), 1e-6))


def begun_by(command: Sent, experiment: Experiment) -> RunConfig | None:
    """The config of the run that a command would start; None if it starts none."""
    config = experiment.config
    match command:
        case Begin():
            return command.config
        case RunTransfer(begin):
            return begin.config
        case Restart(seed):
            return config if seed is None else config.with_seed(seed)
        case SetKnob(path, value) if setting := SETTINGS.get(path):
            try:
                changed = config.replace(path, value)
            except ValueError:  # it will be refused
                return None
            return changed if setting.effect is Effect.NEW_RUN and changed != config else None
    return None


def takes_long(config: RunConfig, experiment: Experiment) -> bool:
    """Whether setting up such a run may take so long that others notice.

    The cost of loading data is known only for the experiment's current data.
    """
    now = experiment.config
    if config.data != now.data or config.start is not None or _draws_anew(config, now):
        return True
    try:
        work, parameters = _size(config, experiment)
    except ValueError:  # it will be refused
        return False
    evaluated = 2 * min(EVALUATED, len(experiment.data.train))
    return (2 * evaluated * work + DRAWN * parameters) / speed() > SHORT


def _draws_anew(config: RunConfig, now: RunConfig) -> bool:
    """Whether another seed changes the data."""
    return config.data.seed is None and config.seed != now.seed


def step_seconds(config: RunConfig, experiment: Experiment) -> float:
    """The estimated duration of a step, if the run has the experiment's data; else 0."""
    if config.data != experiment.config.data:
        return 0.0
    try:
        work, parameters = _size(config, experiment)
    except ValueError:
        return 0.0
    batch = min(config.optimization.batch_size, len(experiment.data.train))
    return (PASSES * batch * work + UPDATED * parameters) / speed()


def _size(config: RunConfig, experiment: Experiment) -> tuple[int, int]:
    train = experiment.data.train
    return size_of(config.model, train.shape, train.outputs)


def refusal(seconds: float) -> str:
    """Why such steps are refused beside other visitors."""
    return (
        f"A step of this network takes {written(seconds, 2)} s here; beside other visitors"
        f" {written(ALLOWED)} s is allowed: fewer or narrower layers, or a smaller batch."
    )

"""How long a run takes on this machine before there is one: estimated, for those who share it."""

import functools
import time

import numpy as np

from engine.number_format import written
from engine.runtime.experiment import Experiment
from engine.training.build_network import size_of
from engine.training.commands import Begin, Command, Restart, SetKnob
from engine.training.config import SETTINGS, Effect, RunConfig
from engine.training.evaluation import JUDGED

SHORT = 0.03  # seconds of setting up that nobody notices
ALLOWED = 0.1  # seconds that a step may take while there are others
PASSES = 3  # a step is one way forward and, twice as dear, one back
UPDATED = 20  # multiplications of a matrix product in whose time one parameter is updated
DRAWN = 60  # ... in which it is drawn, and its room taken
SIDE = 256  # of the matrices by which the machine is measured


@functools.cache
def speed() -> float:
    """Multiplications of a matrix product that this machine makes in a second, on one thread."""
    a, b = np.ones((SIDE, SIDE), np.float32), np.ones((SIDE, SIDE), np.float32)
    out = np.empty_like(a)
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        np.matmul(a, b, out=out)
        times.append(time.perf_counter() - begun)
    return float(SIDE**3 / max(min(times), 1e-6))


def begun_by(command: Command, experiment: Experiment) -> RunConfig | None:
    """The config of the run that a command would begin; None if it begins none."""
    config = experiment.config
    match command:
        case Begin():
            return command.config
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
    """Whether setting up such a run may take longer than nobody notices.

    What data costs is known of that alone which the experiment has.
    """
    now = experiment.config
    if config.data != now.data or config.start is not None or _draws_anew(config, now):
        return True
    try:
        work, parameters = _size(config, experiment)
    except ValueError:  # it will be refused
        return False
    judged = 2 * min(JUDGED, len(experiment.data.train))
    return (2 * judged * work + DRAWN * parameters) / speed() > SHORT


def _draws_anew(config: RunConfig, now: RunConfig) -> bool:
    """Whether another seed decides over the data."""
    return config.data.seed is None and config.seed != now.seed


def step_seconds(config: RunConfig, experiment: Experiment) -> float:
    """About how long a step of such a run takes, if it has the experiment's data; else 0."""
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
    """Why such steps are not made while there are others."""
    return (
        f"A step of this network takes {written(seconds, 2)} s here; with others in the room"
        f" {written(ALLOWED)} s is allowed: fewer or narrower layers, or a smaller batch."
    )

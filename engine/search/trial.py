"""One trial of a search: a run that is measured only as much as the search needs."""

import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import numpy as np

from engine.data import register_folder
from engine.search.predictions import predictions, score
from engine.training.blas_threads import hold_blas
from engine.training.config import RunConfig
from engine.training.training import Diverged, Training

ROWS = 100  # points of the loss curve, and checks of the cost, in a full trial
EVALUATIONS = 10  # evaluations on the validation set in a full trial
DIGITS = 16  # of the digest of the weights

# A cost that is not finite ends the trial with a message; NumPy's warning is not needed.
_quietly = np.errstate(over="ignore", invalid="ignore", divide="ignore")


class Ending(StrEnum):
    """How a trial, or a round of it, ended."""

    FINISHED = "went on to the end"
    COST = "its cost rose too far above the first"
    NOT_FINITE = "its cost is no longer a finite number"
    DROPPED = "others were better when the round ended"
    FAILED = "it could not be run"


class Curve(NamedTuple):
    """The cost, penalties included, over the steps."""

    steps: tuple[int, ...] = ()
    costs: tuple[float, ...] = ()


NO_CURVE = Curve()


@dataclass(frozen=True)
class Job:
    """All that a worker needs to run a trial, or its next round, from the first step."""

    number: int  # of the trial
    rung: int
    config: RunConfig
    epochs: float  # of a trial of full length
    share: float = 1.0  # share of the full length that this round reaches
    limit: float = 3.0
    folder: Path | None = None  # of the user's own data sets


@dataclass(frozen=True)
class Result:
    """The result of a trial, or of a round of it."""

    number: int
    rung: int
    ending: Ending
    message: str = ""  # why it could not be run
    steps: int = 0
    asked: int = 0  # planned steps of this round
    first_cost: float = math.nan
    cost: float = math.nan
    train_accuracy: float = math.nan  # on the examples that the history evaluates
    validation_accuracy: float = math.nan  # on the whole validation set; in regression R²
    seconds: float = 0.0  # of computation
    digest: str = ""  # of the weights
    curve: Curve = field(default=NO_CURVE, compare=False)

    @property
    def score(self) -> float:
        """The number that ranks trials: the accuracy; below any other if it is not known."""
        return -math.inf if math.isnan(self.validation_accuracy) else self.validation_accuracy


@dataclass(frozen=True)
class Progress:
    """The progress of a running trial."""

    number: int
    steps: int
    asked: int
    cost: float
    validation_accuracy: float  # on the examples that the history evaluates
    curve: Curve


class TrialRun:
    """A running trial, advanced some steps at a time."""

    @_quietly
    def __init__(self, job: Job, clock: Callable[[], float] = time.perf_counter) -> None:
        began = clock()
        self.job = job
        self.ending: Ending | None = None
        self._clock = clock
        self._training = training = Training(job.config, np.float32)
        full = steps_of(training, job.epochs)
        self.asked = max(1, round(full * job.share))
        self._every = max(1, full // ROWS)
        self._evaluate_every = max(1, full // EVALUATIONS)
        self._first_cost = training.first_loss + training.regularization.penalty
        self._steps, self._costs = [0], [self._first_cost]
        self._accuracy = training.evaluators[1].evaluate()[1]
        self._sum, self._since = 0.0, 0  # of the losses since the last row, and their number
        self._seconds = clock() - began

    @_quietly
    def advance(self, seconds: float) -> None:
        """Train for about so many seconds; at least one step, and not beyond the end."""
        start = now = self._clock()
        while self.ending is None:
            self._step()
            now = self._clock()
            if now - start >= seconds:
                break
        self._seconds += now - start

    def _step(self) -> None:
        training = self._training
        try:
            self._sum += training.update()
        except Diverged as diverged:
            self._write(diverged.loss)
            self.ending = Ending.COST if math.isfinite(diverged.loss) else Ending.NOT_FINITE
            return
        self._since += 1
        step, last = training.step, training.step >= self.asked
        if last or step % self._every == 0:
            self._check_cost()
        if self.ending is None and not last and step % self._evaluate_every == 0:
            self._accuracy = training.evaluators[1].evaluate()[1]
        if last and self.ending is None:
            self.ending = Ending.FINISHED

    def _check_cost(self) -> None:
        """Add a point to the curve, and stop the trial if its cost has diverged."""
        cost = self._sum / self._since + self._training.regularization.penalty
        self._write(cost)
        if not math.isfinite(cost):
            self.ending = Ending.NOT_FINITE
        elif self.job.limit and cost > self.job.limit * self._first_cost:
            self.ending = Ending.COST

    def _write(self, cost: float) -> None:
        self._steps.append(self._training.step)
        self._costs.append(cost)
        self._sum, self._since = 0.0, 0

    @property
    def progress(self) -> Progress:
        """The current progress."""
        curve = Curve(tuple(self._steps), tuple(self._costs))
        done, cost = self._training.step, self._costs[-1]
        return Progress(self.job.number, done, self.asked, cost, self._accuracy, curve)

    @property
    @_quietly
    def result(self) -> Result:
        """The result."""
        theta = self._training.network.parameters.theta
        sane = bool(np.isfinite(theta).all())
        return Result(
            number=self.job.number,
            rung=self.job.rung,
            ending=self.ending or Ending.FINISHED,
            steps=self._training.step,
            asked=self.asked,
            first_cost=self._first_cost,
            cost=self._costs[-1],
            train_accuracy=self._training.evaluators[0].evaluate()[1] if sane else math.nan,
            validation_accuracy=score(self._training, predictions(self._training))
            if sane
            else math.nan,
            seconds=self._seconds,
            digest=hashlib.sha256(theta).hexdigest()[:DIGITS],
            curve=self.progress.curve,
        )

    @property
    def training(self) -> Training:
        """The underlying run."""
        return self._training


def steps_of(training: Training, epochs: float) -> int:
    """The number of steps that make so many epochs."""
    return max(1, math.ceil(epochs * len(training.data.train) / len(training.batches.x)))


def run(job: Job) -> Result:
    """Run a trial from first to last step, as a worker process does."""
    hold_blas()
    if job.folder:
        register_folder(job.folder)
    try:
        trial = TrialRun(job)
    except (ValueError, MemoryError) as error:
        return refused(job, error)
    trial.advance(math.inf)
    return trial.result


def refused(job: Job, error: BaseException) -> Result:
    """The result of a trial that cannot run, such as convolutions of data that are no images."""
    message = " ".join(str(error).split()) or type(error).__name__
    return Result(job.number, job.rung, Ending.FAILED, message)

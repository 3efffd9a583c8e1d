"""The sanity checks of the lecture: what to do before trusting a long run.

They work on a `Checkup`: the settings of an experiment and a copy of its weights, independent of
the experiment from then on. Each check is an iterator that does a few milliseconds of work at a
time, yields its progress, and finally its result.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec
import numpy as np

from engine.diagnosis.gradcheck import GradientCheck, one_by_one
from engine.diagnosis.lr_range_test import Sweep, sweep
from engine.nn.losses import LOSSES
from engine.number_format import counted, in_form, percent, written
from engine.registry import Choice, Registry
from engine.runtime.background_results import CheckProgress, CheckResult
from engine.runtime.experiment import Experiment
from engine.training.config import RunConfig
from engine.training.training import Diverged, Training
from engine.types import Array

STRONG = 1e3  # the lecture's L2
FEW = 20  # examples that any sound network learns by heart
EPOCHS = 1000  # of training on these, at most
EVALUATED_EVERY = 5  # steps between two evaluations
COORDINATES = 5  # parameters per tensor in a gradient check
RIGHT = 1e-5  # largest error of a correct gradient; most have 1e-7


@dataclass(frozen=True, eq=False)
class Checkup:
    """What the checks work on: settings and weights at one step of a run."""

    config: RunConfig
    theta: Array  # (P,) a copy
    statistics: Array  # a copy
    seed: int  # of the random numbers in a check

    def training(self, config: RunConfig) -> Training:
        """A fresh run under this config."""
        return Training(config, self.theta.dtype)

    def plain(self, **changes: object) -> RunConfig:
        """The settings without penalties, limits and schedules, which would disturb a check."""
        optimization = msgspec.structs.replace(
            self.config.optimization,
            **{"l2": 0.0, "l1": 0.0, "max_norm": 0.0, "clip": 0.0, "warm_up": 0}
            | {"schedule": Choice("constant")}
            | changes,
        )
        return msgspec.structs.replace(self.config, optimization=optimization)


type Check = Callable[[Checkup], Iterator[CheckProgress | CheckResult]]

CHECKS: Registry[Iterator[CheckProgress | CheckResult]] = Registry("check")


def take_checkup(experiment: Experiment) -> Checkup:
    """The checkup of an experiment at its current step."""
    parameters = experiment.network.parameters
    return Checkup(
        experiment.config, parameters.theta.copy(), parameters.statistics.copy(), experiment.step
    )


def run_check(name: str, checkup: Checkup) -> Iterator[CheckProgress | CheckResult]:
    """Run one check, a little at a time; the last thing it yields is its result."""
    work = CHECKS[name].make(checkup)
    while True:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            report = next(work, None)
        if report is None:
            return
        yield report


def run_checks(checkup: Checkup) -> Iterator[tuple[CheckProgress | CheckResult, ...]]:
    """Run all checks one after another; yields the results so far and the current progress."""
    results: tuple[CheckResult, ...] = ()
    for name in CHECKS:
        for report in run_check(name, checkup):
            if isinstance(report, CheckResult):
                results += (report,)
                yield results
            else:
                yield (*results, report)


# ---- the checks, in the lecture's order ---------------------------------------------------------


@CHECKS.register("first loss")
def first_loss(checkup: Checkup) -> Iterator[CheckProgress | CheckResult]:
    """Before training and without penalties the loss is that of equal chances: ln C."""
    name = "first loss"
    yield CheckProgress(name, 0.1)
    training = checkup.training(checkup.plain())
    first = training.first_loss
    chance = LOSSES.build(checkup.config.optimization.loss).of_chance(training.data.train.outputs)
    if chance is None:
        yield CheckResult(
            name, None, first, "", "In regression no first loss is known to be right."
        )
        return
    passed = abs(first - chance) <= 0.25 * chance
    judged = "as it should be" if passed else "the first weights are too large, most likely"
    yield CheckResult(
        name, passed, first, f"about {written(chance, 4)}",
        f"It is {written(first, 4)}, and {written(chance, 4)} if all scores are equal: {judged}.",
    )  # fmt: skip


@CHECKS.register("regularization raises it")
def regularization(checkup: Checkup) -> Iterator[CheckProgress | CheckResult]:
    """With an L2 of 1000 the first loss must rise, by half of that times the squared weights."""
    name = "regularization raises it"
    yield CheckProgress(name, 0.1)
    plain = checkup.training(checkup.plain())
    yield CheckProgress(name, 0.5)
    strong = checkup.training(checkup.plain(l2=STRONG))
    with_penalty, without = (x.first_loss + x.regularization.penalty for x in (strong, plain))
    rise = with_penalty - without
    weights = (plain.network.parameters.theta[t.span] for t in plain.network.parameters.weights)
    due = 0.5 * STRONG * sum(float(np.vdot(W, W)) for W in weights)
    passed = rise > 0 and math.isclose(rise, due, rel_tol=1e-3)
    yield CheckResult(
        name, passed, rise, written(due, 2),
        f"The loss goes from {written(plain.first_loss, 4)} to"
        f" {written(plain.first_loss + rise, 4)};"
        f" the weights make it a rise of {written(due, 4)}.",
    )  # fmt: skip


@CHECKS.register("overfit 20 examples")
def overfit(checkup: Checkup) -> Iterator[CheckProgress | CheckResult]:
    """Without penalties a sound network learns 20 examples by heart, at the current rate."""
    name = "overfit 20 examples"
    yield CheckProgress(name, 0.0)
    training = checkup.training(_few(checkup))
    steps = EPOCHS * max(1, len(training.data.train) // len(training.batches.x))
    losses, accuracy = [training.first_loss], 0.0
    try:
        while training.step < steps and not (accuracy > 0.999 and losses[-1] < _tiny(losses[0])):
            for _ in range(EVALUATED_EVERY):
                training.update()
                yield CheckProgress(name, training.step / steps)
            loss, accuracy = training.evaluators[0].evaluate()
            losses.append(loss)
    except Diverged:
        losses.append(math.inf)
    passed = accuracy > 0.99 and losses[-1] < _tiny(losses[0])
    advice = "" if passed else "; if no learning rate helps, something is broken"
    curve = np.array(losses)
    yield CheckResult(
        name, passed, losses[-1], f"below {written(_tiny(losses[0]), 2)}",
        f"After {counted(training.step, 'steps')} the loss is {written(losses[-1], 2)} and"
        f" {percent(accuracy)} are right{advice}.",
        _frozen(np.minimum(EVALUATED_EVERY * np.arange(len(curve)), training.step)), _frozen(curve),
        ("step", "loss"),
    )  # fmt: skip


def _few(checkup: Checkup) -> RunConfig:
    config = checkup.plain()
    return msgspec.structs.replace(
        config,
        data=msgspec.structs.replace(config.data, examples=FEW),
        model=msgspec.structs.replace(config.model, dropout=0.0),
    )


def _tiny(first: float) -> float:
    """The loss that counts as almost 0."""
    return 0.05 * max(first, 1e-3)


@CHECKS.register("gradients")
def gradients(checkup: Checkup) -> Iterator[CheckProgress | CheckResult]:
    """Backpropagation agrees with differences of the loss, at the current weights."""
    name = "gradients"
    yield CheckProgress(name, 0.0)
    training = checkup.training(checkup.config)
    training.update()  # for a mini-batch; then back to the checkup's weights
    training.network.parameters.theta[...] = checkup.theta
    training.network.parameters.statistics[...] = checkup.statistics
    rng = np.random.default_rng(checkup.seed)
    yield CheckProgress(name, 0.1)
    coordinates = COORDINATES * len(training.network.parameters.tensors)
    checks = []
    for check in one_by_one(training, rng, coordinates):
        checks.append(check)
        yield CheckProgress(name, 0.1 + 0.9 * len(checks) / coordinates)
    checked = GradientCheck(tuple(checks))
    passed = checked.error < RIGHT
    yield CheckResult(
        name, passed, checked.error, f"below {written(RIGHT)}",
        f"{len(checked.checks)} gradients differ by a share of {in_form(checked.error, '.1e')}"
        f" ({checked.kinks} lie at a kink and do not count).",
    )  # fmt: skip


@CHECKS.register("learning rate")
def learning_rate(checkup: Checkup) -> Iterator[CheckProgress | CheckResult]:
    """A rate that rises from tiny to huge shows which are too low, and which are too high."""
    name = "learning rate"
    yield CheckProgress(name, 0.0)
    found: Sweep | None = None
    for report in sweep(checkup.plain(), checkup.theta.dtype):
        if isinstance(report, Sweep):
            found = report
        else:
            yield CheckProgress(name, report)
    if found is None:  # never: the test always ends with a result
        return
    rate = checkup.config.optimization.learning_rate
    passed = found.low <= rate <= found.high
    where = "between" if passed else "too low" if rate < found.low else "too high"
    yield CheckResult(
        name, passed, rate, f"{written(found.low, 1)} to {written(found.high, 1)}",
        f"Below {written(found.low, 1)} the loss hardly moves, above {written(found.high, 1)}"
        " it rises again;"
        f" yours, {written(rate)}, is {where}.",
        _frozen(found.rates), _frozen(found.losses), ("learning rate", "loss"),
    )  # fmt: skip


def _frozen(array: Array) -> Array:
    array.setflags(write=False)
    return array

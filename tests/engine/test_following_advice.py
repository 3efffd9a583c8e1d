"""Following the advice leads to a healthy run, or to the message that no remedy is known.

`BABYSIT_CHAINS` is how many random runs are followed; all but the first few by `-m slow`.
"""

import os

import numpy as np
import pytest

from engine import (
    SETTINGS,
    Choice,
    Command,
    Condition,
    DataConfig,
    Experiment,
    Finding,
    ModelConfig,
    OptimizationConfig,
    Range,
    Registry,
    RunConfig,
    SetKnob,
    Status,
)
from engine.data.preprocessing import PREPROCESSING
from engine.nn.activations import ACTIVATIONS
from engine.nn.initializers import INITIALIZERS
from engine.nn.normalization import NORMALIZATIONS
from engine.training.optimizers import OPTIMIZERS
from engine.training.schedules import SCHEDULES

CHAINS = int(os.environ.get("BABYSIT_CHAINS", "60"))
FEW = 12  # chains that are always followed
MOST = 6  # consecutive remedies
STEPS = 300  # between two remedies
DATA = ("digits", "moons", "spiral", "iris", "wine", "breast cancer", "penguins", "bumps", "plane")
VALUES = {"bumps", "plane"}


def choice(rng: np.random.Generator, menu: Registry, usual: str) -> Choice:
    """The usual entry half of the time."""
    return Choice(usual if rng.random() < 0.5 else str(rng.choice(list(menu))))


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(f"{np.exp(rng.uniform(np.log(low), np.log(high))):.2g}")


def random_config(seed: int) -> RunConfig:
    rng = np.random.default_rng(seed)
    dataset = str(rng.choice(DATA))
    losses = ["softmax cross-entropy", "multiclass hinge", "mean squared error"]
    loss = "mean squared error" if dataset in VALUES else str(rng.choice(losses, p=[0.6, 0.2, 0.2]))
    deep, normalized = rng.random() < 0.2, rng.random() < 0.3
    return RunConfig(
        data=DataConfig(
            dataset=Choice(dataset),
            preprocessing=choice(rng, PREPROCESSING, "centre"),
            examples=int(rng.choice([20, 300])) if rng.random() < 0.3 else None,
        ),
        model=ModelConfig(
            hidden=(int(rng.integers(4, 40)),) * (8 if deep else int(rng.integers(0, 4))),
            activation=choice(rng, ACTIVATIONS, "ReLU"),
            initializer=choice(rng, INITIALIZERS, "He"),
            normalization=choice(rng, NORMALIZATIONS, "batch norm" if normalized else "none"),
            dropout=float(rng.choice([0.0, 0.0, 0.0, 0.5, 0.9])),
        ),
        optimization=OptimizationConfig(
            learning_rate=log_uniform(rng, 1e-6, 1e3),
            optimizer=choice(rng, OPTIMIZERS, "momentum"),
            schedule=choice(rng, SCHEDULES, "constant"),
            batch_size=int(rng.choice([1, 2, 8, 32, 200])),
            loss=Choice(loss),
            l2=float(rng.choice([0.0, 1e-4, 1e-2, 1.0])),
            max_norm=float(rng.choice([0.0, 0.0, 0.0, 0.5, 3.0])),
        ),
        seed=seed,
    )


def turns(remedy: tuple[Command, ...]) -> list[SetKnob]:
    return [command for command in remedy if isinstance(command, SetKnob)]


def undone(experiment: Experiment, finding: Finding, history: list[RunConfig]) -> list[str]:
    """The settings that a remedy sets back to a value that an earlier remedy led away from."""
    now = experiment.config
    back = []
    for turn in turns(finding.remedy):
        value = now.replace(turn.path, turn.value).value(turn.path)
        if value != now.value(turn.path) and value in [x.value(turn.path) for x in history]:
            back.append(turn.path)
    return back


def follow(seed: int) -> list[Finding]:
    """The first finding after each step; the last one has no remedy, or the run is still ill."""
    experiment = Experiment(random_config(seed))
    history: list[RunConfig] = []
    told: list[Finding] = []
    while True:
        experiment.train(STEPS)
        now = experiment.snapshot()
        if not now.findings:
            learned = now.metrics.train_loss < now.metrics.constant_loss
            assert learned or now.condition is not Condition.CONVERGED, told
            return told
        first = now.findings[0]
        told.append(first)
        if not first.remedy or len(told) > MOST:
            return told
        assert not undone(experiment, first, history), told
        history.append(experiment.config)
        under = now.diverged_under or experiment.config
        for command in first.remedy:
            experiment.apply(command)
        assert experiment.config != under, told
        assert experiment.status is not Status.DIVERGED, told


@pytest.mark.parametrize(
    "seed",
    [pytest.param(n, marks=pytest.mark.slow if n >= FEW else ()) for n in range(CHAINS)],
)
def test_advice_leads_to_a_healthy_run_or_ends(seed):
    told = follow(seed)
    honest = bool(told) and not told[-1].remedy
    assert len(told) <= MOST or honest, [(x.rule, x.advice) for x in told]


def test_the_random_runs_differ_in_every_setting_that_advice_can_turn():
    configs = [random_config(seed) for seed in range(200)]
    for path in ("optimization.learning_rate", "model.activation", "data.dataset"):
        assert len({repr(config.value(path)) for config in configs}) > 5
    assert isinstance(SETTINGS["optimization.learning_rate"].values, Range)

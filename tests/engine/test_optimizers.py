"""Optimizers against worked numbers; `test_torch.py` follows them for more steps."""

import math

import numpy as np
import pytest

from engine import Choice, DataConfig, ModelConfig, OptimizationConfig, RunConfig
from engine.training.optimizers import BLOCK, OPTIMIZERS, Optimizer
from engine.training.training import Training
from engine.types import Array

# Minimizing x^2 / 2, whose gradient is x, from x = 1 with learning rate 0.5: x after each step.
WORKED = [
    (Choice("SGD"), [0.5, 0.25, 0.125]),
    # v = 1, x = 0.5;  v = 0.9 + 0.5 = 1.4, x = -0.2;  v = 1.26 - 0.2 = 1.06, x = -0.73
    (Choice("momentum"), [0.5, -0.2, -0.73]),
    # v = 1, x = 0.5;  v = 0.5 + 0.5 = 1, x = 0;  v = 0.5 + 0 = 0.5, x = -0.25
    (Choice("momentum", {"mu": 0.5}), [0.5, 0.0, -0.25]),
    # v = 1, x -= 0.5 (1 + 0.5);  v = 0.5 + 0.25 = 0.75, x -= 0.5 (0.25 + 0.375);
    # v = 0.375 - 0.0625 = 0.3125, x -= 0.5 (-0.0625 + 0.15625)
    (Choice("Nesterov", {"mu": 0.5}), [0.25, -0.0625, -0.109375]),
    # s = 1, x -= 0.5;  s = 1.25, x -= 0.25 / sqrt(1.25);  s = 1.25 + 0.0763932 = 1.3263932, ...
    (Choice("Adagrad"), [0.5, 0.5 - 0.25 / math.sqrt(1.25), 0.1563987]),
    # s = 0.75, x -= 0.5 / sqrt(0.75);  s = 0.1875 + 0.75 * 0.1786328 = 0.3214746, ...
    (
        Choice("RMSprop", {"decay": 0.25}),
        [0.4226497, 0.4226497 * (1 - 0.5 / 0.5669873), -0.0371282],
    ),
    # m = v = 1 corrected, x -= 0.5;  m = 0.5 / 0.75, v = 0.375 / 0.75, x -= m / sqrt(2), ...
    (
        Choice("Adam", {"beta1": 0.5, "beta2": 0.5}),
        [0.5, 0.5 - math.sqrt(2) / 3, -0.2973056],
    ),
    # As Adam, but each step also subtracts a tenth: 1 - 0.1 - 0.5
    (
        Choice("AdamW", {"beta1": 0.5, "beta2": 0.5, "decay": 0.2}),
        [0.4, -0.0922670, -0.3154328],
    ),
]
SIGNED = ["Adagrad", "Adam"]  # their first step is as long as the rate, whatever the gradient


def path(optimizer: Optimizer, x: Array, steps: int, rate: float = 0.5) -> list[float]:
    """The path of x when the gradient is x itself."""
    places = []
    for _ in range(steps):
        optimizer.update(x.copy(), rate)
        places.append(float(x[0]))
    return places


@pytest.mark.parametrize(("choice", "expected"), WORKED, ids=lambda value: str(value)[:60])
def test_each_optimizer_follows_its_worked_path(choice, expected):
    x = np.array([1.0])
    np.testing.assert_allclose(path(Optimizer(choice, x), x, 3), expected, rtol=1e-6, atol=1e-12)


def test_every_optimizer_has_a_worked_path():
    assert {choice.name for choice, _ in WORKED} == set(OPTIMIZERS)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_block_wise_updates_move_every_parameter_once(optimizer):
    """Block-wise updates leave no parameter out and move none twice."""
    rng = np.random.default_rng(0)
    start = rng.standard_normal(2 * BLOCK + 3)
    theta, gradients = start.copy(), rng.standard_normal((3, 5))
    places = [0, BLOCK - 1, BLOCK, 2 * BLOCK, 2 * BLOCK + 2]
    few = start[places]
    whole, alone = Optimizer(Choice(optimizer), theta), Optimizer(Choice(optimizer), few)
    for gradient in gradients:
        everywhere = np.full_like(theta, 0.5)
        everywhere[places] = gradient
        whole.update(everywhere, 0.1)
        alone.update(gradient, 0.1)
    np.testing.assert_allclose(theta[places], few, rtol=1e-12)
    others = np.delete(theta - start, places)
    assert (others < 0).mean() > 0.99  # against the gradient


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_last_update_is_what_was_subtracted(optimizer):
    theta = np.random.default_rng(0).standard_normal(7)
    rule = Optimizer(Choice(optimizer), theta)
    for seed in range(3):
        before = theta.copy()
        gradient = np.random.default_rng(seed).standard_normal(7)
        kept = gradient.copy()
        rule.update(gradient, 0.1)
        np.testing.assert_array_equal(theta, before - rule.last_update)
        np.testing.assert_array_equal(gradient, kept)


# ---- Adam ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", SIGNED)
def test_the_first_step_is_as_long_as_the_rate_in_every_direction(optimizer):
    gradient = np.array([1e3, -1.0, 1e-3, -1e-3])
    theta = np.zeros(4)
    Optimizer(Choice(optimizer), theta).update(gradient, 0.1)
    np.testing.assert_allclose(theta, -0.1 * np.sign(gradient), rtol=1e-4)


def test_a_constant_gradient_keeps_adam_at_its_rate():
    x = np.array([0.0])
    adam = Optimizer(Choice("Adam"), x)
    for step in range(1, 20):
        adam.update(np.array([0.3]), 0.1)
        assert x[0] == pytest.approx(-0.1 * step, rel=1e-6)  # uncorrected: 0.316 at first


def test_adamw_decays_weights_without_gradient():
    theta = np.array([2.0, -3.0])
    optimizer = Optimizer(Choice("AdamW", {"decay": 0.5}), theta)
    optimizer.update(np.zeros(2), 0.1)
    np.testing.assert_allclose(theta, [2 * 0.95, -3 * 0.95], rtol=1e-12)


def test_adamw_decays_only_weights_in_any_block():
    theta = np.ones(2 * BLOCK + 7)
    weights = BLOCK + 3  # the border is within a block
    Optimizer(Choice("AdamW", {"decay": 0.5}), theta, weights).update(np.zeros_like(theta), 0.1)
    np.testing.assert_allclose(theta[:weights], 0.95)
    np.testing.assert_array_equal(theta[weights:], 1.0)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_update_rules_never_write_parameters(optimizer):
    theta = np.array([1.0, -2.0])
    before = theta.copy()
    Optimizer(Choice(optimizer), theta).update(np.array([3.0, 0.5]), 0.0)  # rate 0: no step
    np.testing.assert_array_equal(theta, before)


# ---- memory -------------------------------------------------------------------------------------


def test_new_hyperparameters_keep_the_state_and_another_rule_clears_it():
    x = np.array([1.0])
    optimizer = Optimizer(Choice("momentum"), x)
    optimizer.update(np.array([1.0]), 1.0)
    optimizer.follow(Choice("momentum", {"mu": 0.5}))
    optimizer.update(np.array([0.0]), 1.0)
    assert optimizer.last_update == pytest.approx([0.5])
    optimizer.follow(Choice("SGD"))
    optimizer.follow(Choice("momentum"))
    optimizer.update(np.array([0.0]), 1.0)
    assert optimizer.last_update == pytest.approx([0.0])


@pytest.mark.parametrize("choice", [choice for choice, _ in WORKED], ids=lambda c: str(c)[:60])
@pytest.mark.parametrize("how", ["another rule and back", "reset"])
def test_clearing_the_state_resets_the_step_counter(choice, how):
    """With the old step counter Adam would correct too little: the first step would be too long."""
    x = np.array([1.0])
    optimizer = Optimizer(choice, x)
    fresh = path(optimizer, x, 3)
    path(optimizer, x, 20)
    if how == "reset":
        optimizer.reset()
    else:
        optimizer.follow(Choice("SGD" if choice.name != "SGD" else "Adam"))
        optimizer.follow(choice)
    x[...] = 1
    assert path(optimizer, x, 3) == fresh


def test_new_hyperparameters_keep_the_step_counter():
    x = np.array([0.0])
    adam = Optimizer(Choice("Adam"), x)
    for _ in range(10):
        adam.update(np.array([1.0]), 0.1)
    adam.follow(Choice("Adam", {"epsilon": 1e-7}))
    adam.update(np.array([1.0]), 0.1)
    assert adam.last_update == pytest.approx([0.1], rel=1e-5)


# ---- within a run ---------------------------------------------------------------------------


def some_training(optimizer: str, **changed) -> Training:
    config = RunConfig(
        data=DataConfig(dataset=Choice("iris"), preprocessing=Choice("standardize")),
        model=ModelConfig(activation=Choice("tanh"), hidden=(8,)),
        optimization=OptimizationConfig(optimizer=Choice(optimizer), **changed),
    )
    return Training(config, np.float64)


@pytest.mark.parametrize(
    ("optimizer", "rate"),
    [("SGD", 0.3), ("momentum", 0.05), ("Nesterov", 0.05), ("Adagrad", 0.1)]
    + [(name, 0.01) for name in ("RMSprop", "Adam", "AdamW")],
)
def test_every_rule_learns(optimizer, rate):
    training = some_training(optimizer, learning_rate=rate)
    first, _ = training.evaluators[0].evaluate()
    for _ in range(300):
        training.update()
    loss, accuracy = training.evaluators[0].evaluate()
    assert loss < 0.2 * first
    assert accuracy > 0.94


def test_a_gradient_is_clipped_to_the_largest_norm():
    training = some_training("SGD", learning_rate=1.0, clip=0.01)
    theta = training.network.parameters.theta
    for _ in range(3):
        before = theta.copy()
        training.update()
        assert np.linalg.norm(theta - before) == pytest.approx(0.01, rel=1e-9)


def test_a_gradient_that_is_short_enough_is_not_clipped():
    plain, clipped = some_training("SGD"), some_training("SGD", clip=1000.0)
    for training in (plain, clipped):
        training.update()
    mine, theirs = (x.network.parameters.theta for x in (plain, clipped))
    np.testing.assert_array_equal(mine, theirs)


def test_the_weights_into_a_unit_are_never_longer_than_the_limit():
    training = some_training("SGD", learning_rate=0.5, max_norm=0.6)
    for _ in range(20):
        training.update()
        for layer in training.network.layers:
            if "W" in layer.params:
                assert np.linalg.norm(layer.params["W"], axis=0).max() <= 0.6 * (1 + 1e-12)
    first = training.network.layers[0].params["W"]
    assert np.linalg.norm(first, axis=0).max() == pytest.approx(0.6)


@pytest.mark.parametrize("penalty", ["l2", "l1"])
def test_a_penalty_makes_weights_smaller_and_leaves_biases_alone(penalty):
    plain, pulled = (some_training("SGD", **{"l2": 0.0, penalty: x}) for x in (0.0, 0.1))
    for training in (plain, pulled):
        training.update()
    parameters = pulled.network.parameters
    difference = parameters.theta - plain.network.parameters.theta
    np.testing.assert_allclose(difference[parameters.regularized :], 0, atol=1e-15)
    weights = parameters.drawn[: parameters.regularized]
    pull = 0.1 * (weights if penalty == "l2" else np.sign(weights))
    np.testing.assert_allclose(difference[: parameters.regularized], -0.01 * pull, atol=1e-12)

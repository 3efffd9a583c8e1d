"""Update rules against numbers worked out by hand."""

import numpy as np
import pytest

from engine.optimizers import OPTIMIZERS, Optimizer
from engine.registry import Choice

# Minimizing x^2 / 2, whose gradient is x, from x = 1 with learning rate 0.5: x after each step.
WORKED = [
    (Choice("SGD"), [0.5, 0.25, 0.125]),
    # v = 1, x = 0.5;  v = 0.9 + 0.5 = 1.4, x = -0.2;  v = 1.26 - 0.2 = 1.06, x = -0.73
    (Choice("momentum"), [0.5, -0.2, -0.73]),
    # v = 1, x = 0.5;  v = 0.5 + 0.5 = 1, x = 0;  v = 0.5 + 0 = 0.5, x = -0.25
    (Choice("momentum", {"mu": 0.5}), [0.5, 0.0, -0.25]),
]


@pytest.mark.parametrize(("choice", "expected"), WORKED, ids=lambda value: str(value))
def test_the_rule_walks_the_worked_path(choice, expected):
    x = np.array([1.0])
    optimizer = Optimizer(choice, x)
    path = []
    for step in range(1, 4):
        x -= 0.5 * optimizer.direction(x, step)
        path.append(float(x[0]))
    np.testing.assert_allclose(path, expected, rtol=1e-12, atol=1e-12)


def test_every_rule_has_a_worked_path():
    assert {choice.name for choice, _ in WORKED} == set(OPTIMIZERS)


def test_turning_a_knob_keeps_the_memory_and_another_rule_clears_it():
    x = np.array([1.0])
    optimizer = Optimizer(Choice("momentum"), x)
    optimizer.direction(x, 1)
    optimizer.follow(Choice("momentum", {"mu": 0.5}))
    assert optimizer.direction(np.array([0.0]), 2) == pytest.approx([0.5])
    optimizer.follow(Choice("SGD"))
    optimizer.follow(Choice("momentum"))
    assert optimizer.direction(np.array([0.0]), 3) == pytest.approx([0.0])

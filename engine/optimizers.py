"""Update rules, simplest first: each turns a gradient into an update direction.

Every array is `(P,)`. A rule writes the direction into `out`; the experiment then takes the step
`theta -= learning_rate * out`. Further positional parameters are the rule's state, which starts at
zero; keyword-only parameters are its knobs.
"""

import inspect
from collections.abc import Callable
from typing import Annotated, Protocol

import numpy as np

from engine.registry import Choice, Range, Registry
from engine.types import Array


class UpdateRule(Protocol):
    """Writes the update direction for `grad` into `out`; `state` is the rule's memory."""

    def __call__(self, grad: Array, step: int, out: Array, *state: Array) -> None: ...


OPTIMIZERS: Registry[UpdateRule] = Registry("optimizer")


@OPTIMIZERS.register("SGD")
def sgd(grad: Array, step: int, out: Array) -> None:
    """Straight downhill: the step is the learning rate times the gradient, nothing else."""
    out[...] = grad


@OPTIMIZERS.register("momentum")
def momentum(
    grad: Array,
    step: int,
    out: Array,
    velocity: Array,
    *,
    mu: Annotated[float, Range(0.0, 0.99)] = 0.9,
) -> None:
    """A ball that keeps rolling: the step remembers mu of the step before it (Polyak 1964)."""
    velocity *= mu
    velocity += grad  # v_t = mu v_{t-1} + g_t; Sutskever et al. 2013, eq. 1, learning rate outside
    out[...] = velocity


class Optimizer:
    """A chosen update rule together with its memory."""

    def __init__(self, choice: Choice, theta: Array) -> None:
        self._out = np.zeros_like(theta)
        self._choose(choice)

    def _choose(self, choice: Choice) -> None:
        self._choice = choice
        self._rule = OPTIMIZERS.build(choice)
        make = OPTIMIZERS[choice.name].make
        self._state = [np.zeros_like(self._out) for _ in _state_names(make)]

    def direction(self, grad: Array, step: int) -> Array:
        """The direction to step against, in a buffer that the next call overwrites."""
        self._rule(grad, step, self._out, *self._state)
        return self._out

    def follow(self, choice: Choice) -> None:
        """Use this rule from now on; turning a knob keeps the memory, another rule clears it."""
        if choice.name != self._choice.name:
            self._choose(choice)
        self._choice, self._rule = choice, OPTIMIZERS.build(choice)

    def reset(self) -> None:
        """Forget everything."""
        for memory in self._state:
            memory[...] = 0


def _state_names(rule: Callable[..., object]) -> list[str]:
    parameters = inspect.signature(rule).parameters.values()
    return [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD][3:]

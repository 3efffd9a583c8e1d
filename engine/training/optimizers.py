"""Optimizers, simplest first: each is an update rule that turns a gradient into a direction.

Every array is `(P,)`. A rule returns the direction, and `Optimizer` then makes the step
`theta -= learning_rate * direction`. It may write the direction into `out`, or return its state or
the gradient itself. Further positional parameters are the rule's state, which starts at zero; one
called `weights` is instead given the weights, read-only. Weights come before all other parameters,
so there may be fewer of them than entries of `grad`. `step` counts from 1 since the state was last
cleared. Keyword-only parameters are the hyperparameters.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Protocol

import numpy as np

from engine.registry import Choice, Range, Registry
from engine.types import Array

# Parameters that are updated at a time: more would not stay in the processor's cache between two
# passes over them, which takes 1.6 times as long on two million parameters.
BLOCK = 262_144
PIECE = 16_384

Decay = Annotated[
    float,
    Range(0.0, 0.9999),
    "How much of the mean of squared gradients a step keeps: nearer 1 is a longer memory.",
]
Epsilon = Annotated[
    float,
    Range(1e-12, 1e-2, "log"),
    "Added where one divides by the size of the gradients, which may be 0.",
]
Mu = Annotated[
    float,
    Range(0.0, 0.99),
    "Share of the last step that this one goes on with: nearer 1 rolls longer.",
]
Beta = Annotated[
    float,
    Range(0.0, 0.99),
    "How much of the mean of past gradients a step keeps: nearer 1 is a longer memory.",
]


class UpdateRule(Protocol):
    """Returns the update direction for `grad`; `out` is a buffer, `state` the rule's own state."""

    def __call__(self, grad: Array, step: int, out: Array, *state: Array) -> Array: ...


OPTIMIZERS: Registry[UpdateRule] = Registry("optimizer")


@OPTIMIZERS.register("SGD")
def sgd(grad: Array, step: int, out: Array) -> Array:
    """Straight downhill: the step is the learning rate times the gradient, nothing else."""
    return grad


@OPTIMIZERS.register("momentum")
def momentum(
    grad: Array,
    step: int,
    out: Array,
    velocity: Array,
    *,
    mu: Mu = 0.9,
) -> Array:
    """A ball that keeps rolling: the step remembers mu of the step before it (Polyak 1964)."""
    velocity *= mu
    velocity += grad  # v_t = mu v_{t-1} + g_t; Sutskever et al. 2013, eq. 1, learning rate outside
    return velocity


@OPTIMIZERS.register("Nesterov")
def nesterov(
    grad: Array,
    step: int,
    out: Array,
    velocity: Array,
    *,
    mu: Mu = 0.9,
) -> Array:
    """Momentum that looks ahead to where it is rolling (Nesterov 1983, Sutskever et al. 2013)."""
    velocity *= mu
    velocity += grad
    np.multiply(velocity, mu, out=out)
    out += grad  # eq. 3-4 rewritten for the look-ahead point, as in Bengio et al. 2012
    return out


@OPTIMIZERS.register("Adagrad")
def adagrad(
    grad: Array, step: int, out: Array, squares: Array, *, epsilon: Epsilon = 1e-10
) -> Array:
    """A rate per weight, divided by the size of all past gradients (Duchi et al. 2011)."""
    np.multiply(grad, grad, out=out)
    squares += out
    return _divide_by_root(grad, squares, epsilon, out)


@OPTIMIZERS.register("RMSprop")
def rmsprop(
    grad: Array,
    step: int,
    out: Array,
    squares: Array,
    *,
    decay: Decay = 0.99,
    epsilon: Epsilon = 1e-8,
) -> Array:
    """A rate per weight, divided by the size of its recent gradients (Tieleman & Hinton 2012)."""
    np.multiply(grad, grad, out=out)
    out *= 1 - decay
    squares *= decay
    squares += out
    return _divide_by_root(grad, squares, epsilon, out)


@OPTIMIZERS.register("Adam")
def adam(
    grad: Array,
    step: int,
    out: Array,
    mean: Array,
    squares: Array,
    *,
    beta1: Beta = 0.9,
    beta2: Decay = 0.999,
    epsilon: Epsilon = 1e-8,
) -> Array:
    """Momentum over RMSprop, both corrected for their start at 0 (Kingma & Ba 2015, Alg. 1)."""
    np.multiply(grad, 1 - beta1, out=out)
    mean *= beta1
    mean += out  # m_t
    np.multiply(grad, grad, out=out)
    out *= 1 - beta2
    squares *= beta2
    squares += out  # v_t
    np.divide(squares, 1 - beta2**step, out=out)  # v-hat; without these the first steps are wrong
    np.sqrt(out, out=out)
    out += epsilon
    np.divide(mean, out, out=out)
    out *= 1 / (1 - beta1**step)  # m-hat / (sqrt(v-hat) + epsilon)
    return out


@OPTIMIZERS.register("AdamW")
def adamw(
    grad: Array,
    step: int,
    out: Array,
    weights: Array,
    mean: Array,
    squares: Array,
    *,
    beta1: Beta = 0.9,
    beta2: Decay = 0.999,
    epsilon: Epsilon = 1e-8,
    decay: Annotated[
        float,
        Range(1e-6, 1.0, "log", zero=True),
        "Share of itself, times the learning rate, that each weight loses with a step.",
    ] = 0.01,
) -> Array:
    """Adam that shrinks weights, and nothing else, directly (Loshchilov & Hutter 2019)."""
    adam(grad, step, out, mean, squares, beta1=beta1, beta2=beta2, epsilon=epsilon)
    shrunk = out[: weights.size]  # like PyTorch with a second parameter group that has no decay
    for start in range(0, weights.size, PIECE):  # in pieces, to need no buffer of that size
        piece = slice(start, start + PIECE)
        shrunk[piece] += decay * weights[piece]  # Alg. 2, line 12
    return out


def _divide_by_root(grad: Array, squares: Array, epsilon: float, out: Array) -> Array:
    np.sqrt(squares, out=out)
    out += epsilon
    np.divide(grad, out, out=out)
    return out


class Optimizer:
    """A chosen update rule together with its state."""

    def __init__(self, choice: Choice, theta: Array, weights: int | None = None) -> None:
        self._theta = theta
        self._weights = theta[:weights]  # biases, gains and slopes come after them
        self.last_update: Array = np.zeros_like(theta)  # what the last step subtracted
        self._buffer = np.zeros_like(theta[:BLOCK])
        self._choose(choice)

    def _choose(self, choice: Choice) -> None:
        self._choice = choice
        self._rule = OPTIMIZERS.build(choice)
        names = _state_names(OPTIMIZERS[choice.name].make)
        self._memory = {name: np.zeros_like(self._theta) for name in names if name != "weights"}
        state = [self._memory.get(name, self._weights) for name in names]
        self._blocks = [
            (piece, self._theta[piece], self.last_update[piece], [x[piece] for x in state])
            for piece in blocks(len(self._theta))
        ]
        self._step = 0

    def update(
        self,
        grad: Array,
        rate: float,
        complete: Callable[[int], None] = lambda block: None,
    ) -> None:
        """Move the parameters against `grad` by one step of the rule.

        `complete` is called before each block, to add the penalties to that block's gradient.
        """
        self._step += 1
        for number, (piece, theta, update, state) in enumerate(self._blocks):
            complete(number)
            direction = self._rule(grad[piece], self._step, self._buffer[: len(theta)], *state)
            np.multiply(direction, rate, out=update)
            np.subtract(theta, update, out=theta)

    def follow(self, choice: Choice) -> None:
        """Use this rule from now on; new hyperparameters keep the state, another rule clears it."""
        if choice.name != self._choice.name:
            self._choose(choice)
        self._choice, self._rule = choice, OPTIMIZERS.build(choice)

    def reset(self) -> None:
        """Forget everything."""
        for memory in self._memory.values():
            memory[...] = 0
        self._step = 0

    def save(self) -> tuple[dict[str, Array], int]:
        """A copy of the rule's state."""
        return {name: memory.copy() for name, memory in self._memory.items()}, self._step

    def load(self, saved: tuple[Mapping[str, Array], int]) -> None:
        """Restore a saved state of the same rule."""
        for name, memory in saved[0].items():
            self._memory[name][...] = memory
        self._step = saved[1]


def blocks(count: int) -> list[slice]:
    """Slices of a vector of `count` numbers, each short enough for the processor's cache."""
    return [slice(start, min(start + BLOCK, count)) for start in range(0, count, BLOCK)]


def _state_names(rule: Callable[..., object]) -> list[str]:
    parameters = inspect.signature(rule).parameters.values()
    return [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD][3:]

"""Explains a run that diverged: one message, and a replay of its last steps."""

import math
from dataclasses import dataclass

import numpy as np

from engine.data.facts import input_size, target_size
from engine.number_format import written
from engine.training.checkpoints import Replay
from engine.training.training import Diverged, Training
from engine.types import Array, Integers

LARGE = 10.0  # size of inputs or targets at which usual learning rates are too high
SHOWN = 50  # last steps replayed, at most


def autopsy(training: Training, loss: float) -> str:
    """What happened, where, why, and what to do about it: a sentence each."""
    optimization = training.config.optimization
    rate, l1, l2 = optimization.learning_rate, optimization.l1, optimization.l2
    what = f"rose to {written(loss, 3)}" if math.isfinite(loss) else "is no longer a finite number"
    where = _first_broken(training)
    first, chance, high_for = training.first_loss, training.chance_loss, _for_what(training)
    if training.step < SHOWN and first > 10 * chance and high_for == "here":
        why = f"It began at {written(first, 3)} where {written(chance, 3)} is usual: large weights."
        remedy = "Draw smaller ones"
    elif rate * l2 > 2 and rate <= 1:
        why = f"Learning rate × L2 = {written(rate * l2, 3)}: beyond 2 the decay itself overshoots."
        remedy = "Lower one of them"
    elif rate * l1 > 1 and rate <= 1:
        why = f"Learning rate × L1 = {written(rate * l1, 3)}: each step moves every weight as far."
        remedy = "Lower one of them"
    else:
        why, remedy = f"A learning rate of {written(rate)} is too high {high_for}.", "Lower it"
    return (
        f"Diverged at step {training.step:,}: the loss {what}{where}. {why} {remedy}, then restart."
    )


def _for_what(training: Training) -> str:
    """Names inputs or targets that are too large, if these make the learning rate too high."""
    train, normalized = training.data.train, training.config.model.normalization.name != "none"
    sizes = {"inputs": input_size(train), "values to predict": target_size(train)}
    for what, size in sizes.items():
        if size > LARGE and not normalized:
            return f"for {what} of size {written(size, 3)}, where 1 is usual"
    return "here"


def _first_broken(training: Training) -> str:
    for layer in training.network.layers:
        for name, values in layer.params.items():
            if not np.isfinite(values).all():
                return f", first seen in the parameter {name} of layer “{layer.name}”"
        if not np.isfinite(layer.out).all():
            return f", first seen in the output of layer “{layer.name}”"
    return ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Where a number first became infinite or NaN; failing that, which weights grew fastest."""

    step: int
    layer: str
    what: str  # such as "the gradient of W"; empty if everything stayed finite


@dataclass(frozen=True, slots=True, eq=False)
class Autopsy:
    """The last steps of a run that diverged; the very last one was never finished."""

    fault: Fault
    tensors: tuple[str, ...]  # the L layers with weights
    steps: Integers  # (S,)
    loss: Array  # (S,)
    weights: Array  # (S, L) norms after each step
    gradient: Array  # (S, L) norms of the gradient, penalties included; NaN in the last step
    update: Array  # (S, L) norms


def examine(replay: Replay, end: int) -> Autopsy:
    """Replay the last steps up to `end`, on a copy of the run, and record them."""
    rows: list[tuple[float, Array, Array, Array]] = []
    fault: Fault | None = None
    while replay.training.step < end:
        try:
            loss = replay.update()
        except Diverged as diverged:
            rows.append(_last_row(diverged.loss, replay.training))
            fault = fault or _broken_output(replay.training)
        else:
            rows.append((loss, *_norms(replay.training)))
            fault = fault or _broken_parameter(replay.training)
    losses, *norms = zip(*rows[-SHOWN:], strict=True)
    weights, gradient, update = (np.array(norm) for norm in norms)
    tensors = tuple(t.layer for t in replay.training.network.parameters.weights)
    steps = np.arange(end - len(losses), end) + 1
    arrays = (steps, np.array(losses), weights, gradient, update)
    for array in arrays:
        array.setflags(write=False)
    return Autopsy(fault or _fastest(tensors, *arrays), tensors, *arrays)


def _norms(training: Training) -> tuple[Array, Array, Array]:
    """The norms of each layer's weights, of their gradient, and of their last update."""
    parameters = training.network.parameters
    vectors = parameters.theta, parameters.grad, training.optimizer.last_update
    weights, gradient, update = (
        np.array([_norm(vector[t.span]) for t in parameters.weights]) for vector in vectors
    )
    return weights, gradient, update


def _last_row(loss: float, training: Training) -> tuple[float, Array, Array, Array]:
    """The row of the last step, which ended at its loss: it has no gradient and no update."""
    weights, *others = _norms(training)
    gradient, update = (np.full_like(other, np.nan) for other in others)
    return loss, weights, gradient, update


def _norm(v: Array) -> float:
    wide = v.astype(np.float64)  # the squares of large float32 numbers overflow
    return math.sqrt(float(np.vdot(wide, wide)))


def _broken_parameter(training: Training) -> Fault | None:
    """The first in order of computation: gradients from the last layer back, then parameters."""
    parameters, layers = training.network.parameters, training.network.layers
    if math.isfinite(float(parameters.theta.sum(dtype=np.float64))):
        return None  # a fault upstream has spread to this layer
    broken = [
        Fault(training.step, layer.name, f"the gradient of {name}")
        for layer in reversed(layers)
        for name, values in layer.grads.items()
        if not np.isfinite(values).all()
    ] + [
        Fault(training.step, layer.name, f"the parameter {name}")
        for layer in layers
        for name, values in layer.params.items()
        if not np.isfinite(values).all()
    ]
    return broken[0] if broken else None


def _broken_output(training: Training) -> Fault | None:
    for layer in training.network.layers:
        if not np.isfinite(layer.out).all():
            return Fault(training.step, layer.name, "the output")
    return None


def _fastest(
    tensors: tuple[str, ...],
    steps: Integers,
    losses: Array,
    weights: Array,
    gradient: Array,
    update: Array,
) -> Fault:
    """Everything stayed finite: the weights that one step changed most, relative to their norm."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = np.nan_to_num(update / weights, nan=0.0, posinf=0.0)
    row, tensor = np.unravel_index(np.argmax(ratios), ratios.shape)
    return Fault(int(steps[row]), tensors[tensor], "")

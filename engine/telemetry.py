"""What an experiment shows of itself: a `Snapshot`, and the functions that measure its parts."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from engine.config import RunConfig
from engine.history import Curves
from engine.network import Parameters
from engine.types import Array, Integers

BINS = 48


class Status(StrEnum):
    """What an experiment is doing."""

    PAUSED = "paused"
    RUNNING = "running"
    DIVERGED = "diverged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Marker:
    """A change that somebody made, or that befell the run."""

    step: int
    row: int  # of the first history row after it
    text: str


@dataclass(frozen=True, slots=True)
class LayerFrame:
    """One layer's activations on a fixed set of training examples."""

    name: str
    mean: float
    std: float
    zero: float  # share of activations that are exactly 0
    edges: Array  # (K+1,) the same for all layers; equally wide in asinh
    counts: Integers  # (K,) without the exact zeros; values outside lie in the end bins


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything there is to know of an experiment at one instant; nothing in it can be changed."""

    run: int
    step: int
    epoch: float
    status: Status
    message: str  # why it diverged, failed or refused; empty when all is well
    config: RunConfig
    curves: Curves
    layers: tuple[LayerFrame, ...]
    markers: tuple[Marker, ...]
    weights: tuple[str, ...]  # names of the weight tensors, in the order of the layers
    steps_per_second: float


class HistogramScale:
    """Bin edges for the activations of all layers; they widen by doubling and never shrink.

    The bins are equally wide in asinh(activation): even around 0, logarithmic far from it, so that
    collapsed, healthy and exploding layers are seen on one axis.
    """

    def __init__(self) -> None:
        self.limit = 2.0

    def cover(self, largest: float) -> None:
        """Widen until activations of this size lie inside."""
        while self.limit < largest < np.inf:
            self.limit *= 2

    @property
    def edges(self) -> Array:  # (K+1,)
        """Where each bin begins, and where the last one ends."""
        reach = np.arcsinh(self.limit)
        return np.sinh(np.linspace(-reach, reach, BINS + 1))

    def count(self, values: Array) -> Integers:  # (K,)
        """How many of the finite `values` fall into each bin; the end bins take those outside."""
        reach = float(np.arcsinh(self.limit))
        position = np.arcsinh(values)
        position += reach
        position *= BINS / (2 * reach)
        np.clip(position, 0, BINS - 1, out=position)
        return np.bincount(position.astype(np.intp), minlength=BINS)


class Spread:
    """The mean and the extremes of the losses since they were last taken: no spike is lost."""

    def __init__(self) -> None:
        self._restart()

    def _restart(self) -> None:
        self._low, self._high, self._total, self._count = np.inf, -np.inf, 0.0, 0

    def add(self, loss: float) -> None:
        """Count one loss in."""
        self._low, self._high = min(self._low, loss), max(self._high, loss)
        self._total += loss
        self._count += 1

    def take(self) -> dict[str, float]:
        """The figures so far, starting over; at least one loss must have been added."""
        figures = {
            "loss": self._total / self._count,
            "loss_low": self._low,
            "loss_high": self._high,
        }
        self._restart()
        return figures


class Pace:
    """Steps per second over the last second or so."""

    def __init__(self) -> None:
        self._marks: deque[tuple[int, float]] = deque()

    def rate(self, step: int, now: float) -> float:
        """The pace, given the step that has been reached `now`, in seconds."""
        marks = self._marks
        marks.append((step, now))
        while len(marks) > 2 and marks[1][1] < now - 1:
            marks.popleft()
        first, since = marks[0]
        return (step - first) / (now - since) if now > since else 0.0


def measure_layers(
    names: Sequence[str],
    outputs: Sequence[Array],  # (B, O) each
    scale: HistogramScale,
) -> tuple[LayerFrame, ...]:
    """The state of each layer's activations, on histograms that share their edges."""
    finite = [a[np.isfinite(a)] for a in outputs]
    scale.cover(max((float(np.abs(a).max(initial=0)) for a in finite), default=0.0))
    edges = _frozen(scale.edges)
    return tuple(_measure(name, a, edges, scale) for name, a in zip(names, finite, strict=True))


def _measure(name: str, values: Array, edges: Array, scale: HistogramScale) -> LayerFrame:
    active = values[values != 0]
    total = max(1, values.size)
    return LayerFrame(
        name,
        mean=float(values.mean(dtype=np.float64)) if values.size else np.nan,
        std=float(values.std(dtype=np.float64)) if values.size else np.nan,
        zero=1 - active.size / total,
        edges=edges,
        counts=_frozen(scale.count(active)),
    )


def update_ratios(parameters: Parameters, update: Array) -> dict[str, float]:
    """norm(update) / norm(weights) of each weight tensor, with the weights before the update.

    Wanted near 1e-3: far above, the weights are thrown about; far below, they hardly learn.
    """
    ratios = {}
    for tensor in parameters.weights:
        size = _norm(parameters.theta[tensor.span])
        ratios[f"ratio {tensor.layer}"] = _norm(update[tensor.span]) / size if size > 0 else np.nan
    return ratios


def _norm(v: Array) -> float:
    return float(np.sqrt(np.vdot(v, v)))


def _frozen[A: np.ndarray](array: A) -> A:
    array.setflags(write=False)
    return array

"""Losses, which training minimizes: each returns a mini-batch's mean loss, writes its gradient."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

import numpy as np

from engine.number_format import percent, written
from engine.registry import Registry
from engine.types import Array, Integers


class Loss(Protocol):
    """The mean loss over a mini-batch."""

    @property
    def predicts(self) -> Literal["classes", "values", "either"]:
        """Which kind of targets it fits."""

    def __call__(
        self,
        z: Array,  # (B, O) scores
        target: Array,  # (B, O) one-hot classes, or values
        dz: Array,  # (B, O) overwritten with the gradient of the mean loss
        row: Array,  # (B,) overwritten: a buffer
    ) -> float:
        """The mean loss of the mini-batch."""

    def of_chance(self, outputs: int) -> float | None:
        """The loss when all scores are equal, if that has a meaning."""

    def of_constant(
        self,
        target: Array,  # (N, O) of all training examples
    ) -> float:
        """The loss of a network that gives each example the same scores, the best or nearly so."""


LOSSES: Registry[Loss] = Registry("loss")


@LOSSES.register("softmax cross-entropy")
@dataclass(frozen=True, kw_only=True)
class SoftmaxCrossEntropy:
    """Mean of -log softmax(z)[right class]: ln C when all C classes are equally probable."""

    predicts: ClassVar = "classes"

    def __call__(self, z: Array, target: Array, dz: Array, row: Array) -> float:
        column = row[:, None]
        # NumPy finds the largest score of each example six times as fast if the scores of one class
        # are contiguous in memory.
        by_class = dz.reshape(z.shape[::-1])
        np.copyto(by_class, z.T)
        np.maximum.reduce(by_class, axis=0, out=row)
        np.subtract(z, column, out=dz)  # exp of at most 0 cannot overflow
        right = np.vdot(target, dz)
        np.exp(dz, out=dz)
        dz.dot(_ones(z.shape[1], z.dtype), row)
        np.divide(dz, column, out=dz)
        np.subtract(dz, target, out=dz)
        dz *= 1 / len(z)
        np.log(row, out=row)
        return float(row.dot(_ones(len(z), z.dtype)) - right) / len(z)

    def of_chance(self, outputs: int) -> float:
        return math.log(outputs)

    def of_constant(self, target: Array) -> float:
        shares = target.mean(axis=0, dtype=np.float64)
        return -float(sum(share * math.log(share) for share in shares if share > 0))


@LOSSES.register("multiclass hinge")
@dataclass(frozen=True, kw_only=True)
class MulticlassHinge:
    """Sum of max(0, score - right score + 1) over wrong classes: the SVM's loss, 0 when clear."""

    predicts: ClassVar = "classes"

    def __call__(self, z: Array, target: Array, dz: Array, row: Array) -> float:
        np.multiply(z, target, out=dz)
        np.add.reduce(dz, axis=1, out=row)
        np.subtract(z, row[:, None], out=dz)
        dz += 1
        dz -= target  # the right class is compared with itself: a margin of 0
        np.maximum(dz, 0, out=dz)
        loss = float(np.add.reduce(dz, axis=None)) / len(z)
        np.sign(dz, out=dz)
        np.add.reduce(dz, axis=1, out=row)
        for column, right in zip(dz.T, target.T, strict=True):
            column -= row * right  # the right score is in every margin
        dz *= 1 / len(z)
        return loss

    def of_chance(self, outputs: int) -> float:
        return outputs - 1

    def of_constant(self, target: Array) -> float:
        """Of scores that are 1 for the commonest classes, however many, and 0 for the others.

        It is the least if all classes are equally common, or if there are two.
        """
        shares = np.sort(target.mean(axis=0, dtype=np.float64))[::-1]
        return min(self._of_commonest(shares, count) for count in range(len(shares)))

    def _of_commonest(self, shares: Array, count: int) -> float:
        """The loss if the scores of so many classes are 1, and 0 for the others."""
        right = float(shares[:count].sum()) * (count - 1)  # others among them have the same score
        wrong = float(shares[count:].sum()) * (len(shares) - count - 1 + 2 * count)
        return max(right, 0.0) + wrong


@LOSSES.register("mean squared error")
@dataclass(frozen=True, kw_only=True)
class MeanSquaredError:
    """Mean of (output - right value)²: for values, or for classes as 0 and 1, which is slower."""

    predicts: ClassVar = "either"

    def __call__(self, z: Array, target: Array, dz: Array, row: Array) -> float:
        np.subtract(z, target, out=dz)
        loss = float(np.vdot(dz, dz)) / dz.size
        dz *= 2 / dz.size
        return loss

    def of_chance(self, outputs: int) -> None:
        return None

    def of_constant(self, target: Array) -> float:
        return float(target.var(axis=0, dtype=np.float64).mean())


@functools.lru_cache(maxsize=64)
def _ones(count: int, dtype: np.dtype[np.floating]) -> Array:
    """A vector of ones: a product with it is the fastest sum."""
    ones: Array = np.ones(count, dtype)
    ones.setflags(write=False)
    return ones


def measure_of(classes: Sequence[str]) -> str:
    """The name of the score of predictions: accuracy, or R² in regression."""
    return "accuracy" if classes else "R²"


def in_measure(score: float, measure: str) -> str:
    """A score as text: accuracy in per cent, or R², which may be far below 0."""
    if math.isnan(score):
        return "–"
    return percent(score, 1) if measure == "accuracy" else f"{written(score, 4)}"


def accuracy(
    z: Array,  # (B, C) scores
    labels: Integers | Array,  # (B,)
) -> float:  # 0 to 1
    """Share of examples whose highest score is that of the right class."""
    return float(np.mean(z.argmax(axis=1) == labels))


def explained(
    z: Array,  # (B, O) outputs
    values: Integers | Array,  # (B, O)
) -> float:  # 1 at best, 0 for always predicting the mean, negative if worse
    """The share of the values' variance that the outputs explain (R²)."""
    spread = np.square(values - values.mean(axis=0)).sum()
    return float(1 - np.square(z - values).sum() / spread) if spread > 0 else math.nan

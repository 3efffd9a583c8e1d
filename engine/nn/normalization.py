"""Normalization of a layer's outputs before the activation."""

import functools
from typing import Annotated, Protocol

import numpy as np
from numpy.typing import DTypeLike

from engine.nn.channels import Channels
from engine.nn.layers import Layer
from engine.registry import Range, Registry
from engine.types import Array

EPSILON = 1e-5  # added to the variance, so that a constant channel causes no division by zero


class Normalization(Protocol):
    """Builds the layer between a layer with weights and its activation, if there is one."""

    def __call__(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> Layer | None: ...


NORMALIZATIONS: Registry[Normalization] = Registry("normalization")


@NORMALIZATIONS.register("none")
def none(name: str, shape: tuple[int, ...], dtype: DTypeLike) -> None:
    """The activation gets the sums of its layer as they are."""


@NORMALIZATIONS.register("batch norm")
def batch_norm(
    name: str,
    shape: tuple[int, ...],
    dtype: DTypeLike,
    *,
    momentum: Annotated[
        float,
        Range(0.01, 1.0),
        "Share of the newest batch in the running mean and size that the validation uses.",
    ] = 0.1,
) -> Layer:
    """Each unit gets mean 0 and size 1 over the batch: faster, less touchy (Ioffe 2015)."""
    return BatchNorm(name, shape, dtype, momentum=momentum)


class BatchNorm(Layer):
    """Normalizes each channel over the mini-batch, then applies a learned scale and shift.

    Training: Ioffe & Szegedy 2015, Alg. 1. Evaluation uses running averages of the statistics.
    """

    def __init__(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: DTypeLike,
        *,
        momentum: float = 0.1,  # weight of each mini-batch in the running averages
    ) -> None:
        self.name = name
        self._momentum = momentum
        self._channels = Channels(shape)
        channels = (self._channels.count,)
        self.shapes = {"gamma": channels, "beta": channels}
        self.statistics = {"mean": channels, "variance": channels}
        self.starts = {"gamma": 1.0, "variance": 1.0}
        self.out = np.zeros(shape, dtype)
        self._mean, self._variance, self._scale = (np.zeros(channels, dtype) for _ in range(3))

    def forward(self, x: Array, train: bool) -> Array:
        self.x = x
        spread = self._channels.spread
        xhat = self._xhat if train else self.out  # which only backward reads again
        mean, variance = self._measure(x) if train else self._running()
        np.add(variance, EPSILON, out=self._scale)
        np.sqrt(self._scale, out=self._scale)
        np.reciprocal(self._scale, out=self._scale)
        np.subtract(x, spread(mean), out=xhat)
        xhat *= spread(self._scale)
        np.multiply(xhat, spread(self.params["gamma"]), out=self.out)
        self.out += spread(self.params["beta"])
        return self.out

    def backward(self, dy: Array) -> Array:
        channels, grads, dx = self._channels, self.grads, self.dx
        np.multiply(dy, self._xhat, out=dx)
        np.add.reduce(dx, axis=channels.others, out=grads["gamma"])
        np.add.reduce(dy, axis=channels.others, out=grads["beta"])
        share = -1 / channels.samples
        np.multiply(self._xhat, channels.spread(share * grads["gamma"]), out=dx)
        dx += dy
        dx += channels.spread(share * grads["beta"])
        dx *= channels.spread(self._scale * self.params["gamma"])
        return dx

    @functools.cached_property
    def _xhat(self) -> Array:
        return np.zeros_like(self.out)

    def _measure(self, x: Array) -> tuple[Array, Array]:
        """Mean and variance over the mini-batch; the running averages are updated."""
        others, samples = self._channels.others, self._channels.samples
        np.add.reduce(x, axis=others, out=self._mean)
        self._mean /= samples
        np.subtract(x, self._channels.spread(self._mean), out=self._xhat)
        np.multiply(self._xhat, self._xhat, out=self._xhat)
        np.add.reduce(self._xhat, axis=others, out=self._variance)
        self._variance /= samples
        unbiased = samples / max(1, samples - 1)
        for name, now, factor in (
            ("mean", self._mean, 1.0),
            ("variance", self._variance, unbiased),
        ):
            average = self.running[name]
            average *= 1 - self._momentum
            average += self._momentum * factor * now
        return self._mean, self._variance

    def _running(self) -> tuple[Array, Array]:
        return self.running["mean"], self.running["variance"]

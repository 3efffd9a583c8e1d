"""Dropout (Srivastava et al. 2014)."""

import functools

import numpy as np
from numpy.typing import DTypeLike

from engine.nn.layers import Layer
from engine.types import Array


class Dropout(Layer):
    """Sets each unit to 0 with probability `rate` at each step, and scales up the others.

    "Inverted" dropout: the scaling happens in training, so that evaluation needs none.
    """

    def __init__(
        self,
        name: str,
        rate: float,  # 0 to below 1
        shape: tuple[int, ...],
        dtype: DTypeLike,
        rng: np.random.Generator,
    ) -> None:
        self.name = name
        self._rate = rate
        self._rng = rng
        self.out = np.zeros(shape, dtype)

    @functools.cached_property
    def _mask(self) -> Array:
        return np.zeros(self.out.shape, np.float32)

    def forward(self, x: Array, train: bool) -> Array:
        self.x = x
        if not train:
            self.out[...] = x
            return self.out
        self._rng.random(out=self._mask, dtype=np.float32)
        np.greater_equal(self._mask, self._rate, out=self._mask, casting="unsafe")
        self._mask *= 1 / (1 - self._rate)
        np.multiply(x, self._mask, out=self.out)
        return self.out

    def backward(self, dy: Array) -> Array:
        np.multiply(dy, self._mask, out=self.dx)
        return self.dx

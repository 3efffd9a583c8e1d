"""What is done to the inputs before the network sees them, fitted on the training split alone.

Each function maps the training inputs `(N, I)` to a pair `(shift, scale)`, both `(I,)`;
the network is then given `(x - shift) / scale`.
"""

from typing import Protocol

import numpy as np

from engine.registry import Registry
from engine.types import Array


class Preprocessing(Protocol):
    """Learns a shift and a scale per input from the training examples."""

    def __call__(self, x: Array) -> tuple[Array, Array]: ...


PREPROCESSING: Registry[Preprocessing] = Registry("preprocessing")


@PREPROCESSING.register("centre")
def centre(x: Array) -> tuple[Array, Array]:
    """Subtract the mean of each input, so that they are positive and negative alike."""
    return x.mean(axis=0), np.ones_like(x[0])


@PREPROCESSING.register("standardize")
def standardize(x: Array) -> tuple[Array, Array]:
    """Subtract the mean of each input and divide by its standard deviation."""
    deviation = x.std(axis=0)
    return x.mean(axis=0), np.where(
        deviation > 0, deviation, 1
    )  # an input that never changes stays 0


@PREPROCESSING.register("none")
def none(x: Array) -> tuple[Array, Array]:
    """Leave the inputs as they are: all positive for images, so the weights' gradients zig-zag."""
    return np.zeros_like(x[0]), np.ones_like(x[0])

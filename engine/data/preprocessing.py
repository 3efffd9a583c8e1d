"""Preprocessing of inputs, fitted on the training set `x (N, I)` alone."""

from dataclasses import dataclass
from typing import Annotated, Protocol

import numpy as np

from engine.registry import Range, Registry
from engine.types import Array

# Principal components with less than this share of the largest variance are rounding errors.
_NEGLIGIBLE = {4: 1e-7, 8: 1e-13}  # by bytes per number


# A further factor on the inputs. Pixels are 0 to 1; 255 makes them as large as in the lecture.
Scale = Annotated[
    float,
    Range(1e-2, 1e3, "log"),
    "What the inputs are multiplied by at the end: to see what unlike sizes do.",
]


@dataclass(frozen=True, eq=False)
class Transform:
    """Subtracts a shift, then multiplies by one number per input, or by a matrix."""

    shift: Array  # (I,)
    scale: Array  # (I,) or (I, I)

    def __call__(self, x: Array) -> Array:  # (N, I) -> (N, I)
        """The inputs as the network receives them."""
        centred = x - self.shift
        if self.scale.ndim == 2:
            return centred @ self.scale
        return np.multiply(centred, self.scale, out=centred)


class Preprocessing(Protocol):
    """Fits a transform to the training inputs `x (N, I)`, each an example of `shape`."""

    def __call__(self, x: Array, shape: tuple[int, ...]) -> Transform: ...


PREPROCESSING: Registry[Preprocessing] = Registry("preprocessing")


@PREPROCESSING.register("centre")
def centre(x: Array, shape: tuple[int, ...], *, scale: Scale = 1.0) -> Transform:
    """Subtract the mean of each input (of images: the mean image), so that signs are mixed."""
    return Transform(_mean(x), np.full_like(x[0], scale))


@PREPROCESSING.register("channel mean")
def channel_mean(x: Array, shape: tuple[int, ...], *, scale: Scale = 1.0) -> Transform:
    """Subtract one mean per colour, the same at every pixel; of grey images or tables: one."""
    channels = shape[2] if len(shape) == 3 else 1
    means = x.reshape(len(x), -1, channels).mean(axis=(0, 1))
    return Transform(np.tile(means, x.shape[1] // channels), np.full_like(x[0], scale))


@PREPROCESSING.register("standardize")
def standardize(x: Array, shape: tuple[int, ...]) -> Transform:
    """Subtract the mean of each input and divide by its standard deviation."""
    deviation = x.std(axis=0, dtype=np.float64)
    constant = deviation <= _NEGLIGIBLE[x.itemsize] * np.abs(x).max(axis=0)  # these become 0
    return Transform(_mean(x), 1 / np.where(constant, 1, deviation))


@PREPROCESSING.register("PCA")
def pca(x: Array, shape: tuple[int, ...]) -> Transform:
    """Rotate the data so that inputs are uncorrelated, the one with most variance first."""
    shift, directions, _ = _principal(x)
    return Transform(shift, directions)


@PREPROCESSING.register("whiten")
def whiten(x: Array, shape: tuple[int, ...]) -> Transform:
    """PCA, then every component scaled to deviation 1, the faint and noisy ones too."""
    shift, directions, variances = _principal(x)
    carries = variances > _NEGLIGIBLE[x.itemsize] * variances[0]
    return Transform(shift, directions * (carries / np.sqrt(np.where(carries, variances, 1))))


@PREPROCESSING.register("none")
def none(x: Array, shape: tuple[int, ...], *, scale: Scale = 1.0) -> Transform:
    """Leave the inputs as they are: all positive for images, so the weights' gradients zig-zag."""
    return Transform(np.zeros_like(x[0]), np.full_like(x[0], scale))


def _mean(x: Array) -> Array:
    """The mean of each input, summed so precisely that a constant input becomes exactly 0."""
    mean: Array = x.mean(axis=0, dtype=np.float64)
    return mean


def _principal(x: Array) -> tuple[Array, Array, Array]:
    """The mean, the principal components (one per column), and the variances, descending."""
    shift = _mean(x)
    centred = x - shift
    variances, directions = np.linalg.eigh(centred.T @ centred / len(x))
    return shift, directions[:, ::-1], np.maximum(variances[::-1], 0)

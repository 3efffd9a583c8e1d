"""Layers for images, which pass feature maps `(O, H, W, B)`: channels first, batch last.

A pixel of all examples is then contiguous, and one copy turns all windows of a mini-batch into one
matrix (im2col).
"""

import functools

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import DTypeLike

from engine.nn.layers import Layer, Weighted
from engine.types import Array


class Unflatten(Layer):
    """Turns rows `(B, H W C)` into feature maps `(C, H, W, B)`."""

    def __init__(
        self, name: str, height: int, width: int, channels: int, batch: int, dtype: DTypeLike
    ) -> None:
        self.name = name
        self.out = np.zeros((channels, height, width, batch), dtype)

    def forward(self, x: Array, train: bool) -> Array:
        self.x = x
        channels, height, width, batch = self.out.shape
        np.copyto(self.out, x.reshape(batch, height, width, channels).transpose(3, 1, 2, 0))
        return self.out

    def backward(self, dy: Array) -> Array:
        return dy  # the gradient of the data, which is not used


class Flatten(Layer):
    """Turns feature maps `(C, H, W, B)` into rows `(B, C H W)` for a dense layer."""

    def __init__(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self.name = name
        self.out = np.zeros((shape[3], int(np.prod(shape[:3]))), dtype)

    def forward(self, x: Array, train: bool) -> Array:
        self.x = x
        np.copyto(self.out, x.reshape(-1, len(self.out)).T)
        return self.out

    def backward(self, dy: Array) -> Array:
        np.copyto(self.dx.reshape(-1, len(dy)), dy.T)
        return self.dx


class Conv2D(Weighted):
    """Slides each filter over the image: a weighted sum of a small window per place and filter.

    `W (C size size, O)` has a filter per column. `n` pixels give `(n + 2 padding - size) / stride
    + 1` places: six 5x5 filters turn 32x32x3 into 28x28x6.
    """

    def __init__(
        self,
        name: str,
        shape: tuple[int, ...],  # (C, H, W, B) of its input
        filters: int,
        size: int,
        dtype: DTypeLike,
        *,
        stride: int = 1,
        padding: int = 0,
        first: bool,
        gain: float = 1.0,
    ) -> None:
        self.name = name
        channels, height, width, batch = shape
        self.stride, self.padding, self._first = stride, padding, first
        self.fan_in, self.fan_out = channels * size * size, filters * size * size
        self.gain = gain
        self.shapes = {"W": (self.fan_in, filters), "b": (filters,)}
        rows, columns = (places(n, size, stride, padding) for n in (height, width))
        padded = (channels, height + 2 * padding, width + 2 * padding, batch)
        self._padded: Array = np.zeros(padded, dtype)
        self._windows: Array = np.zeros((channels, size, size, rows, columns, batch), dtype)
        self._seen = self._windows_of(self._padded)
        self.out = np.zeros((filters, rows, columns, batch), dtype)

    def forward(self, x: Array, train: bool) -> Array:
        self.x = x
        np.copyto(self._inner(self._padded), x)
        np.copyto(self._windows, self._seen)
        out = self.out.reshape(len(self.out), -1)
        np.matmul(self.params["W"].T, self._windows.reshape(self.fan_in, -1), out=out)
        out += self.params["b"][:, None]
        return self.out

    def backward(self, dy: Array) -> Array:
        dout, windows = dy.reshape(len(dy), -1), self._windows.reshape(self.fan_in, -1)
        np.matmul(windows, dout.T, out=self.grads["W"])
        np.add.reduce(dout, axis=1, out=self.grads["b"])
        if self._first:
            return dy
        np.matmul(self.params["W"], dout, out=windows)  # their buffer is reused for their gradient
        self._add_windows(self._windows)
        return self._inner(self._dpadded)

    @functools.cached_property
    def _dpadded(self) -> Array:
        return np.zeros_like(self._padded)

    def _windows_of(self, padded: Array) -> Array:  # (C, size, size, H', W', B)
        """Every window of the padded image, as a view; the offset within the window comes first."""
        size, stride = self._windows.shape[1], self.stride
        windows = sliding_window_view(padded, (size, size), axis=(1, 2))
        view: Array = windows[:, ::stride, ::stride].transpose(0, 4, 5, 1, 2, 3)
        return view

    def _add_windows(self, dwindows: Array) -> None:
        """Add the gradient of every window to the pixels that it covers (col2im)."""
        _, size, _, rows, columns, _ = dwindows.shape
        reach_down, reach_right = rows * self.stride, columns * self.stride
        self._dpadded[...] = 0
        for i in range(size):
            for j in range(size):
                self._dpadded[
                    :, i : i + reach_down : self.stride, j : j + reach_right : self.stride
                ] += dwindows[:, i, j]

    def _inner(self, padded: Array) -> Array:
        """The image without its padding, as a view."""
        edge = self.padding
        return padded[:, edge : padded.shape[1] - edge, edge : padded.shape[2] - edge]


class MaxPool2D(Layer):
    """Keeps the largest number of each `size` x `size` square: less to compute, less exact.

    Rows and columns that do not fill a square, at the bottom and right edge, are dropped.
    """

    def __init__(self, name: str, shape: tuple[int, ...], size: int, dtype: DTypeLike) -> None:
        self.name = name
        self.size = size
        channels, height, width, batch = shape
        self.out = np.zeros((channels, height // size, width // size, batch), dtype)

    def forward(self, x: Array, train: bool) -> Array:
        self.x = x
        first, *others = self._corners(x)
        self.out[...] = first
        for corner in others:
            np.maximum(self.out, corner, out=self.out)
        return self.out

    def backward(self, dy: Array) -> Array:
        taken, mine = self._marks
        taken[...] = False
        for corner, dcorner in zip(self._corners(self.x), self._corners(self.dx), strict=True):
            np.equal(corner, self.out, out=mine)
            np.greater(mine, taken, out=mine)  # of equal maxima only the first
            taken |= mine
            np.multiply(dy, mine, out=dcorner)
        return self.dx

    @functools.cached_property
    def _marks(self) -> np.ndarray:  # two arrays of the shape of `out`
        return np.zeros((2, *self.out.shape), bool)

    def _corners(self, maps: Array) -> list[Array]:
        """The pixels at each place within the squares, as views with the shape of `out`."""
        _, rows, columns, _ = self.out.shape
        reach_down, reach_right = rows * self.size, columns * self.size
        return [
            maps[:, i : reach_down : self.size, j : reach_right : self.size]
            for i in range(self.size)
            for j in range(self.size)
        ]


def places(pixels: int, size: int, stride: int, padding: int) -> int:
    """How many windows of `size` fit into `pixels`, `stride` apart; ValueError if none does."""
    if size > pixels + 2 * padding:
        raise ValueError(
            f"a filter of {size} pixels does not fit into an image of {pixels}"
            + (f" with a padding of {padding}" if padding else "")
        )
    return (pixels + 2 * padding - size) // stride + 1

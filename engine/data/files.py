"""Limits that every reader of the user's files respects, and read-only examples.

A reader raises ValueError with one sentence: the file, the line or part of it, what was found
there, and what was expected.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.data.examples import Examples
from engine.types import Array, Integers

MAX_BYTES = 2**29  # 512 MB, of a file and of what it unpacks to
MAX_EXAMPLES = 2**20
LARGEST = 1e18  # its square is still a float32
MAX_NUMBERS = 2**27  # examples times inputs: 512 MB as float32


def contents(path: Path) -> bytes:
    """The bytes of the regular file at `path`."""
    try:
        if not path.is_file():  # reading a pipe might never end
            raise ValueError(f"{path.name}: expected a file, found none")
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ValueError(f"{path.name}: has {size:,} bytes; at most {MAX_BYTES:,} can be read")
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path.name}: cannot be read: {error.strerror}") from None


def check_shape(shape: tuple[int, ...], name: str) -> None:
    """Refuse an array of inputs `(N, ...)` that is empty or too large for a run."""
    numbers = 1
    for length in shape:
        numbers *= length  # Python's integers never overflow
    if not numbers:
        raise ValueError(f"{name}: expected examples, found none")
    if shape[0] > MAX_EXAMPLES or numbers > MAX_NUMBERS:
        raise ValueError(
            f"{name}: holds {shape[0]:,} examples and {numbers:,} numbers; at most"
            f" {MAX_EXAMPLES:,} examples and {MAX_NUMBERS:,} numbers can be read"
        )


def read_only_examples(
    x: Array,  # (N, I)
    y: Integers | Array,  # (N,) or (N, O)
    classes: tuple[str, ...],
    shape: tuple[int, ...],
) -> Examples:
    """Read-only examples, which runs can share."""
    x.setflags(write=False)
    y.setflags(write=False)
    return Examples(x, y, classes, shape)


def pictures(
    images: NDArray[np.uint8],  # (N, ...) with channels, if any, last
    labels: Integers,  # (N,)
    classes: tuple[str, ...],
    white: int = 255,
) -> Examples:
    """Examples from images: 0 is black, 1 is white."""
    x = images.reshape(len(images), -1).astype(np.float32)
    x /= white
    return read_only_examples(x, labels.astype(np.int64), classes, images.shape[1:])

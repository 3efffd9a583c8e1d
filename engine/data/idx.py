"""Reads images and labels from IDX files, the format of MNIST and its relatives.

A ValueError says in one sentence why a file is refused.
"""

import gzip
import io
import math
import re
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.data.answers import labelled
from engine.data.examples import Examples
from engine.data.files import MAX_NUMBERS, check_shape, contents, pictures

IMAGES = re.compile(r"(.+)-images[-.]idx3-ubyte(?:\.gz)?")
UNSIGNED_BYTES = 8


def read_idx(raw: bytes, name: str) -> NDArray[np.uint8]:
    """The array in an IDX file of unsigned bytes, gzipped or not."""
    if not raw.startswith(b"\x1f\x8b"):
        return _array(io.BytesIO(raw), name)
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as file:
            return _array(file, name)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{name}: expected a gzip file, found a broken one: {error}") from None


def _array(file: io.BufferedIOBase, name: str) -> NDArray[np.uint8]:
    """Reads as many bytes as the header announces and one more, so a bomb is never unpacked."""
    magic = file.read(4)
    if len(magic) < 4 or magic[:3] != bytes([0, 0, UNSIGNED_BYTES]) or not 1 <= magic[3] <= 4:
        expected = "0, 0, 8 and 1 to 4 dimensions"
        raise ValueError(f"{name}: expected an IDX file, {expected}; it starts with {list(magic)}")
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise ValueError(f"{name}: ends within the header of an IDX file")
    shape = struct.unpack(f">{magic[3]}I", sizes)
    announced = math.prod(shape)
    if announced > MAX_NUMBERS:
        raise ValueError(f"{name}: announces {announced:,} bytes; at most {MAX_NUMBERS:,} are read")
    body = file.read(announced + 1)
    if len(body) != announced:
        found = "more" if len(body) > announced else f"{len(body):,}"
        raise ValueError(f"{name}: announces {announced:,} bytes for {shape}, but holds {found}")
    return np.frombuffer(body, np.uint8).reshape(shape)


def find_idx(folder: Path) -> list[tuple[Path, Path]]:
    """The pairs of image and label files in a folder, training set first."""
    pairs: dict[str, tuple[Path, Path]] = {}
    for images in sorted(folder.iterdir(), reverse=True):  # an unpacked file replaces its .gz
        if match := IMAGES.fullmatch(images.name):
            labels = images.with_name(
                images.name.replace("-images", "-labels").replace("idx3-", "idx1-")
            )
            pairs[match[1]] = images, labels
    return [pairs[part] for part in sorted(pairs, key=lambda part: (part != "train", part))]


def read_idx_folder(path: Path) -> Examples:
    """All images of a folder with their classes, training set first."""
    images, labels = list[NDArray[np.uint8]](), list[NDArray[np.uint8]]()
    for pair in find_idx(path) if path.is_dir() else ():
        x, y = (read_idx(contents(file), f"{path.name}/{file.name}") for file in pair)
        if x.ndim != 3 or y.shape != x.shape[:1] or (images and x.shape[1:] != images[0].shape[1:]):
            raise ValueError(
                f"{path.name}/{pair[0].name}: has the shape {x.shape}, its labels {y.shape};"
                " expected a label for each of images of one size"
            )
        images.append(x)
        labels.append(y)
    if not images:
        raise ValueError(f"{path.name}: expected files *-images-idx3-ubyte, found none")
    check_shape((sum(map(len, images)), *images[0].shape[1:]), path.name)
    classes = labelled(np.concatenate(labels).tolist(), path.name)
    return pictures(np.concatenate(images), *classes)

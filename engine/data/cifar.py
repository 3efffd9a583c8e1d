"""Reads CIFAR-10 from the user's own copy: either official archive, or either unpacked folder.

Nothing is extracted to disk, and only members with the known names are read.
A ValueError says in one sentence why a copy is refused.
"""

import gzip
import io
import itertools
import re
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.data.cifar_pickle import PIXELS, read_batch
from engine.data.examples import Examples
from engine.data.files import contents, pictures

CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
SOURCES = (  # binary versions first
    *("cifar-10-batches-bin", "cifar-10-binary.tar.gz"),
    *("cifar-10-batches-py", "cifar-10-python.tar.gz"),
)
BATCHES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")
MEMBER = re.compile(
    r"(?:\./)?(?:cifar-10-batches-py/(data_batch_[1-5]|test_batch)"
    r"|cifar-10-batches-bin/((?:data_batch_[1-5]|test_batch)\.bin))"
)
MAX_BATCH = 2**25  # 32 MB; the real ones have 31
MAX_MEMBERS = 1000  # the real ones have 9
MAX_ARCHIVE = 2**28  # 256 MB unpacked; the real ones have 184
BROKEN = (
    *(tarfile.TarError, OSError, EOFError, zlib.error, OverflowError),
    *(IndexError, RecursionError, ValueError),
)

type Batch = tuple[NDArray[np.uint8], NDArray[np.uint8]]  # pixels (N, 3072), labels (N,)


def find_cifar(folder: Path) -> Path | None:
    """The copy of CIFAR-10 in a folder, in any of the four known forms; None if there is none."""
    return next((path for name in SOURCES if (path := folder / name).exists()), None)


def read_cifar(path: Path, per_class: int) -> Examples:
    """The first `per_class` images of each class, training batches first, or all if fewer."""
    batches: dict[str, Batch] = {}
    for batch, raw in _folder(path) if path.is_dir() else _archive(path):
        read = _binary if batch.endswith(".bin") else read_batch
        batches[batch.removesuffix(".bin")] = _first(read(raw, f"{path.name}, {batch}"), per_class)
        if _enough(batches, per_class):
            break
    if not batches:
        raise ValueError(f"{path.name}: expected batches of CIFAR-10, found none")
    pixels, labels = _first(_joined([batches[b] for b in BATCHES if b in batches]), per_class)
    images = pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)  # channels last
    return pictures(images, labels, CLASSES)


def _folder(path: Path) -> Iterator[tuple[str, bytes]]:
    suffix = ".bin" if path.name.endswith("-bin") else ""
    for batch in BATCHES:
        file = path / f"{batch}{suffix}"
        if file.exists():
            if file.stat().st_size > MAX_BATCH:
                raise ValueError(f"{path.name}, {file.name}: has more than {MAX_BATCH:,} bytes")
            yield file.name, contents(file)


class _Bounded(io.BufferedIOBase):
    """A file that raises an error when it unpacks to too many bytes (a decompression bomb)."""

    def __init__(self, file: gzip.GzipFile) -> None:
        self._file = file
        self._left = MAX_ARCHIVE

    def read(self, size: int | None = -1, /) -> bytes:
        """At most the next `size` bytes."""
        rest = self._left + 1
        data = self._file.read(rest if size is None or size < 0 else min(size, rest))
        self._left -= len(data)
        if self._left < 0:
            raise ValueError(f"more than {MAX_ARCHIVE:,} bytes, unpacked")
        return data


def _archive(path: Path) -> Iterator[tuple[str, bytes]]:
    if not path.is_file():  # reading a pipe might never end
        raise ValueError(f"{path.name}: expected a file, found none")
    try:
        with (
            gzip.open(path) as unpacked,
            tarfile.open(fileobj=_Bounded(unpacked), mode="r|") as tar,
        ):
            for member in itertools.islice(tar, MAX_MEMBERS):
                match = MEMBER.fullmatch(member.name)
                if match and member.isreg() and not member.issparse() and member.size <= MAX_BATCH:
                    file = tar.extractfile(member)
                    yield match[1] or match[2], file.read() if file else b""
    except BROKEN as error:
        raise ValueError(f"{path.name}: not an archive of CIFAR-10: {error}") from None


def _binary(raw: bytes, name: str) -> Batch:
    """Rows of one byte for the label, then the bytes of the pixels."""
    if not raw or len(raw) % (1 + PIXELS):
        raise ValueError(f"{name}: expected rows of {1 + PIXELS} bytes, found {len(raw):,} bytes")
    rows = np.frombuffer(raw, np.uint8).reshape(-1, 1 + PIXELS)
    if rows[:, 0].max() >= len(CLASSES):
        row = int((rows[:, 0] >= len(CLASSES)).argmax())
        raise ValueError(f"{name}: expected labels from 0 to 9, found {rows[row, 0]} in row {row}")
    return rows[:, 1:], rows[:, 0]


def _first(batch: Batch, per_class: int) -> Batch:
    pixels, labels = batch
    of_each = [np.flatnonzero(labels == label)[:per_class] for label in range(len(CLASSES))]
    rows = np.sort(np.concatenate(of_each))
    return pixels[rows], labels[rows]


def _joined(batches: Sequence[Batch]) -> Batch:
    pixels, labels = zip(*batches, strict=True)
    return np.concatenate(pixels), np.concatenate(labels)


def _enough(batches: dict[str, Batch], per_class: int) -> bool:
    """Whether the consecutive batches from the first on hold all that is wanted."""
    labels = [batches[batch][1] for batch in itertools.takewhile(batches.__contains__, BATCHES)]
    if not labels:
        return False
    return int(np.bincount(np.concatenate(labels), minlength=len(CLASSES)).min()) >= per_class

r"""Arrays that a user brings: NPZ as `np.savez` and `np.savez_compressed` write it.

NumPy's own reader reserves memory for whatever shape is announced, and parses the header as
Python. Here a header must look as NumPy writes it, and agree with the size of its member.
"""

import io
import math
import re
import zipfile
import zlib

import numpy as np

from engine.datasets.answers import class_names, labelled
from engine.datasets.examples import Examples
from engine.datasets.files import LARGEST, MAX_BYTES, check_shape, lasting
from engine.types import Array, Integers

WANTED = ("x", "y", "classes")
MAX_VALUES = 100  # to predict for one example
HEADER = re.compile(
    rb"\{'descr': '([<>|=][bfiuU][1-9]\d{0,3})', 'fortran_order': (True|False),"
    rb" 'shape': \(((?:\d{1,12}, ?)*(?:\d{1,12})?)\), \}\s*"
)
BROKEN = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError),
    *(ValueError, OverflowError, IndexError),
)


def read_npz(raw: bytes, name: str, most: int = MAX_BYTES) -> Examples:
    """Arrays `x` (N, ...) and `y`, and if wanted `classes`, the names of the labels 0, 1, 2 ...

    `x` of unsigned bytes is taken for pixels and scaled to 0 ... 1; its shape is kept, colours
    last. `y` of whole numbers or of text gives classes, `y` of other numbers values to predict.
    No more than `most` bytes are unpacked.
    """
    arrays = _members(raw, name, most)
    if not {"x", "y"} <= arrays.keys():
        raise ValueError(f"{name}: expected arrays x and y, found {', '.join(arrays) or 'neither'}")
    x, shape = _inputs(arrays["x"], name)
    y = arrays["y"]
    if len(y) != len(x):
        raise ValueError(f"{name}: x holds {len(x):,} examples, but y {len(y):,} answers")
    if y.dtype.kind == "f":
        return lasting(x, _values(y, name), (), shape)
    return lasting(x, *_labels(y, arrays.get("classes"), name), shape)


def _members(raw: bytes, name: str, most: int) -> dict[str, np.ndarray]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(raw))
    except BROKEN as error:
        raise ValueError(f"{name}: expected an NPZ archive, found other bytes: {error}") from None
    members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
    wanted = {key: members[key] for key in WANTED if key in members}
    size = sum(member.file_size for member in wanted.values())  # no more than this is unpacked
    if size > most:
        raise ValueError(f"{name}: unpacks to {size:,} bytes; at most {most:,} can be read")
    return {key: _array(_unpacked(archive, m, name), key, name) for key, m in wanted.items()}


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> bytes:
    place = f"{name}: {member.filename}"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{place}: expected the compression of NumPy, found another")
    try:
        return archive.read(member)
    except BROKEN as error:
        raise ValueError(f"{place}: expected an array, found a broken member: {error}") from None


def _array(npy: bytes, key: str, name: str) -> np.ndarray:
    start = 10 if npy[6:7] == b"\x01" else 12  # later versions have a longer field for the length
    end = start + int.from_bytes(npy[8:start], "little")
    header = HEADER.fullmatch(npy, start, end) if npy.startswith(b"\x93NUMPY") else None
    if header is None:
        raise ValueError(f"{name}: {key} is not an array of numbers or text as NumPy saves it")
    shape = tuple(int(length) for length in header[3].replace(b",", b" ").split())
    try:
        dtype = np.dtype(header[1].decode())
    except TypeError:
        raise ValueError(f"{name}: {key} holds {header[1].decode()}, an unknown kind") from None
    size = math.prod(shape) * dtype.itemsize
    if not size or size != len(npy) - end or not 1 <= len(shape) <= 4:
        raise ValueError(f"{name}: {key} says it has the shape {shape}, which its size denies")
    array = np.frombuffer(npy, dtype, offset=end)
    return array.reshape(shape, order="F" if header[2] == b"True" else "C")


def _inputs(x: np.ndarray, name: str) -> tuple[Array, tuple[int, ...]]:
    """Inputs `(N, I)`, and the shape of one example."""
    if x.dtype.kind == "U" or x.ndim < 2:
        raise ValueError(f"{name}: expected numbers (N, ...) in x, found {x.dtype} {x.shape}")
    if x.ndim == 4 and x.shape[3] not in (1, 3):
        raise ValueError(f"{name}: x has the shape {x.shape}; expected 1 or 3 colours, last")
    check_shape(x.shape, name)
    shape = x.shape[1:3] if x.shape[3:] == (1,) else x.shape[1:]
    flat = _small(x.reshape(len(x), -1), "x", name)
    if x.dtype == np.uint8:
        flat /= 255
    return flat, shape


def _small(values: np.ndarray, key: str, name: str) -> Array:
    """The values as float32, none of them so large that its square would not be one."""
    if not (float(values.min()) > -LARGEST and float(values.max()) < LARGEST):  # no NaN is
        row = int(np.all(np.abs(values.astype(float)) < LARGEST, axis=1).argmin())
        raise ValueError(f"{name}: {key}[{row}] holds a number not below {LARGEST:g}, or NaN")
    return values.astype(np.float32)


def _values(y: np.ndarray, name: str) -> Array:  # (N, O)
    if y.ndim > 2 or y.shape[1:] > (MAX_VALUES,):
        raise ValueError(f"{name}: y has the shape {y.shape}; expected 1 to {MAX_VALUES} values")
    return _small(y.reshape(len(y), -1), "y", name)


def _labels(
    y: np.ndarray, classes: np.ndarray | None, name: str
) -> tuple[Integers, tuple[str, ...]]:
    if y.ndim > 1:
        raise ValueError(f"{name}: y has the shape {y.shape}; expected one label an example")
    if classes is None:
        return labelled(_listed(y, "y", name), name)
    if classes.dtype.kind != "U" or classes.ndim != 1 or y.dtype.kind == "U":
        raise ValueError(f"{name}: classes must name the whole numbers of y, found {classes.dtype}")
    names = class_names(_listed(classes, "classes", name), name)
    if y.min() < 0 or y.max() >= len(names):
        raise ValueError(
            f"{name}: y goes from {y.min()} to {y.max()}; {len(names)} classes are named"
        )
    return y.astype(np.int64), names


def _listed(array: np.ndarray, key: str, name: str) -> list[str]:
    try:
        return list(array.tolist())
    except ValueError:  # a number that is no character's
        raise ValueError(f"{name}: {key} holds text that is not Unicode") from None

r"""Reads arrays as `np.save` writes them, alone or in an archive.

NumPy's own reader allocates memory for whatever shape is announced, and evaluates the header as
Python. Here a header must look as NumPy writes it, and agree with the size of the file;
any other is refused.
"""

import io
import math
import re
import zipfile
import zlib

import numpy as np

HEADER = re.compile(
    rb"\{'descr': '([<>|=][bfiuUS][1-9]\d{0,3})', 'fortran_order': (True|False),"
    rb" 'shape': \(((?:\d{1,12}, ?)*(?:\d{1,12})?)\), \}\s*"
)
BROKEN = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError),
    *(ValueError, OverflowError, IndexError),
)


def members(raw: bytes, name: str) -> tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]:
    """An archive, and its members by name."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(raw))
    except BROKEN as error:
        raise ValueError(f"{name}: expected an NPZ archive, found other bytes: {error}") from None
    return archive, {m.filename.removesuffix(".npy"): m for m in archive.infolist()}


def unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> bytes:
    """The bytes of a member."""
    place = f"{name}: {member.filename}"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{place}: expected the compression of NumPy, found another")
    try:
        return archive.read(member)
    except BROKEN as error:
        raise ValueError(f"{place}: expected an array, found a broken member: {error}") from None


def parse(npy: bytes, key: str, name: str) -> np.ndarray:
    """The array in the bytes of an NPY file; error messages call it `key`."""
    start = 10 if npy[6:7] == b"\x01" else 12  # later versions have a longer length field
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

"""Reads the batches of CIFAR-10's Python version, which are pickles of Python 2, safely.

A pickle is a program. Only the opcodes that such a batch needs are allowed, and only so many of
them; the classes that it may name are stand-ins of ours, so that none of NumPy's code runs.
Anything else is refused.
"""

import io
import pickle
import pickletools
import struct
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

PIXELS = 3072
MAX_PLAIN = 500_000  # a batch of 10,000 takes about 60,000
MAX_STRUCTURE = 1000  # limits nesting, so that hashing cannot overflow the stack
PLAIN = {
    *("SHORT_BINSTRING", "BINSTRING", "BINUNICODE", "SHORT_BINBYTES", "BINBYTES", "NONE"),
    *("BININT", "BININT1", "BININT2", "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET"),
    *("NEWTRUE", "NEWFALSE", "LONG1"),
}
STRUCTURE = {
    *(
        "PROTO",
        "MARK",
        "STOP",
        "EMPTY_DICT",
        "SETITEM",
        "SETITEMS",
        "EMPTY_LIST",
        "APPEND",
        "APPENDS",
    ),
    *("EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "GLOBAL", "REDUCE", "BUILD"),
}
BROKEN = (
    *(pickle.UnpicklingError, EOFError, struct.error, ValueError, TypeError, KeyError),
    *(IndexError, AttributeError, OverflowError, RecursionError, MemoryError),
    Warning,  # about an invalid escape in a name, where warnings are errors
)


class _Dtype:
    """Stands in for numpy.dtype."""

    def __init__(self, code: object, *_: object) -> None:
        self.code = code

    def __setstate__(self, state: object) -> None:
        """Byte order is irrelevant for single bytes."""


class _Array:
    """Stands in for numpy.ndarray, and for the function that creates an empty one."""

    value: NDArray[np.uint8] | None = None

    def __init__(self, *_: object) -> None: ...

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _version, shape, dtype, fortran, raw = state
        known = isinstance(dtype, _Dtype) and dtype.code in (b"u1", "u1", b"|u1", "|u1")
        if not known or not isinstance(raw, bytes) or fortran:
            raise pickle.UnpicklingError("its array is not of unsigned bytes, row by row")
        if shape != (len(raw) // PIXELS, PIXELS):
            raise pickle.UnpicklingError(f"its array has not {PIXELS} columns")
        self.value = np.frombuffer(raw, np.uint8).reshape(-1, PIXELS)


_ALLOWED: dict[tuple[str, str], type] = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,  # NumPy 1 wrote it
    ("numpy._core.multiarray", "_reconstruct"): _Array,  # NumPy 2 writes it
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> type:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None


def read_batch(raw: bytes, name: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Pixels `(N, 3072)` and labels `(N,)` of a pickled batch."""
    try:
        _check_instructions(raw)
        batch = _Unpickler(io.BytesIO(raw), encoding="bytes").load()
        return _contents(batch)
    except BROKEN as error:
        raise ValueError(f"{name}: not a batch of CIFAR-10: {error}") from None


def _check_instructions(raw: bytes) -> None:
    count: Counter[str] = Counter()
    for opcode, argument, _ in pickletools.genops(raw):
        count[opcode.name] += 1
        limit = MAX_PLAIN * (opcode.name in PLAIN) or MAX_STRUCTURE * (opcode.name in STRUCTURE)
        if count[opcode.name] > limit:
            raise pickle.UnpicklingError(f"it uses {opcode.name} more than {limit:,} times")
        if opcode.name == "LONG_BINPUT" and int(argument or 0) > MAX_PLAIN:
            raise pickle.UnpicklingError(f"it keeps {argument:,} things")  # and allocates for all


def _contents(batch: object) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    if type(batch) is not dict:
        raise pickle.UnpicklingError("it is no dictionary")
    data, labels = batch.get(b"data"), batch.get(b"labels")
    if type(data) is not _Array or data.value is None or type(labels) is not list:
        raise pickle.UnpicklingError("it has no array called data, or no list called labels")
    if len(labels) != len(data.value) or not labels:
        raise pickle.UnpicklingError(f"it has {len(data.value)} images and {len(labels)} labels")
    if not all(type(label) is int and 0 <= label <= 9 for label in labels):
        raise pickle.UnpicklingError("its labels are not all from 0 to 9")
    return data.value, np.array(labels, np.uint8)

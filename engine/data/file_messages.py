"""The messages between the server and the process that reads files, as bytes on a pipe.

A message is the length of its head, the head as MessagePack, and the bytes that the head announces.
It is not a pickle: a file that takes over the reader could otherwise run code in the server.
"""

from collections.abc import Iterable
from typing import BinaryIO

import msgspec
import numpy as np

from engine.data.description import DataDescription
from engine.data.examples import Examples
from engine.data.reading import AS_FOUND, Reading

LENGTH = 8  # bytes of the length of a head


class Question(msgspec.Struct, frozen=True):
    """A request to read a file, whose bytes follow."""

    file: str
    size: int  # bytes of the file
    most: int  # bytes that it may unpack to, and that its examples may take as float32
    reading: Reading = AS_FOUND


class ArrayHead(msgspec.Struct, frozen=True):
    """The head of an array, whose bytes follow."""

    kind: str  # as NumPy writes a dtype
    shape: tuple[int, ...]


class Answer(msgspec.Struct, frozen=True):
    """The result; the arrays of the examples follow: x, y, and for_validation if there is one."""

    description: DataDescription | None = None
    refusal: str = ""  # why there are no examples, or not even a description
    classes: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()
    arrays: tuple[ArrayHead, ...] = ()


def arrays_of(examples: Examples) -> list[np.ndarray]:
    """The arrays of examples, in the order in which they follow an answer."""
    for_validation = [] if examples.for_validation is None else [examples.for_validation]
    return [np.ascontiguousarray(array) for array in (examples.x, examples.y, *for_validation)]


def answer_with(description: DataDescription, examples: Examples) -> Answer:
    """The answer for these examples; their arrays are sent after it."""
    heads = tuple(ArrayHead(array.dtype.str, array.shape) for array in arrays_of(examples))
    return Answer(description, "", examples.classes, examples.shape, examples.columns, heads)


def examples_of(answer: Answer, arrays: Iterable[np.ndarray]) -> Examples:
    """Read-only examples from an answer and the arrays that followed it."""
    x, y, *for_validation = arrays
    for array in (x, y, *for_validation):
        array.setflags(write=False)
    return Examples(
        x, y, answer.classes, answer.shape,
        columns=answer.columns, for_validation=for_validation[0] if for_validation else None,
    )  # fmt: skip


def send(stream: BinaryIO, head: msgspec.Struct, *blobs: memoryview | bytes) -> None:
    """Write a head and the bytes that it announces."""
    encoded = msgspec.msgpack.encode(head)
    for part in (len(encoded).to_bytes(LENGTH, "little"), encoded, *blobs):
        stream.write(part)
    stream.flush()


def receive[T: msgspec.Struct](stream: BinaryIO, kind: type[T]) -> T:
    """Read a head; EOFError if the other process has ended."""
    size = int.from_bytes(_exactly(stream, LENGTH), "little")
    return msgspec.msgpack.decode(_exactly(stream, size), type=kind)


def receive_array(stream: BinaryIO, head: ArrayHead) -> np.ndarray:
    """Read an array straight into its memory; EOFError if the other process has ended."""
    array = np.empty(head.shape, np.dtype(head.kind))
    rest = memoryview(array).cast("B") if array.size else memoryview(b"")
    while rest:
        read = stream.readinto(rest)  # type: ignore[attr-defined]
        if not read:
            raise EOFError
        rest = rest[read:]
    return array


def receive_bytes(stream: BinaryIO, size: int) -> bytes:
    """Read exactly `size` bytes."""
    return _exactly(stream, size)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    received = stream.read(size)
    if len(received) < size:
        raise EOFError
    return received

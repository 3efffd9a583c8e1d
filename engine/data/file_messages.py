"""What the process that reads files is asked, and what it answers, as bytes on a pipe.

A message is the length of its head, the head as MessagePack, and the bytes that the head announces.
It is not a pickle: whoever broke the reader with a file could write any code into one.
"""

from collections.abc import Iterable
from typing import BinaryIO

import msgspec
import numpy as np

from engine.data.description import DataDescription
from engine.data.examples import Examples
from engine.data.reading import AS_FOUND, Reading

LENGTH = 8  # bytes that tell the length of a head


class Question(msgspec.Struct, frozen=True):
    """A look at a file, whose bytes follow."""

    file: str
    size: int  # bytes of the file
    most: int  # bytes that it may unpack to, and that its examples may take as float32
    reading: Reading = AS_FOUND


class ArrayHead(msgspec.Struct, frozen=True):
    """An array whose bytes follow."""

    kind: str  # as NumPy writes a dtype
    shape: tuple[int, ...]


class Answer(msgspec.Struct, frozen=True):
    """What a look came to; the arrays of the examples follow: x, y, and judging if there is one."""

    description: DataDescription | None = None
    refusal: str = ""  # why there are no examples, or no description either
    classes: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()
    arrays: tuple[ArrayHead, ...] = ()


def arrays_of(examples: Examples) -> list[np.ndarray]:
    """The arrays of examples, in the order in which they follow an answer."""
    judging = [] if examples.judging is None else [examples.judging]
    return [np.ascontiguousarray(array) for array in (examples.x, examples.y, *judging)]


def answer_with(description: DataDescription, examples: Examples) -> Answer:
    """The answer that the arrays of these examples follow."""
    heads = tuple(ArrayHead(array.dtype.str, array.shape) for array in arrays_of(examples))
    return Answer(description, "", examples.classes, examples.shape, examples.columns, heads)


def examples_of(answer: Answer, arrays: Iterable[np.ndarray]) -> Examples:
    """The examples of an answer and the arrays that followed it; nobody can write to them."""
    x, y, *judging = arrays
    for array in (x, y, *judging):
        array.setflags(write=False)
    return Examples(
        x, y, answer.classes, answer.shape,
        columns=answer.columns, judging=judging[0] if judging else None,
    )  # fmt: skip


def send(stream: BinaryIO, head: msgspec.Struct, *blobs: memoryview | bytes) -> None:
    """Write a head and the bytes that it announces."""
    told = msgspec.msgpack.encode(head)
    for part in (len(told).to_bytes(LENGTH, "little"), told, *blobs):
        stream.write(part)
    stream.flush()


def receive[T: msgspec.Struct](stream: BinaryIO, kind: type[T]) -> T:
    """Read a head; EOFError where the other side has ended."""
    size = int.from_bytes(_exactly(stream, LENGTH), "little")
    return msgspec.msgpack.decode(_exactly(stream, size), type=kind)


def receive_array(stream: BinaryIO, head: ArrayHead) -> np.ndarray:
    """Read an array into memory of its own, with no copy between."""
    array = np.empty(head.shape, np.dtype(head.kind))
    rest = memoryview(array).cast("B") if array.size else memoryview(b"")
    while rest:
        read = stream.readinto(rest)  # type: ignore[attr-defined]
        if not read:
            raise EOFError
        rest = rest[read:]
    return array


def receive_bytes(stream: BinaryIO, size: int) -> bytes:
    """Read so many bytes."""
    return _exactly(stream, size)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    told = stream.read(size)
    if len(told) < size:
        raise EOFError
    return told

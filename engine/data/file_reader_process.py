"""The process that reads files for a server: `python -m engine.data.file_reader_process`.

It answers one question after the other from its standard input, and ends when that is closed: a
server that was killed leaves no process behind. It gives way to the server: it has a lower rank,
any core but no share of the server's lock, a bound to its memory, and it is the first that the
system ends where memory runs out.
"""

import contextlib
import hashlib
import math
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Collection
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO

import numpy as np

from engine.data.description import Source, check_size
from engine.data.file_messages import (
    Answer,
    Question,
    answer_with,
    arrays_of,
    receive,
    receive_bytes,
    send,
)
from engine.data.sources import read_source

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

RANK = 5  # below the server's
FIRST_TO_END = "1000"  # where memory runs out

type Asked = tuple[Question, bytes]


def give_way(cores: Collection[int], memory: int) -> None:
    """Take a lower rank, these cores (if any are named) and so many bytes of memory at most."""
    if hasattr(os, "nice"):
        os.nice(RANK)
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)  # not the one core on which the server keeps its threads
    with contextlib.suppress(OSError):  # not Linux, or forbidden
        Path("/proc/self/oom_score_adj").write_text(FIRST_TO_END)
    if resource is not None:
        _limit(resource.RLIMIT_AS, memory)
        _limit(resource.RLIMIT_CORE, 0)


def allow_seconds(seconds: int) -> None:
    """Be ended by the system after so many more seconds of a processor, however busy it is."""
    if resource is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        _limit(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime) + seconds)


def _limit(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
    with contextlib.suppress(ValueError, OSError):  # macOS knows the limit, and refuses it
        resource.setrlimit(what, (allowed, hard))


class Looks:
    """Answers questions; the file asked about last stays, for who asks again chooses a target."""

    def __init__(self) -> None:
        self._last = b""
        self._source: Source | None = None

    def answer(self, question: Question, raw: bytes) -> tuple[Answer, list[np.ndarray]]:
        """Look at a file: what to say of it, and the arrays that follow."""
        try:
            return self._look(question, raw)
        except ValueError as error:
            return Answer(None, str(error)), []
        except MemoryError:
            self._source = None
            return Answer(None, f"{question.file}: needs more memory to read than there is"), []

    def _look(self, question: Question, raw: bytes) -> tuple[Answer, list[np.ndarray]]:
        source = self._read(question, raw)
        description = source.describe(question.reading)
        check_size(description, question.file, question.most)
        try:
            examples = source.examples(question.reading)
        except ValueError as error:  # a choice is missing
            return Answer(description, str(error)), []
        return answer_with(description, examples), arrays_of(examples)

    def _read(self, question: Question, raw: bytes) -> Source:
        name = hashlib.sha256(question.file.encode() + b"\0" + raw).digest()
        if self._source is None or name != self._last:
            self._source = None  # both need not fit
            self._source, self._last = read_source(raw, question.file, question.most), name
        return self._source


def listen(stream: BinaryIO, asked: SimpleQueue[Asked], end: Callable[[int], object]) -> None:
    """Hear questions, whatever is being read meanwhile; end at once where nobody asks any more."""
    try:
        while True:
            question = receive(stream, Question)
            asked.put((question, receive_bytes(stream, question.size)))
    except EOFError:
        end(0)
    except Exception:  # such as too little memory: nothing would ever be answered
        traceback.print_exc()
        end(1)


def main(memory: int, seconds: int, *cores: int) -> None:
    """Answer until the server ends us, or has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server
    give_way(cores, memory)
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library might print is no answer
    asked = SimpleQueue[Asked]()
    threading.Thread(target=listen, args=(sys.stdin.buffer, asked, os._exit), daemon=True).start()
    looks = Looks()
    while True:
        question, raw = asked.get()
        allow_seconds(seconds)
        answer, arrays = looks.answer(question, raw)
        send(output, answer, *(memoryview(array).cast("B") for array in arrays))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

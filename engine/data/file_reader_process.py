"""The process that reads files for a server: `python -m engine.data.file_reader_process`.

It answers requests on its standard input one by one, and ends when that is closed, so that a killed
server leaves no process behind. The server has priority over it: the process has a lower priority,
limited memory, other cores if there are any, and it is the first to be killed if memory runs out.
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

RANK = 5  # added to its niceness
FIRST_TO_END = "1000"  # its OOM score: the kernel kills it first

type Asked = tuple[Question, bytes]


def give_way(cores: Collection[int], memory: int) -> None:
    """Lower the priority, and limit the process to these cores (if any) and bytes of memory."""
    if hasattr(os, "nice"):
        os.nice(RANK)
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)  # not only the core of the server's threads
    with contextlib.suppress(OSError):  # not on Linux, or not permitted
        Path("/proc/self/oom_score_adj").write_text(FIRST_TO_END)
    if resource is not None:
        _limit(resource.RLIMIT_AS, memory)
        _limit(resource.RLIMIT_CORE, 0)


def allow_seconds(seconds: int) -> None:
    """Let the system end the process after so many more seconds of CPU time."""
    if resource is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        _limit(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime) + seconds)


def _limit(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
    with contextlib.suppress(ValueError, OSError):  # macOS has the limit, but refuses to set it
        resource.setrlimit(what, (allowed, hard))


class Responder:
    """Answers requests; keeps the last file, because the next request often has another target."""

    def __init__(self) -> None:
        self._last = b""
        self._source: Source | None = None

    def answer(self, question: Question, raw: bytes) -> tuple[Answer, list[np.ndarray]]:
        """Read a file: the answer, and the arrays that follow it."""
        try:
            return self._examples(question, raw)
        except ValueError as error:
            return Answer(None, str(error)), []
        except MemoryError:
            self._source = None
            return Answer(None, f"{question.file}: needs more memory to read than is available"), []

    def _examples(self, question: Question, raw: bytes) -> tuple[Answer, list[np.ndarray]]:
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
            self._source = None  # frees its memory before the next file is read
            self._source, self._last = read_source(raw, question.file, question.most), name
        return self._source


def listen(stream: BinaryIO, asked: SimpleQueue[Asked], end: Callable[[int], object]) -> None:
    """Receive requests, also while a file is read; end at once when the server closes the pipe."""
    try:
        while True:
            question = receive(stream, Question)
            asked.put((question, receive_bytes(stream, question.size)))
    except EOFError:
        end(0)
    except Exception:  # such as MemoryError: without this thread no request would be answered
        traceback.print_exc()
        end(1)


def main(memory: int, seconds: int, *cores: int) -> None:
    """Answer requests until the server ends this process, or has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the server, which ends this process
    give_way(cores, memory)
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # keeps output of libraries out of the answers
    asked = SimpleQueue[Asked]()
    threading.Thread(target=listen, args=(sys.stdin.buffer, asked, os._exit), daemon=True).start()
    responder = Responder()
    while True:
        question, raw = asked.get()
        allow_seconds(seconds)
        answer, arrays = responder.answer(question, raw)
        send(output, answer, *(memoryview(array).cast("B") for array in arrays))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

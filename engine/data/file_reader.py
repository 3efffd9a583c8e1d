"""Reads large files in a separate process, so that the server's other visitors do not wait.

A thread would hold the interpreter's lock for most of the time that reading takes. The workers of a
`ProcessPoolExecutor` would import the server's main program, and all of Panel with it.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Collection
from typing import BinaryIO, cast

import numpy as np

from engine.data.file_messages import Answer, Question, receive, receive_array, send

MODULE = "engine.data.file_reader_process"
SECONDS = 60  # of CPU time that a file may take
TOO_LONG = -getattr(signal, "SIGXCPU", 0)  # exit code of a process that takes more
IDLE = 30.0  # seconds after which an idle process is ended
PROGRAM = 2**28  # bytes of address space of the idle process
FOLD = 16  # bytes of memory allowed per unpacked byte: some files take 10
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

type Timer = Callable[[float, Callable[[], object]], threading.Timer]
type Answered = tuple[Answer, list[np.ndarray]]


class StoppedError(ValueError):
    """Nobody waits for this file any more."""


class ReadRequest:
    """One request to read a file, which can be stopped from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kill: Callable[[], object] | None = None
        self.stopped = False  # whether the result is no longer needed

    def begin(self, kill: Callable[[], object]) -> None:
        """A process starts to work on it; raises StoppedError if it was stopped before."""
        with self._lock:
            if self.stopped:
                raise StoppedError("nobody waits for this file any more")
            self._kill = kill

    def end(self) -> None:
        """Its process has finished."""
        with self._lock:
            self._kill = None

    def stop(self) -> None:
        """Stop it, since its result is not needed: its process is killed."""
        with self._lock:
            self.stopped = True
            if self._kill:
                self._kill()


class FileReader:
    """The process that reads files; it starts with the first large file and ends when idle."""

    def __init__(
        self,
        cores: Collection[int] = (),
        seconds: int = SECONDS,
        timer: Timer = threading.Timer,
    ) -> None:
        self._cores, self._seconds, self._timer = cores, seconds, timer
        self._turn = threading.Lock()  # one file at a time
        self._process: subprocess.Popen[bytes] | None = None
        self._idle: threading.Timer | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The process id; None if there is no process."""
        return self._process.pid if self._process else None

    def read(self, question: Question, raw: bytes, request: ReadRequest) -> Answered:
        """Have a file read; ValueError says in one sentence why there is no result."""
        with self._turn:
            self._stay()
            try:
                return self._ask(question, raw, request, again=self._process is not None)
            finally:
                if request.stopped:
                    self._end()
                self._end_later()

    def _ask(self, question: Question, raw: bytes, request: ReadRequest, again: bool) -> Answered:
        """Ask the process; `again` if it was there before, and may have died without a sign."""
        process = self._running(question)
        try:
            request.begin(process.kill)
            return ask_process(process, question, raw)
        except (OSError, EOFError) as error:
            code = self._end()
            if again and isinstance(error, OSError) and not request.stopped:
                return self._ask(question, raw, request, again=False)
            raise _ended(request, code, question.file) from None
        finally:
            request.end()

    def _running(self, question: Question) -> subprocess.Popen[bytes]:
        """The process, started again if it has ended."""
        if self._closed:
            raise StoppedError(f"{question.file}: the server stops")
        if self._process and self._process.poll() is not None:
            self._end()
        if self._process is None:
            memory = PROGRAM + FOLD * question.most
            try:
                self._process = start_process(memory, self._seconds, self._cores)
            except OSError as error:
                raise ValueError(
                    f"{question.file}: no process could be started to read it ({error.strerror});"
                    " try again later"
                ) from None
        return self._process

    def _stay(self) -> None:
        if self._idle:
            self._idle.cancel()
            self._idle = None

    def _end_later(self) -> None:
        self._idle = self._timer(IDLE, self._end_idle)
        self._idle.daemon = True
        self._idle.start()

    def _end_idle(self) -> None:
        if self._turn.acquire(blocking=False):  # else a file is being read
            try:
                self._end()
            finally:
                self._turn.release()

    def _end(self) -> int:
        """Kill the process, if there is one; returns its exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.kill()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):  # from flushing a request that was cut short
                cast(BinaryIO, pipe).close()
        return process.wait()

    def close(self) -> None:
        """Kill the process, whatever it is doing."""
        self._closed = True
        if process := self._process:
            process.kill()  # the thread that waits for it then releases the lock
        with self._turn:
            self._stay()
            self._end()


def start_process(memory: int, seconds: int, cores: Collection[int]) -> subprocess.Popen[bytes]:
    """Start a process that answers requests on its pipes, within these limits."""
    return subprocess.Popen(
        [sys.executable, "-m", MODULE, *map(str, (memory, seconds, *cores))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **ONE_THREAD},
    )


def ask_process(process: subprocess.Popen[bytes], question: Question, raw: bytes) -> Answered:
    """Send a question about a file to the process, and wait for its answer."""
    questions, answers = cast(BinaryIO, process.stdin), cast(BinaryIO, process.stdout)
    send(questions, question, raw)
    answer = receive(answers, Answer)
    return answer, [receive_array(answers, head) for head in answer.arrays]


def _ended(request: ReadRequest, code: int, file: str) -> ValueError:
    """Why there is no result, by the exit code of the process."""
    if request.stopped:
        return StoppedError("nobody waits for this file any more")
    if code == TOO_LONG:
        return ValueError(f"{file}: takes too long to read; upload a smaller file")
    if code > 0:
        return ValueError(f"{file}: could not be read, and the server's log says what failed")
    return ValueError(
        f"{file}: the process that read it was ended, as the system does where memory runs out;"
        " try again, or upload a smaller file"
    )

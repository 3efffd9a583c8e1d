"""Workers run the trials: in the calling thread, or on any executor of `concurrent.futures`."""

import concurrent.futures
import importlib
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor
from multiprocessing import connection
from typing import Protocol

from engine.search.trial import Job, Progress, Result, TrialRun, refused, run
from engine.training.blas_threads import hold_blas

AT_ONCE = 4  # trials that take turns in one thread
TURN = 0.005  # seconds that one of them trains at a time
AHEAD = 2  # jobs in the executor's queue per worker, so that no worker idles
ATTEMPTS = 5  # times a job is started if its workers die


class Workers(Protocol):
    """Runs jobs, in any order."""

    @property
    def free_slots(self) -> int:
        """The number of jobs that it would accept now."""

    def submit(self, job: Job) -> None:
        """Take a job."""

    def work(self, seconds: float) -> list[Result]:
        """Work, or wait, for about so many seconds; returns finished results."""

    @property
    def progress(self) -> list[Progress]:
        """The progress of the jobs, where it is known."""

    def drop(self) -> None:
        """Forget all jobs."""

    def close(self) -> None:
        """Drop all jobs and free everything."""


class InThread:
    """Runs trials in the calling thread, several in turns, so that their curves grow together.

    It works only while `work` is called, so that the conductor's thread can train a search between
    its experiments.
    """

    def __init__(
        self, at_once: int = AT_ONCE, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._at_once = at_once
        self._clock = clock
        self._jobs: deque[Job] = deque()
        self._runs: deque[TrialRun] = deque()

    @property
    def free_slots(self) -> int:
        """How many more trials fit among those that take turns."""
        return self._at_once - len(self._jobs) - len(self._runs)

    def submit(self, job: Job) -> None:
        """Queue a trial; it is started in its turn, because loading its data takes a moment."""
        self._jobs.append(job)

    def work(self, seconds: float) -> list[Result]:
        """Train for about so many seconds, but at least start one trial or make one step."""
        start, finished = self._clock(), list[Result]()
        while self._jobs or self._runs:
            finished += self._begin(self._jobs.popleft()) if self._jobs else self._turn()
            if finished or self._clock() - start >= seconds:
                break
        return finished

    def _begin(self, job: Job) -> list[Result]:
        try:
            self._runs.appendleft(TrialRun(job, self._clock))
        except (ValueError, MemoryError) as error:
            return [refused(job, error)]
        return []

    def _turn(self) -> list[Result]:
        running = self._runs.popleft()
        running.advance(TURN)
        if running.ending is None:
            self._runs.append(running)
            return []
        return [running.result]

    @property
    def progress(self) -> list[Progress]:
        """The progress of each trial at work."""
        return [running.progress for running in self._runs]

    def drop(self) -> None:
        """Forget all jobs."""
        self._jobs.clear()
        self._runs.clear()

    def close(self) -> None:
        """Nothing is left to free."""
        self.drop()


class Pool:
    """Runs trials on an executor; a trial that is lost with its worker is started again.

    `start` returns the executor, and a new one if it is broken. To share an executor with others,
    pass `lambda: executor` and call `drop` instead of `close`.
    """

    def __init__(self, start: Callable[[], Executor], workers: int) -> None:
        self._start = start
        self._workers = workers
        self._executor = start()
        self._jobs: dict[Future[Result], tuple[Job, int]] = {}

    @property
    def free_slots(self) -> int:
        """Jobs until each worker has one to run and one in the queue."""
        return AHEAD * self._workers - len(self._jobs)

    def submit(self, job: Job) -> None:
        """Submit a job to the executor."""
        self._submit(job, 1)

    def _submit(self, job: Job, attempt: int) -> None:
        try:
            future = self._executor.submit(_attempt, job, attempt)
        except concurrent.futures.BrokenExecutor:
            self._executor = self._start()
            future = self._executor.submit(_attempt, job, attempt)
        self._jobs[future] = job, attempt

    def work(self, seconds: float) -> list[Result]:
        """Wait until a trial is finished, but at most so many seconds."""
        done, _ = concurrent.futures.wait(
            self._jobs, timeout=seconds, return_when=concurrent.futures.FIRST_COMPLETED
        )
        found = [self._taken(future) for future in done]
        return [result for result in found if result is not None]

    def _taken(self, future: Future[Result]) -> Result | None:
        """The result of a job; None if it was lost and is started again."""
        job, attempt = self._jobs.pop(future)
        error = CancelledError() if future.cancelled() else future.exception()
        if error is None:
            return future.result()
        if attempt == ATTEMPTS:
            return refused(job, ValueError(f"lost {ATTEMPTS} times: {error or repr(error)}"))
        self._submit(job, attempt + 1)
        return None

    @property
    def progress(self) -> list[Progress]:
        """None: an executor reports nothing about a job before it ends."""
        return []

    def drop(self) -> None:
        """Forget all jobs; workers finish what they have started, but the results are ignored."""
        for future in self._jobs:
            future.cancel()
        self._jobs.clear()

    def close(self) -> None:
        """Drop all jobs and end the executor's workers."""
        self.drop()
        self._executor.shutdown(wait=True)


def processes(count: int) -> Pool:
    """A pool of so many processes on this machine; ValueError unless there is one at least."""
    if count < 1:
        raise ValueError(f"there must be at least 1 process, got {count}")
    # Not forked: a fork copies locks held by threads of this process, but not the threads.
    context = multiprocessing.get_context("spawn")
    return Pool(
        lambda: ProcessPoolExecutor(count, mp_context=context, initializer=_settle_in), count
    )


def cluster(address: str) -> Pool:
    """The workers of a running Dask cluster; ValueError if no scheduler is at that address."""
    try:
        # Imported by name, because it is an optional extra.
        distributed = importlib.import_module("distributed")
    except ImportError:
        raise ValueError("a cluster needs Dask: install babysit[cluster]") from None
    try:
        client = distributed.Client(address, timeout=10, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"no Dask scheduler answers at {address}: {error}") from None
    return on_client(client)


def on_client(client: object) -> Pool:
    """The workers of the cluster that a `distributed.Client` is connected to."""
    threads = sum(client.nthreads().values())  # type: ignore[attr-defined]
    # Not pure: else the scheduler answers a repeated job with its earlier error.
    return Pool(lambda: client.get_executor(pure=False), max(threads, 2))  # type: ignore[attr-defined]


def _attempt(job: Job, attempt: int) -> Result:
    """Run a job; the attempt's number keeps the scheduler from merging equal calls."""
    return run(job)


# ---- in a process of the pool -------------------------------------------------------------------


def _settle_in() -> None:
    """Ignore Ctrl-C, which is for the searching process, and end when that process ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    hold_blas()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)  # a killed parent cannot stop its workers, which would wait for jobs for ever

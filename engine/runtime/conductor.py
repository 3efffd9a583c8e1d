"""Serves every experiment of the process: those with short turns on one thread, the others beside.

A network for a class is small, and its NumPy calls are short and hold the interpreter's lock; a
thread for each would spend its time waiting for the others. So one thread serves them all in turn.
What takes long is another matter: a large network's products and a large table's statistics let the
interpreter go. Whoever sets up a run of unknown length, or once took too long, is served by a
thread beside until his turns are short again. So no visitor holds the others up.

Commands go in through `Seat.send`, snapshots come out through `Seat.wait`; no other object crosses
between threads.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from threadpoolctl import threadpool_limits

from engine.measure.snapshot import Status
from engine.runtime.experiment import PROCESSOR, Experiment
from engine.runtime.experiment_handle import Errand, Seat
from engine.runtime.run_queue import RunQueue
from engine.runtime.thread_lag import Delay
from engine.runtime.time_estimate import ALLOWED, begun_by, refusal, step_seconds, takes_long
from engine.training.commands import Command, Pause

FRAME_RATE = 10.0  # frames per second
# Threads for those whose turns are long. They have the rank of the others: one of lower rank is put
# to sleep while it holds the interpreter, and everybody waits for what the machine does besides.
BESIDE = 2
LONG = 0.05  # seconds beyond its share that a turn may take on the thread that serves all
QUICK = 0.015  # ... below which it might be there again
TIMES = 5  # turns in a row that have to be


class Conductor:
    """Trains all experiments of the process; its threads live while there are any for them."""

    def __init__(
        self,
        frame_rate: float = FRAME_RATE,
        clock: Callable[[], float] = time.perf_counter,
        gives_way: Callable[[], bool] = lambda: False,
        work: Callable[[], float] = PROCESSOR,
        begin: Callable[[threading.Thread], None] = threading.Thread.start,
    ) -> None:
        self.lock = threading.RLock()
        self.period, self.clock, self.work = 1 / frame_rate, clock, work
        self.gives_way = gives_way
        self._begin = begin
        self._homes: dict[Seat, RunQueue] = {}
        self.main = RunQueue(self, self._start)
        self.beside = tuple(RunQueue(self, self._start) for _ in range(BESIDE))
        self._blas = contextlib.ExitStack()  # the limit of its threads, while there are any of ours
        self._running = 0

    @property
    def _queues(self) -> tuple[RunQueue, ...]:
        return (self.main, *self.beside)

    def add(self, experiment: Experiment, name: str = "") -> Seat:
        """Take an experiment on; from now on only the conductor's threads may touch it."""
        seat = Seat(experiment, self._call, name)
        with self.lock:
            self._homes[seat] = self.main
            self.main.take_in(seat)
        return seat

    def remove(self, seat: Seat) -> None:
        """Let an experiment go; nothing of it is kept."""
        with self.lock:
            seat.left = True
            if home := self._homes.pop(seat, None):
                home.let_go(seat)
        seat.cancel_errands()

    def close(self) -> None:
        """Let all experiments go and wait until the threads have ended."""
        with self.lock:
            self._homes.clear()
            threads = [queue.thread for queue in self._queues]
            for queue in self._queues:
                queue.clear()
        for thread in threads:
            if thread:
                thread.join()

    def __len__(self) -> int:
        return len(self._homes)

    @property
    def alive(self) -> bool:
        """Whether its threads work, or have nobody to work for: nothing else trains anything."""
        return all(queue.alive for queue in self._queues)

    @property
    def held(self) -> float:
        """Seconds that the longest of the turns has lasted that go on now."""
        return max(queue.overdue.held for queue in self._queues)

    @property
    def worst(self) -> Delay:
        """The longest delay of late on the thread that serves all."""
        return self.main.overdue.worst

    def _call(self, seat: Seat) -> None:
        with self.lock:
            if home := self._homes.get(seat):
                home.call(seat)

    # ---- threads -------------------------------------------------------------------------------

    def _start(self, queue: RunQueue) -> threading.Thread:
        def run() -> None:
            with self._one_blas_thread():
                queue.run()

        name = "conductor" if queue is self.main else f"beside {self.beside.index(queue) + 1}"
        thread = threading.Thread(target=run, name=name, daemon=True)
        self._begin(thread)
        return thread

    @contextlib.contextmanager
    def _one_blas_thread(self) -> Iterator[None]:
        """Several processes use several cores; BLAS threads of one would fight over them."""
        with self.lock:
            if not self._running:
                self._blas.enter_context(threadpool_limits(1, user_api="blas"))
            self._running += 1
        try:
            yield
        finally:
            with self.lock:
                self._running -= 1
                if not self._running:
                    self._blas.close()

    # ---- the queues' house: whose turn is for which thread -------------------------------------

    def alone(self, seat: Seat) -> bool:
        """Whether nobody else has anything to do."""
        return not any(queue.works_for_others(seat) for queue in self._queues)

    def refuse(self, seat: Seat, command: Command) -> str:
        """Why a command would keep others waiting, whom a network of such steps would."""
        config = begun_by(command, seat.experiment)
        if config is None or self.alone(seat):
            return ""
        seconds = step_seconds(config, seat.experiment)
        return refusal(seconds) if seconds > ALLOWED else ""

    def leads_away(self, seat: Seat) -> bool:
        """Whether what it does next may take long, and is for a thread beside."""
        if seat.beside:
            return False
        if seat.works.new:
            return True
        command = seat.next
        if command is None or isinstance(command, Errand):
            return False
        config = begun_by(command, seat.experiment)
        return config is not None and takes_long(config, seat.experiment)

    def moved(self, seat: Seat) -> bool:
        """Bring a seat to the thread that is to serve it; whether it was at another."""
        if self.leads_away(seat):
            seat.beside, seat.quick = True, 0
        with self.lock:
            home = self._homes.get(seat)
            if home is None or seat.beside == (home is not self.main):
                return False
            home.let_go(seat)
            self._homes[seat] = min(self.beside, key=len) if seat.beside else self.main
            self._homes[seat].take_in(seat)
            return True

    def weigh(self, seat: Seat, seconds: float) -> None:
        """Learn by how much a turn was longer than its share: whoever takes long goes beside."""
        seat.quick = seat.quick + 1 if seconds < QUICK else 0
        if seconds > LONG:
            seat.beside = True
        elif seat.quick >= TIMES:
            seat.beside = False
        self._stop_if_slow(seat)

    def _stop_if_slow(self, seat: Seat) -> None:
        """Pause a run whose steps are measured to be longer than is allowed beside others."""
        effort = seat.latest.effort  # steps a second
        running = seat.experiment.status is Status.RUNNING
        if running and 0 < effort < 1 / ALLOWED and not self.alone(seat):
            seat.experiment.apply(Pause())
            seat.refusal = refusal(1 / effort)
            seat.publish(seat.experiment.glimpse(looks := seat.looks), looks)

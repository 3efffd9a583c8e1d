"""Serves every experiment of the process: those with short turns on one thread, the others beside.

A network for a class is small, and its NumPy calls are short and hold the interpreter's lock; a
thread for each would spend its time waiting for the others. So one thread serves them all in turn.
What takes long is another matter: a large network's products and a large table's statistics let the
interpreter go. Whoever sets up a run of unknown length, or once took too long, is served by a
thread beside until his turns are short again. So no visitor holds the others up.

Commands and errands go in through `ExperimentHandle.send` and `.do`, snapshots come out through
`.wait`; no other object crosses between threads.
"""

import threading
import time
from collections.abc import Callable

from engine.measure.snapshot import Status
from engine.runtime.experiment import PROCESSOR, Experiment
from engine.runtime.experiment_handle import Errand, ExperimentHandle
from engine.runtime.pace import FULL, Pace
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
        self._homes: dict[ExperimentHandle, RunQueue] = {}
        self.main = RunQueue(self, self._start)
        self.beside = tuple(RunQueue(self, self._start) for _ in range(BESIDE))

    @property
    def _queues(self) -> tuple[RunQueue, ...]:
        return (self.main, *self.beside)

    def add(self, experiment: Experiment, name: str = "", pace: Pace = FULL) -> ExperimentHandle:
        """Take an experiment on; from now on only the conductor's threads may touch it."""
        handle = ExperimentHandle(experiment, self._call, name, pace)
        with self.lock:
            self._homes[handle] = self.main
            self.main.take_in(handle)
        return handle

    def remove(self, handle: ExperimentHandle) -> None:
        """Let an experiment go; nothing of it is kept."""
        with self.lock:
            handle.left = True
            if home := self._homes.pop(handle, None):
                home.let_go(handle)
        handle.cancel_errands()

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

    def _call(self, handle: ExperimentHandle) -> None:
        with self.lock:
            if home := self._homes.get(handle):
                home.call(handle)

    # ---- threads -------------------------------------------------------------------------------

    def _start(self, queue: RunQueue) -> threading.Thread:
        name = "conductor" if queue is self.main else f"beside {self.beside.index(queue) + 1}"
        thread = threading.Thread(target=queue.run, name=name, daemon=True)
        self._begin(thread)
        return thread

    # ---- the queues' house: whose turn is for which thread -------------------------------------

    def alone(self, handle: ExperimentHandle) -> bool:
        """Whether nobody else has anything to do."""
        return not any(queue.works_for_others(handle) for queue in self._queues)

    def refuse(self, handle: ExperimentHandle, command: Command) -> str:
        """Why a command would keep others waiting, whom a network of such steps would."""
        config = begun_by(command, handle.experiment)
        if config is None or self.alone(handle):
            return ""
        seconds = step_seconds(config, handle.experiment)
        return refusal(seconds) if seconds > ALLOWED else ""

    def leads_away(self, handle: ExperimentHandle) -> bool:
        """Whether what it does next may take long, and is for a thread beside."""
        if handle.beside:
            return False
        if handle.works.new:
            return True
        command = handle.next
        if command is None or isinstance(command, Errand):
            return False
        config = begun_by(command, handle.experiment)
        return config is not None and takes_long(config, handle.experiment)

    def moved(self, handle: ExperimentHandle) -> bool:
        """Bring an experiment to the thread that is to serve it; whether it was at another."""
        if self.leads_away(handle):
            handle.beside, handle.quick = True, 0
        with self.lock:
            home = self._homes.get(handle)
            if home is None or handle.beside == (home is not self.main):
                return False
            home.let_go(handle)
            self._homes[handle] = min(self.beside, key=len) if handle.beside else self.main
            self._homes[handle].take_in(handle)
            return True

    def weigh(self, handle: ExperimentHandle, seconds: float) -> None:
        """Learn by how much a turn was longer than its share: whoever takes long goes beside."""
        handle.quick = handle.quick + 1 if seconds < QUICK else 0
        if seconds > LONG:
            handle.beside = True
        elif handle.quick >= TIMES:
            handle.beside = False
        self._stop_if_slow(handle)

    def _stop_if_slow(self, handle: ExperimentHandle) -> None:
        """Pause a run whose steps are measured to be longer than is allowed beside others."""
        effort = handle.latest.training_steps_per_second  # steps a second
        running = handle.experiment.status is Status.RUNNING
        if running and 0 < effort < 1 / ALLOWED and not self.alone(handle):
            handle.experiment.apply(Pause())
            handle.refusal = refusal(1 / effort)
            handle.publish(handle.experiment.cached_snapshot(looks := handle.looks), looks)

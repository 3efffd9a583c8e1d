"""Serves all experiments of the process: short turns on one thread, long ones on others.

A class's networks are small: their NumPy calls are short and hold the interpreter's lock, so that a
thread per experiment would mostly wait for the others. Therefore one thread serves them in turn.
Long operations, such as products of large matrices or statistics of large tables, release the
lock. An experiment that sets up a run of unknown cost, or took too long before, is served by a
background thread until its turns are short again, so that no visitor delays the others.

All other threads have a handle of an experiment (`ExperimentHandle`), the one that serves it its
slot (`ExperimentSlot`), and both share one `Mailbox`: commands and tasks go in by `send`,
`query` and `submit`, snapshots come out through `wait`; nothing else crosses between threads.
"""

import threading
import time
import weakref
from collections.abc import Callable

from engine.measure.snapshot import Status
from engine.runtime.checkpoint_pool import POOL, CheckpointPool
from engine.runtime.experiment import PROCESSOR, Experiment
from engine.runtime.experiment_handle import ExperimentHandle
from engine.runtime.experiment_slot import ExperimentSlot
from engine.runtime.mailbox import Mailbox, Task
from engine.runtime.pace import FULL, Pace
from engine.runtime.run_queue import RunQueue
from engine.runtime.run_transfer import Sent
from engine.runtime.thread_lag import Delay
from engine.runtime.time_estimate import ALLOWED, begun_by, refusal, step_seconds, takes_long
from engine.training.commands import Pause

FRAME_RATE = 10.0  # frames per second
# Threads for experiments with long turns. They have normal priority: a thread of lower priority may
# be suspended while it holds the interpreter's lock, and then everybody waits.
SLOW_QUEUES = 2
LONG = 0.05  # seconds beyond its share that a turn on the main thread may take
QUICK = 0.015  # ... below which a turn is short enough for the main thread
TIMES = 5  # consecutive short turns before it returns there


class Conductor:
    """Trains all experiments of the process; its threads exist while there are experiments."""

    def __init__(
        self,
        frame_rate: float = FRAME_RATE,
        clock: Callable[[], float] = time.perf_counter,
        must_yield: Callable[[], bool] = lambda: False,
        work: Callable[[], float] = PROCESSOR,
        begin: Callable[[threading.Thread], None] = threading.Thread.start,
        checkpoints: int = POOL,  # bytes for those of all experiments
    ) -> None:
        self.lock = threading.RLock()
        self.period, self.clock, self.work = 1 / frame_rate, clock, work
        self.must_yield = must_yield
        self._begin = begin
        self._checkpoints = CheckpointPool(checkpoints)
        self._slots: dict[ExperimentHandle, ExperimentSlot] = {}
        self._queue_of: dict[ExperimentSlot, RunQueue] = {}
        self.main = RunQueue(self, self._start)
        self.slow = tuple(RunQueue(self, self._start) for _ in range(SLOW_QUEUES))

    @property
    def load(self) -> float:
        """The share of the time for training that keeps the frames of most in time."""
        return self.main.load

    def checkpoints(self, slot: ExperimentSlot) -> int:
        """Bytes that an experiment may use for checkpoints: fewer, the more others want."""
        with self.lock:
            if slot not in self._queue_of:  # it was removed in the middle of its turn
                return 0
            max_bytes = self._checkpoints.grant(slot, slot.wants_checkpoints)
            if self._checkpoints.shrank():
                for other, queue in self._queue_of.items():
                    queue.call(other)  # also a paused one has a turn, to keep fewer
            return max_bytes

    @property
    def trained(self) -> int:
        """How many experiments wait for their next turn of training, on all threads."""
        return sum(queue.trained for queue in self._queues)

    @property
    def _queues(self) -> tuple[RunQueue, ...]:
        return (self.main, *self.slow)

    def add(self, experiment: Experiment, name: str = "", pace: Pace = FULL) -> ExperimentHandle:
        """Add an experiment; from now on only the conductor's threads may touch it."""
        mailbox = Mailbox[ExperimentSlot](experiment.snapshot(), pace)
        slot = ExperimentSlot(experiment, mailbox, name)
        weak = weakref.ref(slot)  # whoever keeps the handle of a removed experiment keeps not that
        handle = ExperimentHandle(mailbox, lambda: self._call(weak()), name)
        with self.lock:
            self._slots[handle] = slot
            self._queue_of[slot] = self.main
            self.main.add(slot)
        return handle

    def slot(self, handle: ExperimentHandle) -> ExperimentSlot:
        """The slot of an experiment, for the thread that serves it; others use `submit`."""
        return self._slots[handle]

    def remove(self, handle: ExperimentHandle) -> None:
        """Remove an experiment and free it."""
        with self.lock:
            slot = self._slots.pop(handle, None)
            if slot is None:
                return
            slot.mailbox.closed = True
            self._queue_of.pop(slot).remove(slot)
            self._checkpoints.leave(slot)
        slot.mailbox.cancel_tasks()

    def close(self) -> None:
        """Remove all experiments, and wait until the threads have ended."""
        with self.lock:
            slots = list(self._slots.values())
            for slot in slots:
                self._checkpoints.leave(slot)
            self._slots.clear()
            self._queue_of.clear()
            threads = [queue.thread for queue in self._queues]
            for queue in self._queues:
                queue.clear()
        for thread in threads:
            if thread:
                thread.join()
        for slot in slots:
            slot.mailbox.closed = True
            slot.mailbox.cancel_tasks()

    def __len__(self) -> int:
        return len(self._queue_of)

    @property
    def alive(self) -> bool:
        """Whether no thread has died; without the threads nothing is trained."""
        return all(queue.alive for queue in self._queues)

    @property
    def held(self) -> float:
        """Seconds of the longest turn in progress."""
        return max(queue.overdue.held for queue in self._queues)

    @property
    def worst(self) -> Delay:
        """The longest recent delay on the main thread."""
        return self.main.overdue.worst

    def _call(self, slot: ExperimentSlot | None) -> None:
        with self.lock:
            if slot and (queue := self._queue_of.get(slot)):
                queue.call(slot)

    # ---- threads -------------------------------------------------------------------------------

    def _start(self, queue: RunQueue) -> threading.Thread:
        name = "conductor" if queue is self.main else f"slow {self.slow.index(queue) + 1}"
        thread = threading.Thread(target=queue.run, name=name, daemon=True)
        self._begin(thread)
        return thread

    # ---- which thread serves an experiment ---------------------------------------------------

    def alone(self, slot: ExperimentSlot) -> bool:
        """Whether no other experiment has anything to do."""
        return not any(queue.works_for_others(slot) for queue in self._queues)

    def refuse(self, slot: ExperimentSlot, command: Sent) -> str:
        """Why a command is refused: the steps of its network would delay others too much."""
        config = begun_by(command, slot.experiment)
        if config is None or self.alone(slot):
            return ""
        seconds = step_seconds(config, slot.experiment)
        return refusal(seconds) if seconds > ALLOWED else ""

    def needs_other_thread(self, slot: ExperimentSlot) -> bool:
        """Whether its next action may take long, and needs a background thread."""
        if slot.slow:
            return False
        if slot.jobs.new:
            return True
        command = slot.next
        if command is None or isinstance(command, Task):
            return False
        config = begun_by(command, slot.experiment)
        return config is not None and takes_long(config, slot.experiment)

    def moved(self, slot: ExperimentSlot) -> bool:
        """Move an experiment to the thread that must serve it; returns whether it has moved."""
        if self.needs_other_thread(slot):
            slot.slow, slot.quick = True, 0
        with self.lock:
            queue = self._queue_of.get(slot)
            if queue is None or slot.slow == (queue is not self.main):
                return False
            queue.remove(slot)
            self._queue_of[slot] = min(self.slow, key=len) if slot.slow else self.main
            self._queue_of[slot].add(slot)
            return True

    def note_overrun(self, slot: ExperimentSlot, seconds: float) -> None:
        """Record how much longer than its share a turn was; a long one moves to the background."""
        slot.quick = slot.quick + 1 if seconds < QUICK else 0
        if seconds > LONG:
            slot.slow = True
        elif slot.quick >= TIMES:
            slot.slow = False
        self._stop_if_slow(slot)

    def _stop_if_slow(self, slot: ExperimentSlot) -> None:
        """Pause a run whose measured steps take longer than is allowed beside others."""
        effort = slot.mailbox.feed.latest.training_steps_per_second  # steps a second
        running = slot.experiment.status is Status.RUNNING
        if running and 0 < effort < 1 / ALLOWED and not self.alone(slot):
            slot.experiment.apply(Pause())
            slot.refusal = refusal(1 / effort)
            requested = slot.mailbox.feed.requested
            slot.publish(slot.experiment.cached_snapshot(requested), requested)

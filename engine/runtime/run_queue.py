"""One thread that serves experiments in turn: each trains for its share once per frame period.

Turns for queued commands alternate with turns for training. Commands cost time from a budget that
fills at the rate of the experiment's share, so that nobody waits for more than one turn of each of
the others, however many commands somebody sends. At a pace, only the steps that are due are made;
what is left of such shares goes to those that could use more, a piece at a time.
"""

import heapq
import itertools
import logging
import math
import threading
from collections.abc import Callable
from typing import Protocol

from engine.measure.snapshot import Status
from engine.monotonic_clock import Steady
from engine.runtime.carried_run import Sent
from engine.runtime.command_processing import obey
from engine.runtime.experiment_handle import ExperimentHandle
from engine.runtime.pace import EACH
from engine.runtime.thread_lag import Overdue
from engine.runtime.time_budget import CROWDED, PATIENCE, TOGETHER, TimeBudget

log = logging.getLogger(__name__)

LOAD = 0.6  # share of the time for training many experiments
LOAD_ALONE = 0.85  # ... for a single experiment, which needs few frames
LEAST_LOAD = 0.02  # ... while frames are late: training yields to them
TOLERABLE = 0.4  # tolerable delay of a frame, as a share of the period
SHARES = 4  # of an even one, the largest share of an experiment that few others wait beside
LESS, MORE = 0.97, 1.01  # factors on the share after each slice
WORK = 0.7  # share of a visitor's time for background work during training
COMMANDS = 0.5  # of a visitor's share of the time, what its commands may take in the long run
PIECE = 0.02  # seconds of a turn that is longer than an equal share of the time
FRAME = 0.9  # of a period: one that has several turns in a period is shown once in that time
OBEYED = 0.02  # seconds of one visitor's commands, after which the next one gets a turn


class Scheduler(Protocol):
    """What a queue needs to know about the whole process."""

    lock: threading.RLock
    period: float  # seconds between two frames
    clock: Callable[[], float]
    work: Callable[[], float]  # CPU seconds of the calling thread
    gives_way: Callable[[], bool]  # whether the process has more urgent work

    @property
    def load(self) -> float:
        """The share of the time for training that keeps the frames of most in time."""

    @property
    def checkpoints(self) -> int:
        """Bytes that each experiment may use for checkpoints."""

    @property
    def trained(self) -> int:
        """How many experiments wait for their next turn of training."""

    def alone(self, handle: ExperimentHandle) -> bool:
        """Whether no other experiment has anything to do."""

    def refuse(self, handle: ExperimentHandle, command: Sent) -> str:
        """Why a command is refused; empty: it is not."""

    def leads_away(self, handle: ExperimentHandle) -> bool:
        """Whether its next action needs another thread."""

    def moved(self, handle: ExperimentHandle) -> bool:
        """Whether another thread serves it from now on."""

    def weigh(self, handle: ExperimentHandle, seconds: float) -> None:
        """Record by how much its turn was longer than its share."""


class RunQueue:
    """Experiments and the order of their turns; its thread serves them."""

    def __init__(
        self, scheduler: Scheduler, start: Callable[["RunQueue"], threading.Thread]
    ) -> None:
        self._scheduler = scheduler
        self._start = start
        self._clock = Steady(scheduler.clock)
        self._changed = threading.Condition(scheduler.lock)
        self._handles: set[ExperimentHandle] = set()
        self._called: dict[
            ExperimentHandle, None
        ] = {}  # experiments with a command or query, in order
        self._due: list[
            tuple[float, int, ExperimentHandle]
        ] = []  # experiments that train, by time of their next turn
        self._order = itertools.count()
        self._was_called = False  # whether the last turn was for a command or query
        self._serves: ExperimentHandle | None = None
        self._load = LOAD
        self._commands = TimeBudget(TOGETHER)  # of all visitors
        self.overdue = Overdue(scheduler.clock)
        self.thread: threading.Thread | None = None

    def __len__(self) -> int:
        return len(self._handles)

    @property
    def load(self) -> float:
        """The share of the time for training that keeps its frames in time."""
        return self._load if self._due else LOAD

    @property
    def trained(self) -> int:
        """How many of its experiments wait for their next turn of training."""
        return len(self._due)

    @property
    def alive(self) -> bool:
        """Whether its thread runs, or is not needed."""
        return self.thread is None or self.thread.is_alive()

    # ---- from any thread -----------------------------------------------------------------------

    def take_in(self, handle: ExperimentHandle) -> None:
        """Add an experiment."""
        with self._changed:
            self._handles.add(handle)
            handle.due = 0.0
            if self.thread is None:
                self.thread = self._start(self)
            self.call(handle)

    def let_go(self, *handles: ExperimentHandle) -> None:
        """Remove these experiments."""
        with self._changed:
            self._handles.difference_update(handles)
            self._called = {handle: None for handle in self._called if handle in self._handles}
            self._due = [entry for entry in self._due if entry[2] in self._handles]
            heapq.heapify(self._due)
            self._changed.notify()

    def clear(self) -> None:
        """Remove all experiments."""
        self.let_go(*self._handles)

    def call(self, handle: ExperimentHandle) -> None:
        """Schedule an experiment that has a command, a query, or a watcher with a new request."""
        with self._changed:
            if handle.due and not handle.budget.solvent:
                return  # its budget is empty until its next turn, which is scheduled
            if handle in self._handles:
                self._called[handle] = None
                self._changed.notify()

    def works_for_others(self, handle: ExperimentHandle) -> bool:
        """Whether another experiment trains, or has its turn."""
        with self._changed:
            if self._serves not in (None, handle):
                return True
            return any(other is not handle and other.busy for _, _, other in self._due)

    # ---- whose turn it is ----------------------------------------------------------------------

    def _left(self) -> float:
        """Seconds until the next slice is due."""
        return self._due[0][0] - self._clock() if self._due else math.inf

    def _next(self) -> tuple[ExperimentHandle, bool] | None:
        """The next experiment and whether its slice is due; None if no turn is due."""
        left = self._left()
        self._was_called = bool(self._called) and not (left <= 0 and self._was_called)
        if self._was_called:
            handle = next(iter(self._called))
            del self._called[handle]
            return handle, False
        return (heapq.heappop(self._due)[2], True) if left <= 0 else None

    def _wait(self) -> bool:
        """Wait until a turn may be due; False when no experiment is left."""
        with self._changed:
            if not self._handles:
                self.thread = None
                return False
            if not self._called and (left := self._left()) > 0:
                self._changed.wait(None if left == math.inf else left)
            return True

    # ---- on the thread -------------------------------------------------------------------------

    def run(self) -> None:
        """Serve until no experiment is left."""
        while self._wait():
            self.serve()

    def serve(self) -> bool:
        """Serve the next experiment; False if no turn is due."""
        with self._changed:
            turn = self._next()
        if turn is None:
            return False
        handle, due = turn
        if self._scheduler.moved(handle):
            return True
        self._serves = handle
        self.overdue.begin(handle.name, self._clock() - handle.due if due else 0.0)
        begun, share = self._scheduler.work(), 0.0
        try:
            share = self._turn(handle, due)
        except Exception as error:
            log.exception("an experiment failed")
            _tell(handle, error)
        finally:
            self.overdue.end()
            self._serves = None
        self._scheduler.weigh(handle, self._scheduler.work() - begun - share)
        return True

    def _turn(self, handle: ExperimentHandle, due: bool) -> float:
        """Process its commands and train it; returns the seconds that it had for training."""
        planned, now = handle.due, self._clock()
        if due:
            handle.due = 0.0
            self._adapt_load(now - planned)
        alone = self._scheduler.alone(handle)
        share, part = self._share(handle, alone)
        beat = planned + part * self._scheduler.period
        rate = COMMANDS * (LOAD_ALONE if alone else LOAD) / (len(self._due) + 1)
        handle.budget.fill(now, rate)
        self._commands.fill(now, TOGETHER)
        if handle.ready and (alone or handle.budget.solvent):
            self._obey(handle, rate)
        elif handle.curious:
            _show(handle)
        if due and handle.busy:
            self._slice(handle, share if alone or handle.budget.solvent else 0.0, beat, part)
        handle.allow_checkpoints(self._scheduler.checkpoints)
        now, wait = self._clock(), _wait(handle)
        if handle.due and handle.due <= now + max(wait, self._scheduler.period):
            return share
        if handle.busy:  # at regular times; a delay is not made up for
            self._enqueue(handle, max(beat, now + wait) if due else now)
        elif handle.next:
            self._enqueue(handle, self._clock() + (0.0 if alone else handle.budget.wait(rate)))
        return share

    def _share(self, handle: ExperimentHandle, alone: bool) -> tuple[float, float]:
        """Seconds of training in this turn, and the part of a period until the next one.

        A slow queue shares the core with the main one: with a larger share, all of it for the few
        that it serves, it would make the frames of all others late.
        """
        load = min(self._load, self._scheduler.load)
        if self._scheduler.gives_way():
            load = LEAST_LOAD
        elif alone:
            load *= LOAD_ALONE / LOAD
        served = max(len(self._due) + 1, (self._scheduler.trained + 1) / SHARES)
        equal = load * self._scheduler.period / served
        if handle.needs < equal:
            return equal, 1.0
        others = [other.needs for _, _, other in self._due]
        left = sum(max(0.0, equal - needs) for needs in others)
        share = equal + left / (1 + sum(needs >= equal for needs in others))
        turn = min(share, max(equal, PIECE))
        return turn, turn / share if share > 0 else 1.0

    def _obey(self, handle: ExperimentHandle, rate: float) -> None:
        begun = self._clock()

        def goes_on() -> bool:
            return self._clock() - begun < OBEYED and not self._scheduler.leads_away(handle)

        obey(handle, self._scheduler.refuse, goes_on)
        self._pay(handle, self._clock() - begun, rate)
        if handle.experiment.since_change == 0:
            handle.steps_due.ask()
        # With an empty budget the effect is published with the next slice, if there is one.
        if handle.budget.solvent or not handle.busy:
            begun = self._clock()
            _show(handle)  # the first frame of a run draws everything anew
            self._pay(handle, self._clock() - begun, rate)

    def _pay(self, handle: ExperimentHandle, seconds: float, rate: float) -> None:
        """Charge a visitor; while all together spend too much, nobody's debt is forgiven soon."""
        self._commands.pay(seconds, TOGETHER)
        handle.budget.pay(seconds, rate, PATIENCE if self._commands.solvent else CROWDED)

    def _slice(self, handle: ExperimentHandle, seconds: float, beat: float, part: float) -> None:
        experiment = handle.experiment
        if handle.works.busy:  # a visitor waits for it, so it gets the larger part
            training = experiment.status is Status.RUNNING
            seconds -= handle.works.advance(WORK * seconds if training else seconds, self._clock)
        at_once = experiment.at_work  # a past step, for instance, is rebuilt as fast as possible
        handle.needs = math.inf  # as much as there is, unless it keeps its pace with less
        steps = experiment.advance(seconds) if at_once else self._train(handle, seconds)
        done = at_once and not experiment.at_work
        wanted = handle.wanted and (done or self._frame_due(handle, part))
        # At a slow pace every step is published, even if no watcher waits for it.
        if wanted or not handle.busy or (steps and _wait(handle) > self._scheduler.period):
            looks = handle.looks
            handle.publish(experiment.cached_snapshot(looks), looks)
            handle.published = self._clock()
        # Without other experiments in the queue, no later turn would measure the delay.
        if not self._due and steps > 1:
            self._adapt_load(self._clock() - beat)

    def _train(self, handle: ExperimentHandle, seconds: float) -> int:
        """Make the steps due at its pace within so many seconds; returns their number."""
        rate, period = handle.rate, self._scheduler.period
        due = handle.steps_due.count(rate, self._clock(), period)
        apart = 1 if rate <= EACH else rate * period
        begun = self._scheduler.work()
        steps = handle.experiment.advance(max(1.0, 1 / (rate * period)) * seconds, due, apart)
        handle.steps_due.made(steps)
        if steps == due and not handle.works.busy:
            handle.needs = self._scheduler.work() - begun
        return steps

    def _frame_due(self, handle: ExperimentHandle, part: float) -> bool:
        """Whether there is to be a frame: one a period, however many turns there are in it."""
        since = self._clock() - handle.published
        return part >= 1 or since >= FRAME * self._scheduler.period

    def _adapt_load(self, late: float) -> None:
        """Lower the training share if a turn was late by so many seconds, else raise it."""
        change = LESS if late > TOLERABLE * self._scheduler.period else MORE
        self._load = min(LOAD, max(LEAST_LOAD, self._load * change))

    def _enqueue(self, handle: ExperimentHandle, due: float) -> None:
        with self._changed:
            if handle in self._handles:
                if handle.due:  # it was scheduled for later
                    self._due = [entry for entry in self._due if entry[2] is not handle]
                    heapq.heapify(self._due)
                handle.due = due
                heapq.heappush(self._due, (due, next(self._order), handle))


def _wait(handle: ExperimentHandle) -> float:
    """Seconds until a run has something to do at its pace."""
    at_once = handle.works.busy or handle.experiment.at_work
    return 0.0 if at_once else handle.steps_due.wait(handle.rate)


def _show(handle: ExperimentHandle) -> None:
    looks = handle.looks
    handle.publish(handle.experiment.snapshot(looks), looks)


def _tell(handle: ExperimentHandle, error: Exception) -> None:
    try:
        handle.tell_failure(error)
    except Exception:  # of a listener; it must not end the thread
        log.exception("a listener failed when it was notified of a failed experiment")

"""One thread that serves experiments in turn: each trains for its share once per frame period.

Who has commands takes turns with whose slice is due, and pays for them from a purse that fills at
the rate of its own share. So nobody waits for more than one turn of each of the others, whatever
somebody sends. Who is held to a pace makes the steps that are due by it, and no more.
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
from engine.runtime.command_processing import obey
from engine.runtime.experiment_handle import ExperimentHandle
from engine.runtime.pace import EACH
from engine.runtime.thread_lag import Overdue
from engine.training.commands import Command

log = logging.getLogger(__name__)

LOAD = 0.6  # share of the time that many experiments together train
LOAD_ALONE = 0.85  # ... and that one alone trains, when there are few frames to serve
LEAST_LOAD = 0.02  # ... and that they train when frames come late: it is training that gives way
TOLERABLE = 0.4  # of the time between two frames, that one may be late
LESS, MORE = 0.97, 1.01  # what is changed of that share with each slice
WORK = 0.7  # of a visitor's time, for what is done beside training while that goes on
OBEYED = 0.02  # seconds after which the commands of one visitor give way to the next one's turn


class House(Protocol):
    """What a queue has to know of the whole process."""

    lock: threading.RLock
    period: float  # seconds from one frame to the next
    clock: Callable[[], float]
    work: Callable[[], float]  # seconds of work of the thread that asks
    gives_way: Callable[[], bool]  # whether the process has something else to do first

    def alone(self, handle: ExperimentHandle) -> bool:
        """Whether nobody else has anything to do."""

    def refuse(self, handle: ExperimentHandle, command: Command) -> str:
        """Why a command is too much for this process now; empty: it is not."""

    def leads_away(self, handle: ExperimentHandle) -> bool:
        """Whether what it does next is for another thread."""

    def moved(self, handle: ExperimentHandle) -> bool:
        """Whether another thread serves it from now on."""

    def weigh(self, handle: ExperimentHandle, seconds: float) -> None:
        """Learn by how much its turn was longer than its share."""


class RunQueue:
    """Experiments, and whose turn it is; the thread that runs it serves them."""

    def __init__(self, house: House, start: Callable[["RunQueue"], threading.Thread]) -> None:
        self._house = house
        self._start = start
        self._clock = Steady(house.clock)
        self._changed = threading.Condition(house.lock)
        self._handles: set[ExperimentHandle] = set()
        self._called: dict[
            ExperimentHandle, None
        ] = {}  # those who have something to obey, in order
        self._due: list[
            tuple[float, int, ExperimentHandle]
        ] = []  # those who train, by when their turn is
        self._order = itertools.count()
        self._was_called = False  # whether the last turn was that of one who was called
        self._serves: ExperimentHandle | None = None
        self._load = LOAD
        self.overdue = Overdue(house.clock)
        self.thread: threading.Thread | None = None

    def __len__(self) -> int:
        return len(self._handles)

    @property
    def alive(self) -> bool:
        """Whether its thread works, or has nobody to work for."""
        return self.thread is None or self.thread.is_alive()

    # ---- from any thread -----------------------------------------------------------------------

    def take_in(self, handle: ExperimentHandle) -> None:
        """Serve an experiment from now on."""
        with self._changed:
            self._handles.add(handle)
            handle.due = 0.0
            if self.thread is None:
                self.thread = self._start(self)
            self.call(handle)

    def let_go(self, *handles: ExperimentHandle) -> None:
        """Serve these no more."""
        with self._changed:
            self._handles.difference_update(handles)
            self._called = {handle: None for handle in self._called if handle in self._handles}
            self._due = [entry for entry in self._due if entry[2] in self._handles]
            heapq.heapify(self._due)
            self._changed.notify()

    def clear(self) -> None:
        """Serve nobody any more."""
        self.let_go(*self._handles)

    def call(self, handle: ExperimentHandle) -> None:
        """There is something for an experiment to obey, or somebody is curious."""
        with self._changed:
            if handle.due and not handle.purse.solvent:
                return  # it cannot pay before its next turn, which comes anyway
            if handle in self._handles:
                self._called[handle] = None
                self._changed.notify()

    def works_for_others(self, handle: ExperimentHandle) -> bool:
        """Whether anybody but this one trains, or has his turn."""
        with self._changed:
            if self._serves not in (None, handle):
                return True
            return any(other is not handle and other.busy for _, _, other in self._due)

    # ---- whose turn it is ----------------------------------------------------------------------

    def _left(self) -> float:
        """Seconds until the next slice is due."""
        return self._due[0][0] - self._clock() if self._due else math.inf

    def _next(self) -> tuple[ExperimentHandle, bool] | None:
        """Whose turn it is, and whether its slice is due; None: nobody's."""
        left = self._left()
        self._was_called = bool(self._called) and not (left <= 0 and self._was_called)
        if self._was_called:
            handle = next(iter(self._called))
            del self._called[handle]
            return handle, False
        return (heapq.heappop(self._due)[2], True) if left <= 0 else None

    def _wait(self) -> bool:
        """Wait until something may be to be done; False when the last one has left."""
        with self._changed:
            if not self._handles:
                self.thread = None
                return False
            if not self._called and (left := self._left()) > 0:
                self._changed.wait(None if left == math.inf else left)
            return True

    # ---- on the thread -------------------------------------------------------------------------

    def run(self) -> None:
        """Serve until the last experiment has gone."""
        while self._wait():
            self.serve()

    def serve(self) -> bool:
        """Serve whoever's turn it is; False if it is nobody's."""
        with self._changed:
            turn = self._next()
        if turn is None:
            return False
        handle, due = turn
        if self._house.moved(handle):
            return True
        self._serves = handle
        self.overdue.begin(handle.name, self._clock() - handle.due if due else 0.0)
        begun, share = self._house.work(), 0.0
        try:
            share = self._turn(handle, due)
        except Exception as error:
            log.exception("an experiment failed")
            _tell(handle, error)
        finally:
            self.overdue.end()
            self._serves = None
        self._house.weigh(handle, self._house.work() - begun - share)
        return True

    def _turn(self, handle: ExperimentHandle, due: bool) -> float:
        """Have it obey and train; the seconds that it was given to train."""
        beat, now = handle.due + self._house.period, self._clock()
        if due:
            handle.due = 0.0
            self._adapt_load(now - beat + self._house.period)
        alone = self._house.alone(handle)
        share = self._share(alone)
        rate = share / self._house.period
        handle.purse.fill(now, rate)
        if handle.ready and (alone or handle.purse.solvent):
            self._obey(handle, rate)
        elif handle.curious:
            _show(handle)
        if due and handle.busy:
            self._slice(handle, share if alone or handle.purse.solvent else 0.0, beat)
        now, wait = self._clock(), _wait(handle)
        if handle.due and handle.due <= now + max(wait, self._house.period):
            return share
        if handle.busy:  # in step with its own beat; after a delay it does not run to catch up
            self._enqueue(handle, max(beat, now + wait) if due else now)
        elif handle.next:
            self._enqueue(handle, self._clock() + (0.0 if alone else handle.purse.wait(rate)))
        return share

    def _share(self, alone: bool) -> float:
        """Seconds that each of those who train has in a period."""
        load = self._load
        if self._house.gives_way():
            load = LEAST_LOAD
        elif alone:
            load *= LOAD_ALONE / LOAD
        return load * self._house.period / (len(self._due) + 1)

    def _obey(self, handle: ExperimentHandle, rate: float) -> None:
        begun = self._clock()

        def goes_on() -> bool:
            return self._clock() - begun < OBEYED and not self._house.leads_away(handle)

        obey(handle, self._house.refuse, goes_on)
        handle.purse.pay(self._clock() - begun, rate)
        if handle.experiment.since_change == 0:
            handle.steps_due.ask()
        # Whoever has spent all sees the effect with its next slice; one that stands has none.
        if handle.purse.solvent or not handle.busy:
            _show(handle)

    def _slice(self, handle: ExperimentHandle, seconds: float, beat: float) -> None:
        experiment = handle.experiment
        if handle.works.busy:  # what is waited for has the larger part
            training = experiment.status is Status.RUNNING
            seconds -= handle.works.advance(WORK * seconds if training else seconds, self._clock)
        rebuilt = experiment.rebuilding  # a step that somebody looks back at, at no pace
        steps = experiment.advance(seconds) if rebuilt else self._train(handle, seconds)
        # Who makes few steps is shown each of them, even if its page is not ready for it yet.
        if handle.wanted or not handle.busy or (steps and _wait(handle) > self._house.period):
            looks = handle.looks
            handle.publish(experiment.cached_snapshot(looks), looks)
        # Nobody else notices that it took too long.
        if not self._due and steps > 1:
            self._adapt_load(self._clock() - beat)

    def _train(self, handle: ExperimentHandle, seconds: float) -> int:
        """Make the steps that are due by its pace, as far as so many seconds allow; how many."""
        rate, period = handle.rate, self._house.period
        due = handle.steps_due.count(rate, self._clock(), period)
        apart = 1 if rate <= EACH else rate * period
        steps = handle.experiment.advance(max(1.0, 1 / (rate * period)) * seconds, due, apart)
        handle.steps_due.made(steps)
        return steps

    def _adapt_load(self, late: float) -> None:
        """Train less when an experiment is served late by so many seconds, else more."""
        change = LESS if late > TOLERABLE * self._house.period else MORE
        self._load = min(LOAD, max(LEAST_LOAD, self._load * change))

    def _enqueue(self, handle: ExperimentHandle, due: float) -> None:
        with self._changed:
            if handle in self._handles:
                if handle.due:  # it was to wait longer
                    self._due = [entry for entry in self._due if entry[2] is not handle]
                    heapq.heapify(self._due)
                handle.due = due
                heapq.heappush(self._due, (due, next(self._order), handle))


def _wait(handle: ExperimentHandle) -> float:
    """Seconds until there is something to do for a run by its pace."""
    at_once = handle.works.busy or handle.experiment.rebuilding
    return 0.0 if at_once else handle.steps_due.wait(handle.rate)


def _show(handle: ExperimentHandle) -> None:
    looks = handle.looks
    handle.publish(handle.experiment.snapshot(looks), looks)


def _tell(handle: ExperimentHandle, error: Exception) -> None:
    try:
        handle.tell_failure(error)
    except Exception:  # of whoever listens; the others must not lose their thread for it
        log.exception("nobody could be told that an experiment failed")

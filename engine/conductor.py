"""The one background thread of the process: it trains every experiment in turn, in fair slices.

A network for a class is small, and its NumPy calls are short and hold the interpreter's lock; a
thread for each would spend its time waiting for the others. So each running experiment falls due
once per frame period, trains for its share of the computing time, and is published if somebody
waits for a frame.

This file holds the concurrency of the engine and nothing else. Commands go in through `Seat.send`,
snapshots come out through `Seat.wait`; no other object crosses between threads.
"""

import dataclasses
import heapq
import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Set
from concurrent.futures import Future
from typing import Any

from threadpoolctl import threadpool_limits

from engine.beside import Works
from engine.clock import Steady
from engine.commands import Command
from engine.experiment import Experiment
from engine.telemetry import Snapshot, Status

log = logging.getLogger(__name__)

type Deliver = Callable[[Snapshot, int], None]
type Errand = Callable[[Experiment], Any]

FRAME_RATE = 10.0  # frames per second
LOAD = 0.6  # share of the time that many experiments together train
LOAD_ALONE = 0.85  # ... and that one alone trains, when there are few frames to serve
LEAST_LOAD = 0.02  # ... and that they train when frames come late: it is training that gives way
TOLERABLE = 0.4  # of the time between two frames, that one may be late
LESS, MORE = 0.97, 1.01  # what is changed of that share with each slice
WORK = 0.7  # of a visitor's time, for what is done beside training while that goes on


class Seat:
    """An experiment's place with the conductor, and the only way to talk to it from outside."""

    def __init__(self, experiment: Experiment, wake: Callable[["Seat"], None]) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._inbox: deque[Command] = deque()
        self._version = 1
        self._waiting: dict[Hashable, Deliver] = {}
        self._looks: dict[Hashable, Set[str]] = {}  # what each of those who watch asks to see
        self._seen: Set[str] = frozenset()  # what the latest snapshot shows of that
        self.errands: deque[tuple[Errand, Future[Any]]] = deque()
        self.left = False  # it has no place any more
        self.latest = experiment.snapshot()
        self.on_news: Callable[[Snapshot], None] = lambda snapshot: None
        # The conductor's own, touched by its thread alone:
        self.experiment = experiment
        self.due = 0.0  # when its next slice is; 0 when it is not in the queue
        self.works = Works()  # what is done beside training; errands begin and end it
        self.refusal = ""  # why the last command was refused; told until the next one

    def send(self, command: Command) -> None:
        """Have a command obeyed soon, between two steps; they stay in order and none is lost."""
        self._inbox.append(command)
        self._wake(self)

    def do[T](self, errand: Callable[[Experiment], T]) -> Future[T]:
        """Have a function of the experiment called soon, between two steps, for its result.

        It must be quick, and must not change the experiment; it may begin and end `works`.
        """
        future: Future[T] = Future()
        self.errands.append((errand, future))
        self._wake(self)
        if self.left:
            self.cancel_errands()
        return future

    def cancel_errands(self) -> None:
        """Nobody will run them any more."""
        while self.errands:
            self.errands.popleft()[1].cancel()

    def wait(
        self, who: Hashable, version: int, deliver: Deliver, looks: Set[str] = frozenset()
    ) -> None:
        """Call `deliver(snapshot, its version)` once, as soon as there is one newer than `version`.

        It is called from this thread or the conductor's, and must be quick. Another wish of
        the same `who` takes the place of the one before. `looks` are those fields of `Inside` that
        it asks for; they are in the snapshots that follow.
        """
        with self._lock:
            self._looks[who] = looks
            ready = self._version > version
            if not ready:
                self._waiting[who] = deliver
        if ready:
            deliver(self.latest, self._version)
        elif not looks <= self._seen:
            self._wake(self)

    def forget(self, who: Hashable) -> None:
        """Drop the wish of somebody who has gone."""
        with self._lock:
            self._waiting.pop(who, None)
            self._looks.pop(who, None)

    @property
    def watched(self) -> bool:
        """Whether anybody has asked for frames who has not gone."""
        return bool(self._looks)

    @property
    def busy(self) -> bool:
        """Whether there is training or other work to do."""
        return self.experiment.status is Status.RUNNING or self.works.busy

    def commands(self) -> list[Command]:
        """Take all commands that have arrived."""
        taken = []
        while self._inbox:
            taken.append(self._inbox.popleft())
        return taken

    @property
    def wanted(self) -> bool:
        """Whether somebody waits for a frame."""
        return bool(self._waiting)

    @property
    def looks(self) -> Set[str]:
        """What those who watch ask to see besides what every snapshot shows."""
        with self._lock:
            return frozenset().union(*self._looks.values())

    @property
    def curious(self) -> bool:
        """Whether somebody waits to see what the latest snapshot does not show."""
        return self.wanted and not self.looks <= self._seen

    def publish(self, snapshot: Snapshot, looks: Set[str] = frozenset()) -> None:
        """Hand out a new snapshot; tell of it if anything but the numbers has changed."""
        news = _news(snapshot) != _news(self.latest)
        with self._lock:
            self.latest = snapshot
            self._seen = looks
            self._version += 1
            version, waiting, self._waiting = self._version, self._waiting, {}
        for deliver in waiting.values():
            deliver(snapshot, version)
        if news:
            self.on_news(snapshot)


def _news(snapshot: Snapshot) -> tuple[object, ...]:
    rules = tuple((finding.rule, finding.where) for finding in snapshot.findings)
    pinned = tuple(past.name for past in snapshot.pinned)
    beside = id(snapshot.beside.lesson), id(snapshot.beside.checks)
    return snapshot.run, snapshot.status, snapshot.message, snapshot.config, rules, pinned, beside


class Conductor:
    """Trains all experiments of the process on one thread, which lives while there are any."""

    def __init__(
        self,
        frame_rate: float = FRAME_RATE,
        clock: Callable[[], float] = time.perf_counter,
        gives_way: Callable[[], bool] = lambda: False,
    ) -> None:
        self._gives_way = gives_way  # whether the process has something else to do first
        self._period = 1 / frame_rate
        self._clock = Steady(clock)
        self._changed = threading.Condition()
        self._seats: set[Seat] = set()
        self._called: deque[Seat] = deque()  # seats with commands to obey
        self._queue: list[tuple[float, int, Seat]] = []  # running seats by the time they fall due
        self._order = itertools.count()
        self._load = LOAD
        self._thread: threading.Thread | None = None

    def add(self, experiment: Experiment) -> Seat:
        """Take an experiment on; from now on only the conductor's thread may touch it."""
        seat = Seat(experiment, self._call)
        with self._changed:
            self._seats.add(seat)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="conductor", daemon=True)
                self._thread.start()
        self._call(seat)
        return seat

    def remove(self, seat: Seat) -> None:
        """Let an experiment go; nothing of it is kept."""
        with self._changed:
            self._seats.discard(seat)
            self._changed.notify()
        seat.left = True
        seat.cancel_errands()

    def close(self) -> None:
        """Let all experiments go and wait until the thread has ended."""
        with self._changed:
            self._seats.clear()
            thread = self._thread
            self._changed.notify()
        if thread:
            thread.join()

    def __len__(self) -> int:
        return len(self._seats)

    @property
    def alive(self) -> bool:
        """Whether its thread works, or has nobody to work for: nothing else trains anything."""
        thread = self._thread
        return thread is None or thread.is_alive()

    def _call(self, seat: Seat) -> None:
        with self._changed:
            self._called.append(seat)
            self._changed.notify()

    # ---- on the thread ----------------------------------------------------------------------

    def _run(self) -> None:
        # Several processes use several cores; BLAS threads of one would fight over them.
        with threadpool_limits(1, user_api="blas"):
            while (work := self._next()) is not None:
                seat, due = work
                try:
                    self._obey(seat)
                    if due:
                        self._slice(seat)
                except Exception as error:
                    log.exception("an experiment failed")
                    _fail(seat, error)

    def _next(self) -> tuple[Seat, bool] | None:
        """The seat to serve, and whether it is due for a slice; None when the last one has left."""
        with self._changed:
            while True:
                if not self._seats:
                    self._thread = None
                    self._called.clear()
                    self._queue.clear()
                    return None
                if self._called:
                    if (seat := self._called.popleft()) in self._seats:
                        return seat, False
                elif not self._queue:
                    self._changed.wait()
                elif (left := self._queue[0][0] - self._clock()) > 0:
                    self._changed.wait(left)
                elif (seat := heapq.heappop(self._queue)[2]) in self._seats:
                    return seat, True

    def _obey(self, seat: Seat) -> None:
        experiment = seat.experiment
        commands = seat.commands()
        if not commands and not seat.errands and not seat.curious:
            return
        if commands:
            seat.refusal = ""
        for command in commands:
            try:
                experiment.apply(command)
            except ValueError as error:
                seat.refusal = str(error)
        _run_errands(seat)
        looks = seat.looks
        _publish(seat, experiment.snapshot(looks), looks)
        if seat.busy and not seat.due:
            self._enqueue(seat, self._clock())

    def _slice(self, seat: Seat) -> None:
        experiment, due = seat.experiment, seat.due
        seat.due = 0.0
        if not seat.busy:
            return
        running = len(self._queue) + 1
        self._keep_pace(self._clock() - due)
        load = self._load * LOAD_ALONE / LOAD if running == 1 else self._load
        if self._gives_way():
            load = LEAST_LOAD
        seconds = load * self._period / running
        if seat.works.busy:  # what is waited for has the larger part
            training = experiment.status is Status.RUNNING
            seconds -= seat.works.advance(WORK * seconds if training else seconds, self._clock)
        step = experiment.step
        experiment.advance(seconds)
        if seat.wanted or not seat.busy:
            looks = seat.looks
            _publish(seat, experiment.glimpse(looks), looks)
        # In step with its own beat; after a delay it does not run to catch up.
        beat, now = due + self._period, self._clock()
        if running == 1 and experiment.step > step + 1:  # nobody else notices that it took too long
            self._keep_pace(now - beat)
        self._enqueue(seat, max(beat, now))

    def _keep_pace(self, late: float) -> None:
        """Train less when an experiment is served late by so many seconds, else more."""
        change = LESS if late > TOLERABLE * self._period else MORE
        self._load = min(LOAD, max(LEAST_LOAD, self._load * change))

    def _enqueue(self, seat: Seat, due: float) -> None:
        seat.due = due
        heapq.heappush(self._queue, (due, next(self._order), seat))


def _run_errands(seat: Seat) -> None:
    while seat.errands:
        errand, future = seat.errands.popleft()
        try:
            future.set_result(errand(seat.experiment))
        except Exception as error:  # it is whoever asked who has to know
            future.set_exception(error)


def _publish(seat: Seat, snapshot: Snapshot, looks: Set[str]) -> None:
    message, beside = seat.refusal or seat.works.refusal or snapshot.message, seat.works.shown
    if message != snapshot.message or beside != snapshot.beside:
        snapshot = dataclasses.replace(snapshot, message=message, beside=beside)
    seat.publish(snapshot, looks)


def _fail(seat: Seat, error: Exception) -> None:
    """Say in the page that this experiment has failed; what it last showed stays."""
    seat.experiment.status = Status.FAILED
    text = f"{type(error).__name__}: {error}. Restart to try again."
    try:
        seat.publish(dataclasses.replace(seat.latest, status=Status.FAILED, message=text))
    except Exception:  # of whoever listens; the others must not lose their thread for it
        log.exception("nobody could be told that an experiment failed")

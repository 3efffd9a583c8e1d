"""An experiment's place with the conductor: commands and errands go in, snapshots come out."""

import dataclasses
import threading
from collections import deque
from collections.abc import Callable, Hashable, Set
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from engine.measure.snapshot import Snapshot, Status
from engine.runtime.background_jobs import BackgroundJobs
from engine.runtime.command_merging import replaces
from engine.runtime.experiment import Experiment
from engine.runtime.pace import FULL, Pace, StepsDue, rate_of
from engine.runtime.time_budget import TimeBudget
from engine.training.commands import Begin, Command, LookAhead, LookBack

type Deliver = Callable[[Snapshot, int], None]

MOST_PENDING = 1000  # commands and errands of one visitor that wait to be obeyed


@dataclass(frozen=True, slots=True)
class Errand:
    """A function of the experiment to be called, and where its result goes."""

    call: Callable[[Experiment], Any]
    future: Future[Any]


class ExperimentHandle:
    """An experiment's place with the conductor, and the only way to talk to it from outside."""

    def __init__(
        self,
        experiment: Experiment,
        wake: Callable[["ExperimentHandle"], None],
        name: str = "",
        pace: Pace = FULL,
    ) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._inbox: deque[Command | Errand] = deque()
        self._version = 1
        self._waiting: dict[Hashable, Deliver] = {}
        self._looks: dict[Hashable, Set[str]] = {}  # what each of those who watch asks to see
        self._seen: Set[str] = frozenset()  # what the latest snapshot shows of that
        self.name = name  # as the operator's log calls it
        self.left = False  # it has no place any more
        self._sent = self._taken = 0  # commands
        self.settled = True  # whether `latest` knows of every command that was sent
        self.latest = experiment.snapshot()
        self.on_news: Callable[[Snapshot], None] = lambda snapshot: None
        self.pace = pace  # as whoever watches wants it
        # The conductor's own, touched by the thread alone that serves it:
        self.experiment = experiment
        self.due = 0.0  # when its next turn is; 0 when it is not in the queue
        self.works = BackgroundJobs()  # what is done beside training; errands begin and end it
        self.refusal = ""  # why the last command was refused; told until the next one
        self.purse = TimeBudget()  # what its commands are paid from
        self.beside = False  # whether its turns are too long for the thread that serves all
        self.quick = 0  # turns in a row that were not
        self.lesson_pace: Pace | None = None  # of a lesson that plays on it
        self.steps_due = StepsDue()

    def send(self, command: Command) -> None:
        """Have a command obeyed soon, between two steps.

        They stay in order, and none is lost but one whose effect the next replaces entirely.
        """
        if len(self._inbox) >= MOST_PENDING:
            self.refusal = f"More than {MOST_PENDING:,} commands wait: this one is not obeyed."
            return
        with self._lock:
            self._sent += 1
            self.settled = False
        self._inbox.append(command)
        self._wake(self)

    def set_pace(self, pace: Pace) -> None:
        """Hold the run to a pace from now on."""
        self.pace = pace
        self._wake(self)

    def set_lesson_pace(self, pace: Pace | None) -> None:
        """Hold the run to the pace of a lesson; None: to that of whoever watches."""
        self.lesson_pace = pace

    def do[T](self, errand: Callable[[Experiment], T]) -> Future[T]:
        """Have a function of the experiment called soon, between two steps, for its result.

        It must not change the experiment; it may begin and end `works`.
        """
        future: Future[T] = Future()
        if len(self._inbox) >= MOST_PENDING:
            future.cancel()
            return future
        self._inbox.append(Errand(errand, future))
        self._wake(self)
        if self.left:
            self.cancel_errands()
        return future

    def cancel_errands(self) -> None:
        """Nobody will run them any more."""
        while self._inbox:
            item = self._inbox.popleft()
            if isinstance(item, Errand):
                item.future.cancel()

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
    def parameters(self) -> int:
        """How many numbers its network has to learn."""
        return int(self.experiment.network.parameters.size)

    @property
    def watched(self) -> bool:
        """Whether anybody has asked for frames who has not gone."""
        return bool(self._looks)

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
        return self.wanted and (not self.looks <= self._seen or self.latest.pace != self.held_to)

    # ---- on the thread that serves it ---------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether there is training or other work to do."""
        experiment = self.experiment
        return experiment.status is Status.RUNNING or experiment.rebuilding or self.works.busy

    @property
    def held_to(self) -> Pace:
        """The pace that it is held to: none while it only repeats what somebody has seen."""
        if self.lesson_pace is not None:
            return self.lesson_pace
        return FULL if self.experiment.catches_up else self.pace

    @property
    def rate(self) -> float:
        """Steps a second that it makes now, at most."""
        return rate_of(self.held_to, self.experiment.since_change)

    @property
    def next(self) -> Command | Errand | None:
        """What is to be obeyed next."""
        return self._inbox[0] if self._inbox else None

    @property
    def ready(self) -> bool:
        """Whether there is something to be obeyed now.

        While a step is rebuilt only another look takes its place; all else is meant for that step.
        """
        looks = isinstance(self.next, LookBack | LookAhead | Begin | Errand)
        return self.next is not None and (looks or not self.experiment.rebuilding)

    def take(self) -> list[Command] | Errand:
        """What is to be obeyed now: an errand; or a command, with those before that it replaces."""
        first = self._inbox.popleft()
        if isinstance(first, Errand):
            return first
        taken = [first]
        while self._inbox and not isinstance(later := self._inbox[0], Errand):
            if not replaces(later, taken[-1], self.experiment.config):
                break
            taken.append(later)
            self._inbox.popleft()
        self._taken += len(taken)
        return taken

    def publish(self, snapshot: Snapshot, looks: Set[str]) -> None:
        """Hand out a new snapshot; tell of it if anything but the numbers has changed."""
        message = self.refusal or self.works.refusal or snapshot.message
        told = message, self.works.shown, self.held_to
        if told != (snapshot.message, snapshot.beside, snapshot.pace):
            message, beside, pace = told
            snapshot = dataclasses.replace(snapshot, message=message, beside=beside, pace=pace)
        self._hand_out(snapshot, looks)

    def tell_failure(self, error: Exception) -> None:
        """Say that this experiment has failed; what it last showed stays."""
        self.experiment.status = Status.FAILED
        text = f"{type(error).__name__}: {error}. Restart to try again."
        failed = dataclasses.replace(self.latest, status=Status.FAILED, message=text)
        self._hand_out(failed, frozenset())

    def _hand_out(self, snapshot: Snapshot, looks: Set[str]) -> None:
        news = _news(snapshot) != _news(self.latest)
        with self._lock:
            settles = not self.settled and self._taken == self._sent
            self.settled = self._taken == self._sent
            self.latest = snapshot
            self._seen = looks
            self._version += 1
            version, waiting, self._waiting = self._version, self._waiting, {}
        for deliver in waiting.values():
            deliver(snapshot, version)
        if news or settles:
            self.on_news(snapshot)


def _news(snapshot: Snapshot) -> tuple[object, ...]:
    rules = tuple((finding.rule, finding.where) for finding in snapshot.findings)
    pinned = tuple(past.name for past in snapshot.pinned)
    beside = id(snapshot.beside.lesson), id(snapshot.beside.checks)
    return snapshot.run, snapshot.status, snapshot.message, snapshot.config, rules, pinned, beside

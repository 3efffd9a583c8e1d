"""The interface to an experiment that the conductor serves: commands in, snapshots out."""

import dataclasses
import math
import threading
from collections import deque
from collections.abc import Callable, Hashable, Set
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from engine.measure.snapshot import Snapshot, Status
from engine.runtime.background_jobs import BackgroundJobs
from engine.runtime.background_results import BackgroundResults
from engine.runtime.carried_run import CarriedRun, Sent
from engine.runtime.command_merging import replaces
from engine.runtime.experiment import Experiment
from engine.runtime.pace import FULL, Pace, StepsDue, rate_of
from engine.runtime.time_budget import TimeBudget
from engine.training.commands import Begin, GoTo, LookAhead, LookBack

type Deliver = Callable[[Snapshot, int], None]

MOST_PENDING = 1000  # queued commands and queries of one visitor


@dataclass(frozen=True, slots=True)
class Errand:
    """A function to call with the experiment, and the future for its result."""

    call: Callable[[Experiment], Any]
    future: Future[Any]


class ExperimentHandle:
    """The only way to use an experiment from outside the conductor's threads."""

    def __init__(
        self,
        experiment: Experiment,
        wake: Callable[["ExperimentHandle"], None],
        name: str = "",
        pace: Pace = FULL,
    ) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._inbox: deque[Sent | Errand] = deque()
        self._version = 1
        self._waiting: dict[Hashable, Deliver] = {}
        self._looks: dict[Hashable, Set[str]] = {}  # the statistics that each watcher requests
        self._seen: Set[str] = frozenset()  # those in the latest snapshot
        self.name = name  # in the operator's log
        self.left = False  # it was removed
        self._sent = self._taken = 0  # commands
        self.settled = True  # whether `latest` includes all commands sent
        self.latest = experiment.snapshot()
        self.on_news: Callable[[Snapshot], None] = lambda snapshot: None
        self.pace = pace  # as the visitor has set it
        # Used only by the conductor's thread that serves it:
        self.experiment = experiment
        self.due = 0.0  # the time of its next turn; 0 if it is not in the queue
        self.works = BackgroundJobs()  # background work; queries start and end it
        self.refusal = ""  # why the last command was refused; shown until the next one
        self.budget = TimeBudget()  # the time budget of its commands
        self.slow = False  # whether its turns are too long for the main thread
        self.quick = 0  # consecutive short turns
        self.lesson_pace: Pace | None = None  # of a lesson in progress
        self._own = experiment  # the visitor's own, also while a lesson's is served
        self._stage: Experiment | None = None  # the lesson's, also while the own one is served
        self.steps_due = StepsDue()
        self.needs = math.inf  # seconds of training in a period; infinity: all that it can get
        self.published = 0.0  # the time of the last frame after training

    def send(self, command: Sent) -> None:
        """Queue a command, which is applied soon, between two steps.

        Commands stay in order, and only one that the next replaces entirely is dropped.
        """
        if len(self._inbox) >= MOST_PENDING:
            self.refusal = f"More than {MOST_PENDING:,} commands wait: this one is dropped."
            return
        with self._lock:
            self._sent += 1
            self.settled = False
        self._inbox.append(command)
        self._wake(self)

    def set_pace(self, pace: Pace) -> None:
        """Set the pace of the run."""
        self.pace = pace
        self._wake(self)

    def set_lesson_pace(self, pace: Pace | None) -> None:
        """Set the pace of a lesson, which overrides the visitor's; None restores the visitor's."""
        self.lesson_pace = pace

    def do[T](self, errand: Callable[[Experiment], T]) -> Future[T]:
        """Call a function with the experiment soon, between two steps, and return its result.

        The function must not change the experiment; it may start and end `works`.
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
        """Cancel the queued queries of a removed experiment."""
        while self._inbox:
            item = self._inbox.popleft()
            if isinstance(item, Errand):
                item.future.cancel()

    def wait(
        self, who: Hashable, version: int, deliver: Deliver, looks: Set[str] = frozenset()
    ) -> None:
        """Call `deliver(snapshot, its version)` once, as soon as there is one newer than `version`.

        It is called from this thread or the conductor's, and must be quick. A later call with the
        same `who` replaces the earlier one. `looks` are the fields of `Inside` that it requests;
        they are measured for the following snapshots.
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
        """Drop the request of a watcher who has left."""
        with self._lock:
            self._waiting.pop(who, None)
            self._looks.pop(who, None)

    @property
    def parameters(self) -> int:
        """The number of the network's parameters."""
        return int(self.experiment.network.parameters.size)

    @property
    def watched(self) -> bool:
        """Whether there is a watcher."""
        return bool(self._looks)

    @property
    def wanted(self) -> bool:
        """Whether a watcher waits for a frame."""
        return bool(self._waiting)

    @property
    def looks(self) -> Set[str]:
        """The statistics that watchers request in addition to the snapshot."""
        with self._lock:
            return frozenset().union(*self._looks.values())

    @property
    def curious(self) -> bool:
        """Whether a watcher waits for statistics that the latest snapshot lacks."""
        return self.wanted and (not self.looks <= self._seen or self.latest.pace != self.held_to)

    # ---- on the thread that serves it ---------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether there is training or background work to do."""
        experiment = self.experiment
        return experiment.status is Status.RUNNING or experiment.at_work or self.works.busy

    @property
    def held_to(self) -> Pace:
        """The effective pace: none while it replays steps that were seen before."""
        if self.lesson_pace is not None and self.on_stage:
            return self.lesson_pace
        return FULL if self.experiment.catches_up else self.pace

    @property
    def rate(self) -> float:
        """Its current limit of steps a second."""
        return rate_of(self.held_to, self.experiment.since_change)

    @property
    def next(self) -> Sent | Errand | None:
        """The next command or query."""
        return self._inbox[0] if self._inbox else None

    @property
    def ready(self) -> bool:
        """Whether the next command or query can be processed now.

        While a step is rebuilt only another look is; all other commands are meant for that step.
        """
        looks = isinstance(self.next, LookBack | LookAhead | GoTo | Begin | CarriedRun | Errand)
        return self.next is not None and (looks or not self.experiment.rebuilding)

    def take(self) -> list[Sent] | Errand:
        """The next query, or the next command after those that it replaces."""
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

    @property
    def on_stage(self) -> bool:
        """Whether a lesson's experiment is served in place of the visitor's own."""
        return self.experiment is not self._own

    @property
    def own(self) -> Experiment:
        """The visitor's own experiment, also while a lesson's is served."""
        return self._own

    def put_on_stage(self, experiment: Experiment) -> None:
        """Serve an experiment of a lesson; the visitor's own waits, and stays as it is."""
        experiment.number_after(
            max(self.experiment.run, self._own.run)
        )  # the page tells runs by it
        self._stage = self.experiment = experiment

    def leave_stage(self) -> None:
        """Serve the visitor's own experiment again; a lesson in progress waits."""
        if self.on_stage:
            self.works.hold("lesson")
            self.experiment = self._own

    def take_up(self, run: CarriedRun) -> None:
        """Go on with a run as the visitor's own, also from within a lesson."""
        shown = self.experiment.run
        if self.on_stage:
            self.leave_stage()
            self._own.number_after(max(shown, self._own.run))  # the page tells runs by it
        self._own.take_up(run)

    def return_to_stage(self) -> None:
        """Serve the lesson's experiment again, and go on with the lesson."""
        if self._stage and not self.on_stage:
            self.experiment = self._stage
            self.works.go_on("lesson")

    def allow_checkpoints(self, room: int) -> None:
        """Keep the checkpoints of its own experiment and of a lesson's in so many bytes."""
        experiments = [x for x in (self._own, self._stage) if x]
        for experiment in experiments:
            experiment.allow_checkpoints(room // len(experiments))

    def publish(self, snapshot: Snapshot, looks: Set[str]) -> None:
        """Publish a snapshot; listeners hear of changes in anything except numbers."""
        message = self.refusal or self.works.refusal or snapshot.message
        own = message, self._background, self.held_to
        if own != (snapshot.message, snapshot.background, snapshot.pace):
            message, background, pace = own
            snapshot = dataclasses.replace(
                snapshot, message=message, background=background, pace=pace
            )
        self._hand_out(snapshot, looks)

    @property
    def _background(self) -> BackgroundResults:
        """The results of background work; those of a lesson only beside its own experiment."""
        shown = self.works.shown
        return shown if self.on_stage else dataclasses.replace(shown, lesson=None)

    def tell_failure(self, error: Exception) -> None:
        """Publish that this experiment has failed; the last results stay visible."""
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
    results = snapshot.background
    works = results.lesson, results.checks, results.explained, results.traced, results.film
    other = snapshot.other and (snapshot.other.run, snapshot.other.config)
    branches = tuple(branch.run for branch in snapshot.branches), other
    told = snapshot.run, snapshot.status, snapshot.message, snapshot.config
    return *told, rules, pinned, branches, tuple(map(id, works))

"""The conductor's side of an experiment: its turns, its background work, and what it publishes.

Everything here is touched only by the thread that serves the experiment, or under the conductor's
lock while it moves from one thread to another.
"""

import dataclasses
import math
from collections.abc import Set

import msgspec

from engine.measure.snapshot import Snapshot, Status
from engine.runtime.background_jobs import BackgroundJobs
from engine.runtime.background_results import BackgroundResults
from engine.runtime.command_merging import replaces
from engine.runtime.experiment import Experiment
from engine.runtime.mailbox import Mailbox, Task
from engine.runtime.pace import AUTO, FULL, LessonPace, Pace, StepsDue, rate_of
from engine.runtime.run_transfer import RunTransfer, Sent
from engine.runtime.time_budget import TimeBudget
from engine.training.commands import Begin, GoTo, LookAhead, LookBack


class ExperimentSlot:
    """The place of an experiment in the conductor, for the thread that serves it alone."""

    def __init__(
        self, experiment: Experiment, mailbox: Mailbox["ExperimentSlot"], name: str = ""
    ) -> None:
        self.experiment, self.mailbox, self.name = experiment, mailbox, name
        self.due = 0.0  # the time of its next turn; 0 if it is not in the queue
        self.jobs = BackgroundJobs()
        self.budget = TimeBudget()  # the time budget of its commands
        self.slow = False  # whether its turns are too long for the main thread
        self.quick = 0  # consecutive short turns
        self.lesson_pace = LessonPace()
        self.steps_due = StepsDue()
        self._paced: tuple[Pace, int] | None = None  # what the steps per second were measured at
        self.needs = math.inf  # seconds of training in a period; infinity: all that it can get
        self.published = 0.0  # the time of the last frame after training
        self.own = experiment  # the visitor's own, also while a lesson's is served
        # The lesson's, also while the own one is served.
        self.lesson_experiment: Experiment | None = None

    # ---- its turns -----------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether there is training or background work to do."""
        experiment = self.experiment
        return experiment.status is Status.RUNNING or experiment.at_work or self.jobs.busy

    @property
    def lacks_requested(self) -> bool:
        """Whether a watcher waits for statistics that the latest snapshot lacks."""
        feed, measured = self.mailbox.feed, self.mailbox.measured
        return feed.wanted and (
            not feed.requested <= measured or feed.latest.pace != self.effective_pace
        )

    @property
    def effective_pace(self) -> Pace:
        """The effective pace: none while it replays steps that were seen before."""
        if self.lesson_pace.pace is not None and self.shows_lesson:
            return self.lesson_pace.pace
        return FULL if self.experiment.catches_up else self.mailbox.pace

    @property
    def rate(self) -> float:
        """Its current limit of steps a second."""
        return rate_of(self.effective_pace, self.experiment.since_change)

    # ---- commands and tasks ------------------------------------------------------------------

    @property
    def next(self) -> "Sent | Task[ExperimentSlot] | None":
        """The next command or task."""
        return self.mailbox.inbox[0] if self.mailbox.inbox else None

    @property
    def ready(self) -> bool:
        """Whether the next command or task can be processed now.

        While a step is rebuilt only another look is; all other commands are meant for that step.
        """
        at_once = isinstance(self.next, LookBack | LookAhead | GoTo | Begin | RunTransfer | Task)
        return self.next is not None and (at_once or not self.experiment.rebuilding)

    def take(self) -> "list[Sent] | Task[ExperimentSlot]":
        """The next task, or the next command after those that it replaces."""
        inbox = self.mailbox.inbox
        first = inbox.popleft()
        if isinstance(first, Task):
            return first
        taken = [first]
        while inbox and not isinstance(later := inbox[0], Task):
            if not replaces(later, taken[-1], self.experiment.config):
                break
            taken.append(later)
            inbox.popleft()
        self.mailbox.note_taken(len(taken))
        return taken

    @property
    def refusal(self) -> str:
        """Why the last command was refused; shown until the next one."""
        return self.mailbox.refusal

    @refusal.setter
    def refusal(self, reason: str) -> None:
        """Show this reason from the next snapshot on."""
        self.mailbox.refusal = reason

    # ---- a lesson's experiment in place of the own one -----------------------------------------

    @property
    def shows_lesson(self) -> bool:
        """Whether a lesson's experiment is served in place of the visitor's own."""
        return self.experiment is not self.own

    def show_lesson(self, experiment: Experiment) -> None:
        """Serve an experiment of a lesson; the visitor's own waits, and stays as it is."""
        # The page tells runs apart by their numbers.
        experiment.number_after(max(self.experiment.run, self.own.run))
        self.lesson_experiment = self.experiment = experiment

    def show_own(self) -> None:
        """Serve the visitor's own experiment again; a lesson in progress waits."""
        if self.shows_lesson:
            self.jobs.pause("lesson")
            self.experiment = self.own

    def take_up(self, run: RunTransfer) -> None:
        """Go on with a run as the visitor's own, also from within a lesson."""
        shown = self.experiment.run
        if self.shows_lesson:
            self.show_own()
            # The page tells runs apart by their numbers.
            self.own.number_after(max(shown, self.own.run))
        self.own.take_up(run)

    def return_to_lesson(self) -> None:
        """Serve the lesson's experiment again, and go on with the lesson."""
        if self.lesson_experiment and not self.shows_lesson:
            self.experiment = self.lesson_experiment
            self.jobs.resume("lesson")

    @property
    def wants_checkpoints(self) -> int:
        """Bytes with which any step of its own experiment and of a lesson's is soon rebuilt."""
        return sum(x.wants_checkpoints for x in (self.own, self.lesson_experiment) if x)

    def allow_checkpoints(self, max_bytes: int) -> None:
        """Keep the checkpoints of its own experiment and of a lesson's in so many bytes."""
        wanted = {x: x.wants_checkpoints for x in (self.own, self.lesson_experiment) if x}
        for experiment, wants in wanted.items():
            experiment.allow_checkpoints(max_bytes * wants // sum(wanted.values()))

    # ---- what it publishes ---------------------------------------------------------------------

    def publish(self, snapshot: Snapshot, requested: Set[str]) -> None:
        """Publish a snapshot, with what the slot adds: background work, refusals and the pace."""
        if self._paced != (paced := (self.effective_pace, self._slow_from)):
            self._paced = paced
            self.experiment.forget_rate()
            snapshot = msgspec.structs.replace(snapshot, steps_per_second=0.0)
        message = self.refusal or self.jobs.shown.failure or snapshot.message
        own = message, self._background, self.effective_pace
        if own != (snapshot.message, snapshot.background, snapshot.pace):
            message, background, pace = own
            snapshot = msgspec.structs.replace(
                snapshot, message=message, background=background, pace=pace
            )
        self._publish(snapshot, requested)

    @property
    def _slow_from(self) -> int:
        """The step from which auto counts; 0 at a fixed pace."""
        auto = self.effective_pace == AUTO
        return self.experiment.step - self.experiment.since_change if auto else 0

    @property
    def _background(self) -> BackgroundResults:
        """The results of background work; those of a lesson only beside its own experiment."""
        shown = self.jobs.shown
        hidden = shown.lesson is not None and not self.shows_lesson
        return dataclasses.replace(shown, lesson=None) if hidden else shown

    def fail(self, error: Exception) -> None:
        """Publish that this experiment has failed; the last results stay visible."""
        self.experiment.status = Status.FAILED
        text = f"{type(error).__name__}: {error}. Restart to try again."
        latest = self.mailbox.feed.latest
        failed = msgspec.structs.replace(latest, status=Status.FAILED, message=text)
        self._publish(failed, frozenset())

    def _publish(self, snapshot: Snapshot, requested: Set[str]) -> None:
        self.mailbox.waits_at = self.own.step if self.shows_lesson else None
        self.mailbox.publish(snapshot, requested)

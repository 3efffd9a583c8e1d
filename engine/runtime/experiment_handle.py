"""The use of an experiment from outside the conductor: commands in, snapshots out."""

from collections.abc import Callable, Hashable, Set
from concurrent.futures import Future

from engine.measure.snapshot import Snapshot
from engine.runtime.experiment import Experiment
from engine.runtime.experiment_slot import ExperimentSlot
from engine.runtime.mailbox import Mailbox, Task
from engine.runtime.pace import Pace
from engine.runtime.run_transfer import Sent
from engine.runtime.snapshot_feed import Deliver

MOST_PENDING = 1000  # queued commands and tasks of one visitor


class ExperimentHandle:
    """An experiment with the conductor, for any thread; never touches the experiment itself."""

    def __init__(
        self, mailbox: Mailbox[ExperimentSlot], wake: Callable[[], None], name: str = ""
    ) -> None:
        self._mailbox, self._wake = mailbox, wake
        self.name = name  # in the operator's log

    # ---- in ------------------------------------------------------------------------------------

    def send(self, command: Sent) -> None:
        """Queue a command; `process_commands` applies it soon, between two steps.

        Commands stay in order, and only one that the next replaces entirely is dropped.
        """
        if len(self._mailbox.inbox) >= MOST_PENDING:
            text = f"More than {MOST_PENDING:,} commands wait: this one is dropped."
            self._mailbox.refusal = text
            return
        self._mailbox.post(command)
        self._wake()

    @property
    def pace(self) -> Pace:
        """The pace of the visitor's run, as it was set last."""
        return self._mailbox.pace

    def set_pace(self, pace: Pace) -> None:
        """Set the pace of the run."""
        self._mailbox.pace = pace
        self._wake()

    def query[T](self, function: Callable[[Experiment], T]) -> Future[T]:
        """Call a function with the experiment soon, between two steps, and return its result.

        It is called on the thread that serves the experiment, and must not change it.
        """
        return self.submit(lambda slot: function(slot.experiment))

    def submit[T](self, change: Callable[[ExperimentSlot], T]) -> Future[T]:
        """Call a function with the experiment's slot soon, between two steps.

        It is called on the thread that serves the experiment. It may begin and end background work,
        and have an experiment of a lesson served.
        """
        future: Future[T] = Future()
        if len(self._mailbox.inbox) >= MOST_PENDING:
            future.cancel()
            return future
        self._mailbox.post(Task(change, future))
        self._wake()
        if self.left:
            self._mailbox.cancel_tasks()
        return future

    # ---- out -----------------------------------------------------------------------------------

    def wait(
        self, who: Hashable, version: int, deliver: Deliver, requested: Set[str] = frozenset()
    ) -> None:
        """Call `deliver(snapshot, its version)` once, as soon as there is one newer than `version`.

        It is called from this thread or the conductor's, and must be quick. A later call with the
        same `who` replaces the earlier one. `requested` are fields of `OnDemandStatistics`, to be
        measured for the following snapshots.
        """
        ready = self._mailbox.feed.wait(who, version, deliver, requested)
        told = requested <= self._mailbox.measured and self.latest.pace == self.pace
        if not ready and not told:  # a run that waits has a turn only if it is woken
            self._wake()

    def forget(self, who: Hashable) -> None:
        """Drop the request of a watcher who has left."""
        self._mailbox.feed.forget(who)

    @property
    def latest(self) -> Snapshot:
        """The latest snapshot."""
        return self._mailbox.feed.latest

    @property
    def version(self) -> int:
        """The number of the latest snapshot: how many there have been."""
        return self._mailbox.feed.version

    @property
    def settled(self) -> bool:
        """Whether the latest snapshot includes all commands sent."""
        return self._mailbox.settled

    @property
    def requested(self) -> Set[str]:
        """The statistics that watchers request in addition to the snapshot."""
        return self._mailbox.feed.requested

    @property
    def waits_at(self) -> int | None:
        """The step at which the visitor's own run waits; None unless a lesson's is served."""
        return self._mailbox.waits_at

    @property
    def on_change(self) -> Callable[[Snapshot], None]:
        """Called on the conductor's thread when anything except numbers has changed."""
        return self._mailbox.on_change

    @on_change.setter
    def on_change(self, callback: Callable[[Snapshot], None]) -> None:
        """Call this function from now on."""
        self._mailbox.on_change = callback

    @property
    def left(self) -> bool:
        """Whether the conductor no longer serves it."""
        return self._mailbox.closed

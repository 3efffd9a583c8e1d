"""One thread that serves experiments in turn: each trains for its share once per frame period.

Turns for queued commands alternate with turns for training. Commands cost time from a budget that
fills at the rate of the experiment's share, so that nobody waits for more than one turn of each of
the others, however many commands somebody sends. At a pace, only the steps that are due are made;
what is left of such shares goes to those that could use more, a piece at a time. Somebody who
looks back waits for the step, and so gets much more than an even share while it is rebuilt.
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
from engine.runtime.command_processing import process_commands
from engine.runtime.command_turns import CommandTurns
from engine.runtime.experiment_slot import ExperimentSlot
from engine.runtime.pace import EACH
from engine.runtime.run_transfer import Sent
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
LOOKING_BACK = 0.5  # share of the time of all who look back, since they wait for what they see
PIECE = 0.02  # seconds of a turn that is longer than an equal share of the time
FRAME = 0.9  # of a period: one that has several turns in a period is shown once in that time
COMMAND_TURN = 0.02  # seconds of one visitor's commands, after which the next one gets a turn


class Scheduler(Protocol):
    """What a queue requests of the conductor, which sees all experiments."""

    lock: threading.RLock
    period: float  # seconds between two frames
    clock: Callable[[], float]
    work: Callable[[], float]  # CPU seconds of the calling thread
    must_yield: Callable[[], bool]  # whether the process has more urgent work

    @property
    def load(self) -> float:
        """The share of the time for training that keeps the frames of most in time."""

    def checkpoints(self, slot: ExperimentSlot) -> int:
        """Bytes that an experiment may use for checkpoints."""

    @property
    def trained(self) -> int:
        """How many experiments wait for their next turn of training."""

    def alone(self, slot: ExperimentSlot) -> bool:
        """Whether no other experiment has anything to do."""

    def refuse(self, slot: ExperimentSlot, command: Sent) -> str:
        """Why a command is refused; empty: it is not."""

    def needs_other_thread(self, slot: ExperimentSlot) -> bool:
        """Whether its next action needs another thread."""

    def moved(self, slot: ExperimentSlot) -> bool:
        """Whether another thread serves it from now on."""

    def note_overrun(self, slot: ExperimentSlot, seconds: float) -> None:
        """Record by how much its turn was longer than its share."""


class RunQueue:
    """Experiments and the order of their turns; its thread serves them."""

    def __init__(
        self, scheduler: Scheduler, start: Callable[["RunQueue"], threading.Thread]
    ) -> None:
        self._scheduler = scheduler
        self._start = start
        self._clock = Steady(scheduler.clock)
        self.changed = threading.Condition(scheduler.lock)
        self._slots: set[ExperimentSlot] = set()
        # Experiments with a command or query, in order.
        self._called: dict[ExperimentSlot, None] = {}
        # Experiments that train, by the time of their next turn.
        self._due: list[tuple[float, int, ExperimentSlot]] = []
        self._order = itertools.count()
        self._was_called = False  # whether the last turn was for a command or query
        self._serves: ExperimentSlot | None = None
        self._load = LOAD
        self._commands = TimeBudget(TOGETHER)  # of all visitors, in the long run
        self._turns = CommandTurns[ExperimentSlot]()
        self.overdue = Overdue(scheduler.clock)
        self.thread: threading.Thread | None = None

    def __len__(self) -> int:
        return len(self._slots)

    def __contains__(self, slot: ExperimentSlot) -> bool:
        return slot in self._slots

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

    def add(self, slot: ExperimentSlot) -> None:
        """Add an experiment."""
        with self.changed:
            self._slots.add(slot)
            slot.due = 0.0
            if self.thread is None:
                self.thread = self._start(self)
            self.call(slot)

    def remove(self, *slots: ExperimentSlot) -> None:
        """Remove these experiments."""
        with self.changed:
            self._slots.difference_update(slots)
            self._turns.leave(*slots)
            self._called = {slot: None for slot in self._called if slot in self._slots}
            self._due = [entry for entry in self._due if entry[2] in self._slots]
            heapq.heapify(self._due)
            self.changed.notify()

    def clear(self) -> None:
        """Remove all experiments."""
        self.remove(*self._slots)

    def call(self, slot: ExperimentSlot) -> None:
        """Schedule an experiment that has a command, a query, or a watcher with a new request."""
        with self.changed:
            if slot.due and not slot.budget.solvent:
                return  # its budget is empty until its next turn, which is scheduled
            if slot in self._slots:
                self._called[slot] = None
                self.changed.notify()

    def works_for_others(self, slot: ExperimentSlot) -> bool:
        """Whether another experiment trains, or has its turn."""
        with self.changed:
            if self._serves not in (None, slot):
                return True
            return any(other is not slot and other.busy for _, _, other in self._due)

    # ---- whose turn it is ----------------------------------------------------------------------

    def _left(self) -> float:
        """Seconds until the next slice is due."""
        return self._due[0][0] - self._clock() if self._due else math.inf

    def _next(self) -> tuple[ExperimentSlot, bool] | None:
        """The next experiment and whether its slice is due; None if no turn is due."""
        left = self._left()
        self._turns.fill(self._clock())
        called = self._turns.first or next(iter(self._called), None)
        self._was_called = called is not None and not (left <= 0 and self._was_called)
        if called and self._was_called:
            self._called.pop(called, None)
            return called, False
        return (heapq.heappop(self._due)[2], True) if left <= 0 else None

    def _wait(self) -> bool:
        """Wait until a turn may be due; False when no experiment is left."""
        with self.changed:
            if not self._slots:
                self.thread = None
                return False
            if not self._called and (left := min(self._left(), self._turns.wait)) > 0:
                self.changed.wait(None if left == math.inf else left)
            return True

    # ---- on the thread -------------------------------------------------------------------------

    def run(self) -> None:
        """Serve until no experiment is left."""
        while self._wait():
            self.serve()

    def serve(self) -> bool:
        """Serve the next experiment; False if no turn is due."""
        with self.changed:
            turn = self._next()
        if turn is None:
            return False
        slot, due = turn
        if self._scheduler.moved(slot):
            return True
        self._serves = slot
        self.overdue.begin(slot.name, self._clock() - slot.due if due else 0.0)
        begun, share = self._scheduler.work(), 0.0
        try:
            share = self._turn(slot, due)
        except Exception as error:
            log.exception("an experiment failed")
            _publish_failure(slot, error)
        finally:
            self.overdue.end()
            self._serves = None
        self._scheduler.note_overrun(slot, self._scheduler.work() - begun - share)
        return True

    def _turn(self, slot: ExperimentSlot, due: bool) -> float:
        """Process its commands and train it; returns the seconds that it had for training."""
        planned, now = slot.due, self._clock()
        if due:
            slot.due = 0.0
            self.adapt_load(now - planned)
        alone = self._scheduler.alone(slot)
        share, part = self.share(slot, alone)
        beat = planned + part * self._scheduler.period
        even = (LOAD_ALONE if alone else LOAD) / (len(self._due) + 1)
        rate = COMMANDS * max(even, self._share_of_looking_back(slot, _looks_back))
        slot.budget.fill(now, rate)
        self._commands.fill(now, TOGETHER)
        if (alone and slot.ready) or (not alone and self._admits(slot)):
            self._process(slot)
        elif slot.lacks_requested:
            _show(slot)
        if due and slot.busy:
            # A command that begins to rebuild a step has paid for that alone, not for the steps.
            trains = alone or slot.budget.solvent or slot.experiment.at_work
            self._slice(slot, share if trains else 0.0, beat, part)
        slot.allow_checkpoints(self._scheduler.checkpoints(slot))
        now, wait = self._clock(), _wait(slot)
        if slot.due and slot.due <= now + max(wait, self._scheduler.period):
            return share
        if slot.busy:  # at regular times; a delay is made up for only where somebody waits
            least = now - self._scheduler.period if _waited_for(slot) else now + wait
            self._enqueue(slot, max(beat, least) if due else now)
        elif slot.next and slot not in self._turns:
            self._enqueue(slot, self._clock() + (0.0 if alone else slot.budget.wait(rate)))
        return share

    def share(self, slot: ExperimentSlot, alone: bool) -> tuple[float, float]:
        """Seconds of training in this turn, and the part of a period until the next one.

        A slow queue shares the core with the main one: with a larger share, all of it for the few
        that it serves, it would make the frames of all others late.
        """
        load = min(self._load, self._scheduler.load)
        if self._scheduler.must_yield():
            load = LEAST_LOAD
        elif alone:
            load *= LOAD_ALONE / LOAD
        served = max(len(self._due) + 1, (self._scheduler.trained + 1) / SHARES)
        equal = load * self._scheduler.period / served
        if looking_back := self._share_of_looking_back(slot, _waited_for) * self._scheduler.period:
            share = max(equal, looking_back)
            turn = min(share, max(equal, PIECE))
            return turn, turn / share
        if slot.needs < equal:
            return equal, 1.0
        modest = [needs for _, _, other in self._due if (needs := other.needs) < equal]
        left = sum(equal - needs for needs in modest)
        share = equal + left / (1 + len(self._due) - len(modest))
        turn = min(share, max(equal, PIECE))
        return turn, turn / share if share > 0 else 1.0

    def _share_of_looking_back(
        self, slot: ExperimentSlot, counts: Callable[[ExperimentSlot], bool]
    ) -> float:
        """An even part of `LOOKING_BACK` among all that this counts; 0 for all others."""
        if not counts(slot):
            return 0.0
        with self.changed:
            return LOOKING_BACK / max(1, sum(map(counts, self._slots)))

    def _admits(self, slot: ExperimentSlot) -> bool:
        """Whether it is the turn of this one's commands."""
        with self.changed:
            if slot.ready and slot.budget.solvent and slot in self._slots:
                return self._turns.admits(slot)
            self._turns.leave(slot)
            return False

    def _process(self, slot: ExperimentSlot) -> None:
        self._turns.leave(slot)
        begun = self._clock()

        def goes_on() -> bool:
            in_time = self._clock() - begun < COMMAND_TURN
            return in_time and not self._scheduler.needs_other_thread(slot)

        process_commands(slot, self._scheduler.refuse, goes_on)
        self._pay(slot, self._clock() - begun)
        if slot.experiment.since_change == 0:
            slot.steps_due.ask()
        # With an empty budget the effect is published with the next slice, if there is one.
        if slot.budget.solvent or not slot.busy:
            begun = self._clock()
            _show(slot)  # the first frame of a run draws everything anew
            self._pay(slot, self._clock() - begun)

    def _pay(self, slot: ExperimentSlot, seconds: float) -> None:
        """Charge a visitor; debts are forgiven later while all together spend too much."""
        self._commands.pay(seconds)
        self._turns.pay(seconds)
        slot.budget.pay(seconds, PATIENCE if self._commands.solvent else CROWDED)

    def _slice(self, slot: ExperimentSlot, seconds: float, beat: float, part: float) -> None:
        experiment = slot.experiment
        if slot.jobs.busy:  # a visitor waits for it, so it gets the larger part
            training = experiment.status is Status.RUNNING
            seconds -= slot.jobs.advance(WORK * seconds if training else seconds, self._clock)
        at_once = experiment.at_work  # a past step, for instance, is rebuilt as fast as possible
        slot.needs = math.inf  # as much as there is, unless it keeps its pace with less
        steps = experiment.advance(seconds) if at_once else self._train(slot, seconds)
        done = at_once and not experiment.at_work
        wanted = slot.mailbox.feed.wanted and (done or self._frame_due(slot, part))
        # At a slow pace every step is published, even if no watcher waits for it.
        if wanted or not slot.busy or (steps and _wait(slot) > self._scheduler.period):
            requested = slot.mailbox.feed.requested
            slot.publish(experiment.cached_snapshot(requested), requested)
            slot.published = self._clock()
        # Without other experiments in the queue, no later turn would measure the delay.
        if not self._due and steps > 1:
            self.adapt_load(self._clock() - beat)

    def _train(self, slot: ExperimentSlot, seconds: float) -> int:
        """Make the steps due at its pace within so many seconds; returns their number."""
        rate, period = slot.rate, self._scheduler.period
        due = slot.steps_due.count(rate, self._clock(), period)
        apart = 1 if rate <= EACH else rate * period
        begun = self._scheduler.work()
        steps = slot.experiment.advance(max(1.0, 1 / (rate * period)) * seconds, due, apart)
        slot.steps_due.made(steps)
        if steps == due and not slot.jobs.busy:
            slot.needs = self._scheduler.work() - begun
        return steps

    def _frame_due(self, slot: ExperimentSlot, part: float) -> bool:
        """Whether there is to be a frame: one a period, however many turns there are in it."""
        since = self._clock() - slot.published
        return part >= 1 or since >= FRAME * self._scheduler.period

    def adapt_load(self, late: float) -> None:
        """Lower the training share if a turn was late by so many seconds, else raise it."""
        change = LESS if late > TOLERABLE * self._scheduler.period else MORE
        self._load = min(LOAD, max(LEAST_LOAD, self._load * change))

    def _enqueue(self, slot: ExperimentSlot, due: float) -> None:
        with self.changed:
            if slot in self._slots:
                if slot.due:  # it was scheduled for later
                    self._due = [entry for entry in self._due if entry[2] is not slot]
                    heapq.heapify(self._due)
                slot.due = due
                heapq.heappush(self._due, (due, next(self._order), slot))


def _looks_back(slot: ExperimentSlot) -> bool:
    return slot.experiment.looks_back


def _waited_for(slot: ExperimentSlot) -> bool:
    return slot.experiment.at_work


def _wait(slot: ExperimentSlot) -> float:
    """Seconds until a run has something to do at its pace."""
    at_once = slot.jobs.busy or slot.experiment.at_work
    return 0.0 if at_once else slot.steps_due.wait(slot.rate)


def _show(slot: ExperimentSlot) -> None:
    requested = slot.mailbox.feed.requested
    slot.publish(slot.experiment.snapshot(requested), requested)


def _publish_failure(slot: ExperimentSlot, error: Exception) -> None:
    try:
        slot.fail(error)
    except Exception:  # of a listener; it must not end the thread
        log.exception("a listener failed when it was notified of a failed experiment")

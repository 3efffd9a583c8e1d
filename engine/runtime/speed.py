"""How fast a run is trained, and how much training time has passed since it was measured."""

from collections import deque
from collections.abc import Callable

SHORT = 0.3  # seconds in which a rate by the clock is a guess: a step in 20 ms is no 50 a second


class StepRate:
    """Measures steps per second over about the last second; 0 while it knows too little of it."""

    def __init__(self, least: float = 0.0) -> None:
        self._least = least  # seconds below which a rate would be a guess
        self._marks: deque[tuple[int, float]] = deque(maxlen=1000)

    def rest(self) -> None:
        """Forget what was before a pause, in which no step was due."""
        self._marks.clear()

    def rate(self, step: int, now: float) -> float:
        """The rate, given the step reached at the time `now`, in seconds."""
        marks = self._marks
        marks.append((step, now))
        while len(marks) > 2 and marks[1][1] < now - 1:
            marks.popleft()
        first, since = marks[0]
        return (step - first) / (now - since) if now - since > self._least else 0.0


class Speed:
    """The speed of one run: by the clock, and by the seconds of pure training."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._rate, self._effort = StepRate(SHORT), StepRate()
        self._rested_at: int | None = None  # the step at which it began, or went on
        self._trained = 0.0  # seconds in all
        self._unmeasured = 0.0  # seconds since the last measurement, idle ones included

    def note(self, trained: float, idle: float) -> None:
        """A slice of training is over.

        Idle time at a pace counts for measuring: the run is measured as often as at full speed.
        """
        self._trained += trained
        self._unmeasured += trained + idle

    def take_unmeasured(self) -> float:
        """The seconds since the last measurement, which is made now."""
        seconds, self._unmeasured = self._unmeasured, 0.0
        return seconds

    def by_clock(self, step: int) -> float:
        """Steps a second over about the last second, of a run that runs.

        The first step is due at once: those after it are counted.
        """
        if self._rested_at is None:
            self._rested_at = step
        if step == self._rested_at:
            return 0.0
        return self._rate.rate(step, self._clock())

    def at_rest(self) -> float:
        """Steps a second of a run that waits: none."""
        self._rate.rest()
        self._rested_at = None
        return 0.0

    def by_training(self, step: int) -> float:
        """Steps a second of pure training."""
        return self._effort.rate(step, self._trained)

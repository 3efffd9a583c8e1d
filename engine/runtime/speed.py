"""How fast a run is trained, and how much training time has passed since it was measured."""

from collections.abc import Callable

from engine.measure.snapshot import StepRate


class Speed:
    """The speed of one run: by the clock, and by the seconds of pure training."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._rate, self._effort = StepRate(), StepRate()
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
        """Steps a second over about the last second."""
        return self._rate.rate(step, self._clock())

    def by_training(self, step: int) -> float:
        """Steps a second of pure training."""
        return self._effort.rate(step, self._trained)

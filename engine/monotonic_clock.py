"""Time that only ever passes: what is planned by it neither waits for hours nor hurries after."""

from collections.abc import Callable

LONGEST = 1.0  # seconds that can pass between two looks at the clock


class Steady:
    """A clock that stands still when another one goes back, and takes its leaps for a second.

    A machine that slept, or was moved while it ran, may have such a clock. No slice of training
    would end, or no instrument could afford to measure again.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = clock()
        self._now = 0.0

    def __call__(self) -> float:
        """Seconds since it was made."""
        last, self._last = self._last, self._clock()
        self._now += min(max(0.0, self._last - last), LONGEST)
        return self._now

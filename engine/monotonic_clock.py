"""A clock that never goes back and never leaps, whatever the machine's clock does."""

from collections.abc import Callable

LONGEST = 1.0  # seconds that can pass between two readings


class Steady:
    """Stands still while the machine's clock goes back, and counts a leap as one second.

    The clock of a machine that slept, or was migrated while running, may do both. Otherwise a slice
    of training might never end, or no instrument could afford to measure again.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = clock()
        self._now = 0.0

    def __call__(self) -> float:
        """Seconds since the clock was created."""
        last, self._last = self._last, self._clock()
        self._now += min(max(0.0, self._last - last), LONGEST)
        return self._now

"""The one place where a test waits: for something to come, never for time to pass.

No test says how long anything takes. Whatever depends on time gets a clock of the test's own, and
how quick the program is stands in `tests/bench`.
"""

import time
from collections.abc import Callable

PATIENCE = 180.0  # seconds after which what is waited for will not come, on the slowest machine
RUNNING = time.perf_counter  # a clock for what needs one that runs by itself
LOOK = 0.01  # seconds from one look to the next


def wait_until(
    condition: Callable[[], object], sleep: Callable[[float], object] = time.sleep
) -> None:
    """Return as soon as `condition()` holds; what is found instead of it is told in the end."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain: {found}"
        sleep(LOOK)


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Ticking(Clock):
    """Time of which so much passes with each look at the clock."""

    def __init__(self, tick: float) -> None:
        super().__init__()
        self._tick = tick

    def __call__(self) -> float:
        self.now += self._tick
        return self.now

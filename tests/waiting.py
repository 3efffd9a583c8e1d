"""The only place where tests wait: for a condition, never for time to pass.

No test has a time limit. Code that depends on time gets a clock that the test controls; how fast
the program is, `tests/bench` measures.
"""

import time
from collections.abc import Callable

PATIENCE = 180.0  # seconds after which a condition fails, even on the slowest machine
RUNNING = time.perf_counter  # for code that needs a clock that runs by itself
LOOK = 0.01  # seconds between two checks


def wait_until(
    condition: Callable[[], object], sleep: Callable[[float], object] = time.sleep
) -> None:
    """Return as soon as `condition()` holds; what is found instead of it is told in the end."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain: {found}"
        sleep(LOOK)


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Ticking(Clock):
    """A clock that moves by a fixed amount at each reading."""

    def __init__(self, tick: float) -> None:
        super().__init__()
        self._tick = tick

    def __call__(self) -> float:
        self.now += self._tick
        return self.now

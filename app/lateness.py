"""How late the server is: what every visitor feels when it has more to do than it can."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable

log = logging.getLogger(__name__)

PERIOD = 0.1  # seconds from one measurement to the next
WINDOW = 10.0  # seconds for which one counts, and from one warning to the next
NOTABLE = 0.5  # seconds that are worth a warning


class Lateness:
    """Measures how late the event loop comes to what falls due, ten times a second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._recent: deque[tuple[float, float]] = deque()  # when, and how late
        self._warned = -WINDOW

    def begin(self) -> None:
        """Measure from now on; called on the loop that is to be measured."""
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            due = self._clock() + PERIOD
            await asyncio.sleep(PERIOD)
            self.note(self._clock() - due)

    def note(self, late: float) -> None:
        """Take a measurement in, in seconds; one that is worth it goes to the log."""
        now = self._clock()
        if self._recent and now < self._recent[-1][0]:  # it was put back: what it said is void
            self._recent.clear()
            self._warned = now - WINDOW
        self._recent.append((now, late))
        while self._recent[0][0] < now - WINDOW:
            self._recent.popleft()
        if late > NOTABLE and now - self._warned >= WINDOW:
            self._warned = now
            log.warning("the server was %.1f s late for everybody: too much to do at once", late)

    @property
    def worst(self) -> float:
        """The worst of the last ten seconds, in seconds."""
        return max((late for _, late in list(self._recent)), default=0.0)


LATENESS = Lateness()

"""How late the server is: what every visitor feels when it has more to do than it can.

Two threads keep a class waiting if they are held up: the event loop, and the one that trains.
"""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Callable

from engine import Delay

log = logging.getLogger(__name__)

PERIOD = 0.1  # seconds from one measurement to the next
WINDOW = 10.0  # seconds for which one counts, and from one warning to the next
BEHIND = 0.1  # seconds late at which the loop has more to do than it is given time for
NOTABLE = 0.5  # seconds that are worth a warning


class Lateness:
    """Measures how late the event loop comes to what falls due, ten times a second.

    What it is told of the thread that trains goes to the log as well.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        of_engine: Callable[[], Delay] = Delay,
    ) -> None:
        self._clock = clock
        self.of_engine = of_engine
        self._told = -WINDOW  # when the log was last told of the engine
        self._recent: deque[tuple[float, float]] = deque()  # when, and how late
        self._warned = -WINDOW
        self._due = math.inf  # when the next measurement is
        self._late = 0.0  # the latest one, in seconds

    def begin(self) -> None:
        """Measure from now on; called on the loop that is to be measured."""
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            self._due = self._clock() + PERIOD
            await asyncio.sleep(PERIOD)
            self.note(self._clock() - self._due)
            self.note_engine(self.of_engine())

    def note(self, late: float) -> None:
        """Take a measurement in, in seconds; one that is worth it goes to the log."""
        now, self._late = self._clock(), late
        if self._recent and now < self._recent[-1][0]:  # it was put back: what it said is void
            self._recent.clear()
            self._warned = self._told = now - WINDOW
        self._recent.append((now, late))
        while self._recent[0][0] < now - WINDOW:
            self._recent.popleft()
        if late > NOTABLE and now - self._warned >= WINDOW:
            self._warned = now
            log.warning("the server was %.1f s late for everybody: too much to do at once", late)

    def note_engine(self, delay: Delay) -> None:
        """Take in how long somebody waited for a frame; what is worth it goes to the log."""
        now = self._clock()
        if delay.seconds > NOTABLE and now - self._told >= WINDOW:
            self._told = now
            log.warning(
                "a frame of %s was %.1f s late; the longest turn meanwhile was that of %s",
                *(_named(delay.of), delay.seconds, _named(delay.held_by)),
            )

    @property
    def behind(self) -> bool:
        """Whether the loop is late just now: training has to leave it more of the processor."""
        return max(self._late, self._clock() - self._due) > BEHIND

    @property
    def worst(self) -> float:
        """The worst of the last ten seconds, in seconds."""
        return max((late for _, late in list(self._recent)), default=0.0)


def _named(visitor: str) -> str:
    return f"visitor {visitor}" if visitor else "a visitor"


LATENESS = Lateness()

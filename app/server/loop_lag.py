"""Measures how late the server is, and warns the operator.

Two threads serve everybody, and so can delay everybody: the event loop, and the one that trains.
"""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Callable

from engine import Delay

log = logging.getLogger(__name__)

PERIOD = 0.1  # seconds between two measurements
WINDOW = 10.0  # seconds for which a measurement counts, and between two warnings
BEHIND = 0.1  # seconds late from which training yields to the loop
NOTABLE = 0.5  # seconds that are worth a warning


class Lateness:
    """Measures the delay of the event loop's timers, ten times a second.

    Delays that `of_engine` reports of the training thread go to the log as well.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        of_engine: Callable[[], Delay] = Delay,
    ) -> None:
        self._clock = clock
        self.of_engine = of_engine
        self._engine_warned = -WINDOW  # when the engine's delay was last logged
        self.recent: deque[tuple[float, float]] = deque()  # time and delay
        self._warned = -WINDOW
        self._due = math.inf  # when the next timer should fire
        self._late = 0.0  # the last delay, in seconds

    def begin(self) -> None:
        """Start to measure; called on the loop that is to be measured."""
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            self._due = self._clock() + PERIOD
            await asyncio.sleep(PERIOD)
            self.note(self._clock() - self._due)
            self.note_engine(self.of_engine())

    def note(self, late: float) -> None:
        """Add a delay of the loop, in seconds; a long one is logged."""
        now, self._late = self._clock(), late
        if (
            self.recent and now < self.recent[-1][0]
        ):  # the clock was set back: forget the earlier times
            self.recent.clear()
            self._warned = self._engine_warned = now - WINDOW
        self.recent.append((now, late))
        while self.recent[0][0] < now - WINDOW:
            self.recent.popleft()
        if late > NOTABLE and now - self._warned >= WINDOW:
            self._warned = now
            log.warning("the server was %.1f s late for everybody: too much to do at once", late)

    def note_engine(self, delay: Delay) -> None:
        """Add the longest delay of a frame; a long one is logged."""
        now = self._clock()
        if delay.seconds > NOTABLE and now - self._engine_warned >= WINDOW:
            self._engine_warned = now
            log.warning(
                "a frame of %s was %.1f s late; the longest turn meanwhile was that of %s",
                *(_named(delay.of), delay.seconds, _named(delay.held_by)),
            )

    @property
    def behind(self) -> bool:
        """Whether the loop is late now, so that training should leave it more of the processor."""
        return max(self._late, self._clock() - self._due) > BEHIND

    @property
    def worst(self) -> float:
        """The longest delay of the loop in the last ten seconds, in seconds."""
        return max((late for _, late in list(self.recent)), default=0.0)


def _named(visitor: str) -> str:
    return f"visitor {visitor}" if visitor else "a visitor"


LATENESS = Lateness()

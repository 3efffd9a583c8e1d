"""Records how late a thread serves visitors, who waited, and who caused it, for the operator."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

WINDOW = 10.0  # seconds for which a delay counts
NOTED = 0.05  # seconds, from which on a delay is recorded


@dataclass(frozen=True, slots=True)
class Delay:
    """A visitor's wait for a turn, and whose turn it was meanwhile."""

    seconds: float = 0.0
    of: str = ""  # the visitor who waited; empty if unknown
    held_by: str = ""  # the visitor with the longest recent turn


class Overdue:
    """Records the delays of one thread; other threads may read them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._turn: tuple[float, str] | None = None  # start and visitor
        self._delays: deque[tuple[float, float, str]] = deque()  # time, seconds, visitor who waited
        self._turns: deque[tuple[float, float, str]] = deque()  # time, seconds, visitor

    def begin(self, who: str, late: float) -> None:
        """A turn begins, so many seconds late."""
        now = self._clock()
        _keep(self._delays, now, late, who)
        self._turn = now, who

    def end(self) -> None:
        """The turn has ended."""
        if self._turn:
            begun, who = self._turn
            self._turn = None
            now = self._clock()
            _keep(self._turns, now, now - begun, who)

    @property
    def held(self) -> float:
        """Seconds of the current turn."""
        turn = self._turn
        return max(0.0, self._clock() - turn[0]) if turn else 0.0

    @property
    def worst(self) -> Delay:
        """The longest recent delay; a turn in progress counts, too."""
        turn, now = self._turn, self._clock()
        since = now - WINDOW
        turns = [(seconds, who) for when, seconds, who in list(self._turns) if when >= since]
        delays = [(seconds, who) for when, seconds, who in list(self._delays) if when >= since]
        if turn:
            turns.append((now - turn[0], turn[1]))
            delays.append((now - turn[0], ""))
        seconds, of = max(delays, default=(0.0, ""))
        return Delay(seconds, of, max(turns, default=(0.0, ""))[1])


def _keep(kept: deque[tuple[float, float, str]], now: float, seconds: float, who: str) -> None:
    while kept and not now - WINDOW <= kept[0][0] <= now:
        kept.popleft()
    if seconds >= NOTED:
        kept.append((now, seconds, who))

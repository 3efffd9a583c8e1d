"""How late a thread that serves many is, who waited, and who held it: for the operator."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

WINDOW = 10.0  # seconds for which a delay counts
NOTED = 0.05  # seconds of one that is worth being kept


@dataclass(frozen=True, slots=True)
class Delay:
    """Somebody waited so long for his turn, and somebody else had his meanwhile."""

    seconds: float = 0.0
    of: str = ""  # the visitor who waited; empty: whoever was next
    held_by: str = ""  # the visitor with the longest turn of late


class Overdue:
    """Keeps the delays of one thread; read from others."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._turn: tuple[float, str] | None = None  # since when, and whose
        self._delays: deque[tuple[float, float, str]] = deque()  # when, how long, who waited
        self._turns: deque[tuple[float, float, str]] = deque()  # when, how long, whose it was

    def begin(self, who: str, late: float) -> None:
        """A turn begins, so many seconds after it was due."""
        now = self._clock()
        _keep(self._delays, now, late, who)
        self._turn = now, who

    def end(self) -> None:
        """It is over."""
        if self._turn:
            begun, who = self._turn
            self._turn = None
            now = self._clock()
            _keep(self._turns, now, now - begun, who)

    @property
    def held(self) -> float:
        """Seconds that the turn of now has lasted."""
        turn = self._turn
        return max(0.0, self._clock() - turn[0]) if turn else 0.0

    @property
    def worst(self) -> Delay:
        """The longest of late; a turn that still goes on keeps somebody waiting, too."""
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

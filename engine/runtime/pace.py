"""How many steps a second a run makes before those who watch it; no step computes anything else.

A network of a class learns in half a second, and a person watches for minutes. So whoever watches
sets a pace. It belongs to the thread that serves the run: not to its config, nor to its journal.
"""

import math
from typing import Final, Literal

type Pace = float | Literal["auto"]  # steps a second at most; "auto" depends on the run

AUTO: Final = "auto"
FULL: Final = math.inf
FIXED: Final = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
PACES: Final[tuple[Pace, ...]] = (AUTO, *FIXED, FULL)

# Auto is slow where there is most to see, at the start and after a change; then the steps so far
# take as long to double each time, which is ln 2 / GROWTH seconds.
SLOWEST = 5.0  # steps a second
GROWTH = 0.1  # ... for each step since the start, or since the last change

EACH = 30.0  # steps a second up to which each step has a row of the curves
FRAMES = 2  # frames' worth of steps that can be due at once: this frame's, and one that came late


def rate_of(pace: Pace, steps: int) -> float:
    """Steps a second, `steps` after the start or the last change."""
    return max(SLOWEST, GROWTH * steps) if pace == AUTO else pace


def next_pace(pace: Pace, made: float, by: int) -> Pace:
    """The next slower (`by` -1) or faster (1) fixed pace, of a run that makes so many now."""
    now = max(SLOWEST, made) if pace == AUTO else pace
    fixed = (*FIXED, FULL)
    slower, faster = [x for x in fixed if x < now], [x for x in fixed if x > now]
    return max(slower, default=fixed[0]) if by < 0 else min(faster, default=FULL)


class StepsDue:
    """Counts the steps that are due, of a run that is looked at now and then.

    What was not made in time is not made later: after a pause, in a tab that was hidden, or on a
    machine that is too slow.
    """

    def __init__(self) -> None:
        self._due = 1.0
        self._counted = 0.0  # when

    def count(self, rate: float, now: float, period: float) -> float:
        """How many steps are due by now, for the frames of one period each; math.inf: no limit."""
        if rate == FULL:
            return FULL
        most = max(1.0, FRAMES * rate * period)
        self._due = min(most, self._due + rate * max(0.0, now - self._counted))
        self._counted = now
        return math.floor(self._due + 1e-6)

    def ask(self) -> None:
        """Have one due at once: it shows what somebody has just changed."""
        self._due = max(1.0, self._due)

    def made(self, steps: int) -> None:
        """So many of them have been made."""
        self._due = max(0.0, self._due - steps)

    def wait(self, rate: float) -> float:
        """Seconds until the next one is due."""
        return 0.0 if rate == FULL else max(0.0, 1 - self._due) / rate

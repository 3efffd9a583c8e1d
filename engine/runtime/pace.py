"""The pace of a run: the number of steps a second that watchers see.

A class's network learns in half a second, but a person needs minutes to watch. The pace belongs to
the thread that serves the run, not to its config or journal: it never changes a result.
"""

import math
from typing import Final, Literal

type Pace = float | Literal["auto"]  # steps a second at most; "auto" depends on the run

AUTO: Final = "auto"
FULL: Final = math.inf
FIXED: Final = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
PACES: Final[tuple[Pace, ...]] = (AUTO, *FIXED, FULL)

# Auto is slow where most happens: at the start and after a change. Then each doubling of the number
# of steps takes the same time, ln 2 / GROWTH seconds.
SLOWEST = 2.5  # steps a second
GROWTH = 0.12  # ... for each step since the start, or since the last change

EACH = 30.0  # steps a second, up to which every step has a row in the curves
FRAMES = 2  # at most the steps of so many frames are due at once: this frame and a late one


def rate_of(pace: Pace, steps: int) -> float:
    """Steps a second at auto or a fixed pace, `steps` after the start or the last change."""
    return max(SLOWEST, GROWTH * steps) if pace == AUTO else pace


def next_pace(pace: Pace, made: float, by: int) -> Pace:
    """The next slower (`by` -1) or faster (1) fixed pace, given the current measured rate."""
    now = max(SLOWEST, made) if pace == AUTO else pace
    fixed = (*FIXED, FULL)
    slower, faster = [x for x in fixed if x < now], [x for x in fixed if x > now]
    return max(slower, default=fixed[0]) if by < 0 else min(faster, default=FULL)


class LessonPace:
    """The pace of a lesson in progress, which overrides the visitor's."""

    def __init__(self) -> None:
        self.pace: Pace | None = None  # None: the visitor's

    def set(self, pace: Pace | None) -> None:
        """Set it, or restore the visitor's pace with None."""
        self.pace = pace


class StepsDue:
    """Counts the steps that are due at a pace.

    Missed steps are not made up for: after a pause, in a hidden tab, or on a slow machine.
    """

    def __init__(self) -> None:
        self._due = 1.0
        self._counted = 0.0  # time of the last count

    def count(self, rate: float, now: float, period: float) -> float:
        """The number of steps due now, with a frame every `period` seconds; math.inf: no limit."""
        if rate == FULL:
            return FULL
        most = max(1.0, FRAMES * rate * period)
        self._due = min(most, self._due + rate * max(0.0, now - self._counted))
        self._counted = now
        return math.floor(self._due + 1e-6)

    def ask(self) -> None:
        """Make a step due at once, which shows a change that was just made."""
        self._due = max(1.0, self._due)

    def made(self, steps: int) -> None:
        """Subtract steps that were made."""
        self._due = max(0.0, self._due - steps)

    def wait(self, rate: float) -> float:
        """Seconds until the next step is due."""
        return 0.0 if rate == FULL else max(0.0, 1 - self._due) / rate

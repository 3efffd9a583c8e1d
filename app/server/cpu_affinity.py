"""Keeps the threads of this process together on one core of the machine: the idlest one.

Only one of them can hold the interpreter. When they lie on several cores, each hand-over wakes
another core, and there are thousands a second: forty visitors got two thirds of the frames, and
waited three times as long for their plots. For more than one core there are several processes.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

PERIOD = 2.0  # seconds between two measurements of the cores
WORTH = 0.2  # a move has to gain at least this share of a core's time
STATISTICS = Path("/proc/stat")


def busy_times() -> Mapping[int, float]:
    """Busy seconds of each core since the machine was started, by the core's number."""
    try:
        lines = STATISTICS.read_text().splitlines()
    except OSError:  # not Linux, or forbidden
        return {}
    cores = (line.split() for line in lines if line.startswith("cpu") and line[3].isdigit())
    tick = os.sysconf("SC_CLK_TCK")
    # The columns are user, nice, system, idle, iowait, irq ...: all but idle and iowait are busy.
    return {
        int(name[3:]): sum(int(x) for n, x in enumerate(times) if n not in (3, 4)) / tick
        for name, *times in cores
    }


class Core:
    """Keeps this process on one core, and chooses which."""

    def __init__(
        self,
        busy: Callable[[], Mapping[int, float]] = busy_times,
        own: Callable[[], float] = time.process_time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._busy, self._own, self._clock = busy, own, clock
        self._seen = busy(), own(), clock()
        self.now: int | None = None  # its number; None while the process may be on any
        # Other cores belong to other programs.
        self.allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set[int]()

    def begin(self) -> None:
        """Pin the process to the idlest core, now and later; called on the event loop."""
        if self.allowed:
            self._task = asyncio.create_task(self._watch())

    def end(self) -> None:
        """Allow all cores again, for this process and for those that it starts."""
        if self.now is not None:
            self._task.cancel()
            self.now = None
            _stay_on(self.allowed)

    async def _watch(self) -> None:
        while True:
            # Later than a browser that `--show` starts, which inherits the cores.
            await asyncio.sleep(PERIOD)
            best = self.choose(self.allowed)
            if best is not None and best != self.now:
                self.now = best
                _stay_on({best})

    def choose(self, allowed: set[int]) -> int | None:
        """The core to be on: the same as before, unless another is clearly idler."""
        (busy, own, when), self._seen = self._seen, (self._busy(), self._own(), self._clock())
        passed = max(self._seen[2] - when, 1e-3)
        others = {
            core: (time - busy[core]) / passed
            for core, time in self._seen[0].items()
            if core in allowed and core in busy
        }
        if not others:
            return None
        if self.now in others:
            others[self.now] -= (self._seen[1] - own) / passed + WORTH
        return min(others, key=lambda core: (others[core], core))


def _stay_on(cores: set[int]) -> None:
    for thread in os.listdir("/proc/self/task"):
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.sched_setaffinity(int(thread), cores)


CORE = Core()

"""Frees what visitors leave behind, and returns their memory to the operating system.

Nearly all of a closed page is freed as soon as the last reference to it is gone. For that its
reference cycles are broken a second after its end, one page after the other.

Python's garbage collector finds the few cycles that are left. It has to visit every living object,
and nothing else runs meanwhile. So while visitors are here it searches only what is new, and
everything when the last one has left. The program itself, 220,000 objects of modules and classes,
is excluded from it ("frozen") when the server starts.

The C library keeps freed memory for later use: of five hundred pages that were opened and closed it
kept 50 MB, though not an object of them was left. It would give each thread a heap of its own, with
holes that no other thread fills: each round of the attacks of tests/bench/misbehaving.py left 40
MB, and 8 to 10 with two heaps. So all share one. Its empty pages are returned to the system after
each search, and when the process has grown: a large network that is given up leaves 60 MB of them.
"""

import asyncio
import ctypes
import gc
import logging
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger(__name__)

EVERY = 2.0  # seconds between two checks
FEW = 5  # pages requested since the last search, so few that nobody notices the next
SELDOM = 60.0  # seconds after which what is new is searched in any case
MANY = 1000  # visitors who left, of whom enough is left to search everything beside those here
GROWN = 16 * 2**20  # bytes by which the process has grown since empty pages were last returned
ENDS = 1.0  # seconds for which a connection may still use the page that was closed
NEVER = 2**30
THRESHOLDS = 2000, NEVER, NEVER  # objects after which Python itself searches the newest generation
NEW, ALL = 1, 2  # the collector's generations
HEAPS = 1
M_ARENA_MAX = -8  # the number of this option in glibc's malloc.h


def _c_library(function: str) -> Callable[..., int] | None:
    """This function of glibc, or nothing on another system."""
    return getattr(ctypes.CDLL(None), function, None) if sys.platform == "linux" else None


def share_heaps() -> None:
    """Have threads that start from now on share one heap, or as many as MALLOC_ARENA_MAX says."""
    mallopt = _c_library("mallopt")
    if mallopt and "MALLOC_ARENA_MAX" not in os.environ:
        mallopt(M_ARENA_MAX, HEAPS)


def give_back() -> None:
    """Have the C library return its empty pages to the system, where it can."""
    if trim := _c_library("malloc_trim"):
        trim(0)  # without the GIL


def resident() -> int:
    """Bytes of memory that the process has; 0 where the system does not say."""
    statistics = Path("/proc/self/statm")
    if not statistics.exists():
        return 0
    return int(statistics.read_text().split()[1]) * resource.getpagesize()


def set_aside() -> None:
    """Collect all garbage, and freeze what survives: the program, when nobody is here."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


class Memory:
    """Frees the memory of visitors who left."""

    def __init__(
        self,
        collect: Callable[[int], object] = gc.collect,
        set_aside: Callable[[], None] = set_aside,
        give_back: Callable[[], None] = give_back,
        resident: Callable[[], int] = resident,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._collect, self._set_aside, self._give_back = collect, set_aside, give_back
        self._resident, self._clock = resident, clock
        self.nobody_is_here: Callable[[], bool] = lambda: True
        self._searched = clock()
        self._requested = 0  # pages since then
        self._kept = resident()  # bytes, when empty pages were last returned
        self._left = 0  # visitors since everything was searched
        self._closed: list[tuple[float, Callable[[], None]]] = []  # pages: since when, how to cut
        self._lock = threading.Lock()  # of the closed pages

    def begin(self, nobody_is_here: Callable[[], bool]) -> None:
        """Start to check; called on the event loop."""
        self.nobody_is_here = nobody_is_here
        gc.set_threshold(*THRESHOLDS)
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            await asyncio.to_thread(self.check)

    def page_requested(self) -> None:
        """A visitor has requested a page."""
        self._requested += 1

    def left(self, cut: Callable[[], None]) -> None:
        """A visitor has left, whose page is to be cut apart soon."""
        with self._lock:
            self._closed.append((self._clock(), cut))

    def check(self) -> None:
        """Free what is left of closed pages; search for garbage, return pages if it is time."""
        self._cut_pages()
        nobody = self._left and self.nobody_is_here()
        if nobody or self._left >= MANY:
            self._left = 0
            self._search(self._set_aside if nobody else lambda: self._collect(ALL))
        elif self._requested >= FEW or self._clock() - self._searched >= SELDOM:
            self._search(lambda: self._collect(NEW))
        elif self._resident() - self._kept >= GROWN:
            self._return_pages()

    def _cut_pages(self) -> None:
        now = self._clock()
        while self._closed and now - self._closed[0][0] >= ENDS:
            with self._lock:
                _, cut = self._closed.pop(0)
            self._left += 1
            try:
                cut()
            except Exception:  # the collector finds it later
                log.exception("a closed page could not be cut apart")

    def _search(self, search: Callable[[], object]) -> None:
        self._searched, self._requested = self._clock(), 0
        search()
        self._return_pages()

    def _return_pages(self) -> None:
        self._give_back()
        self._kept = self._resident()


MEMORY = Memory()

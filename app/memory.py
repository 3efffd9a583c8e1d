"""Gives back to the machine what visitors who have left no longer need.

The C library keeps what was freed for whoever comes next: of five hundred pages that were opened
and closed it kept 50 MB, though not an object of them was left.
"""

import asyncio
import ctypes
import sys
from collections.abc import Callable

EVERY = 20.0  # seconds from one look at whether somebody has left to the next
TIMES = 2  # that is given back after somebody has: the collector may come later
ARENAS = 2  # places from which the C library takes memory; where threads share a core, enough
M_ARENA_MAX = -8  # what malloc.h calls them


def take_from_few_places() -> None:
    """Have the C library mix what threads hold; each thread's own heap would have holes of its own.

    To be called before there are threads.
    """
    if library := _library("mallopt"):
        library.mallopt(M_ARENA_MAX, ARENAS)


def give_back() -> None:
    """Have the C library return whole pages that nothing lies in, where it can."""
    if library := _library("malloc_trim"):
        library.malloc_trim(0)  # on the side: the interpreter is free meanwhile


def _library(function: str) -> ctypes.CDLL | None:
    """The C library, where it has the function."""
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), function):
        return library
    return None


class Memory:
    """Gives back soon after somebody has left, and never for nothing."""

    def __init__(self, give_back: Callable[[], None] = give_back) -> None:
        self._give_back = give_back
        self._owed = 0  # times

    def begin(self) -> None:
        """Look from now on; called on the event loop."""
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            await asyncio.to_thread(self.look)

    def owe(self) -> None:
        """Somebody has left."""
        self._owed = TIMES

    def look(self) -> None:
        """Give back if somebody has left."""
        if self._owed:
            self._owed -= 1
            self._give_back()


MEMORY = Memory()

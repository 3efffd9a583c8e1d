"""Gives back to the machine what visitors who have left no longer need.

The C library keeps what was freed for whoever comes next: of five hundred pages that were opened
and closed it kept 50 MB, though not an object of them was left.

Python's collector of garbage has to look at everything that lives, and nothing else runs meanwhile:
with twenty pages open it held everybody up for 0.45 s, and Bokeh and Panel call it whenever a page
is closed. So what lives is set aside from it ("frozen") when a page has been built and when one
is closed; the whole is searched when nobody is here, or when enough have left to be worth a stop.
"""

import asyncio
import ctypes
import gc
import sys
from collections.abc import Callable

EVERY = 5.0  # seconds from one look at whether somebody has left to the next
ENOUGH = 50.0  # MB that visitors left behind, to stop those who are here for it
PAGE = 3.0  # MB of a visitor's page and small network
PARAMETER = 40e-6  # MB of each number that a network learns: its gradient, moments, checkpoints


def give_back() -> None:
    """Have the C library return whole pages that nothing lies in, where it can."""
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "malloc_trim"):
        library.malloc_trim(0)  # meanwhile the interpreter is free


def collect() -> None:
    """Search all for garbage, and set aside what lives."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def free() -> None:
    """Have Python free what visitors left behind, and the C library return it."""
    collect()
    give_back()


class Memory:
    """Frees what visitors left behind when it disturbs nobody, or when it is worth it."""

    def __init__(
        self, free: Callable[[], None] = free, set_aside: Callable[[], None] = gc.freeze
    ) -> None:
        self._free, self._set_aside = free, set_aside
        self._nobody_is_here: Callable[[], bool] = lambda: True
        self._left = 0.0  # MB, since it was last freed

    def begin(self, nobody_is_here: Callable[[], bool]) -> None:
        """Look from now on; called on the event loop."""
        self._nobody_is_here = nobody_is_here
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            await asyncio.to_thread(self.look)

    def keep(self) -> None:
        """A page has been built, and will live for a while."""
        self._set_aside()

    def owe(self, parameters: int = 0) -> None:
        """Somebody has left, and a network of so many parameters."""
        self._left += PAGE + PARAMETER * parameters
        self._set_aside()

    def look(self) -> None:
        """Free what is left behind, if it is time."""
        if self._left >= ENOUGH or (self._left and self._nobody_is_here()):
            self._left = 0.0
            self._free()


MEMORY = Memory()

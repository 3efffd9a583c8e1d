"""Returns the memory of visitors who have left to the operating system.

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

EVERY = 5.0  # seconds between two checks
ENOUGH = 50.0  # MB of garbage that are worth a pause for the visitors who are here
PAGE = 3.0  # MB of a visitor's page and small network
PARAMETER = 40e-6  # MB per parameter: with its gradient, moments and checkpoints


def give_back() -> None:
    """Have the C library return its empty pages to the system, where it can."""
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "malloc_trim"):
        library.malloc_trim(0)  # without the GIL


def collect() -> None:
    """Collect all garbage, and freeze what survives."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def free() -> None:
    """Collect the garbage of visitors who left, and return its memory."""
    collect()
    give_back()


class Memory:
    """Frees the memory of visitors who left: when nobody is here, or when it is much."""

    def __init__(
        self, free: Callable[[], None] = free, set_aside: Callable[[], None] = gc.freeze
    ) -> None:
        self._free, self._set_aside = free, set_aside
        self._nobody_is_here: Callable[[], bool] = lambda: True
        self._left = 0.0  # MB of garbage, estimated
        self._new = 0.0  # ... of visitors who left since the last check

    def begin(self, nobody_is_here: Callable[[], bool]) -> None:
        """Start to check; called on the event loop."""
        self._nobody_is_here = nobody_is_here
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            await asyncio.to_thread(self.look)

    def keep(self) -> None:
        """A page has been built: freeze its objects."""
        self._set_aside()

    def owe(self, parameters: int = 0) -> None:
        """A visitor has left, whose network had so many parameters."""
        garbage = PAGE + PARAMETER * parameters
        self._left += garbage
        self._new += garbage
        self._set_aside()

    def look(self) -> None:
        """Free the garbage, if it is time.

        A session that ended since the last check may still be in use by its connection: when nobody
        is disturbed, its garbage is searched for once more at the next one.
        """
        new, self._new = self._new, 0.0
        nobody_is_here = self._nobody_is_here()
        if self._left >= ENOUGH or (self._left and nobody_is_here):
            self._left = new if nobody_is_here else 0.0
            self._free()


MEMORY = Memory()

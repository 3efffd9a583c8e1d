"""Returns the memory of visitors who have left to the operating system.

The C library keeps freed memory for later use: of five hundred pages that were opened
and closed it kept 50 MB, though not an object of them was left.

Python's collector of garbage has to look at everything that lives, and nothing else runs meanwhile.
Most of that is the program itself: 205,000 objects of modules and classes, against 4,600 of a
page. So the program is set aside from it ("frozen") when the server starts, when the first visitor
has a page, whose building imports the rest of it, and whenever nobody is here. While somebody is
here, only pages are searched, and only when enough visitors have left: with twenty pages open, that
takes a third of the time.
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


def set_aside() -> None:
    """Collect all garbage, and freeze what survives: the program, when nobody is here."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


class Memory:
    """Frees the memory of visitors who left: when nobody is here, or when it is much."""

    def __init__(
        self,
        collect: Callable[[], object] = gc.collect,
        set_aside: Callable[[], None] = set_aside,
        give_back: Callable[[], None] = give_back,
        freeze: Callable[[], None] = gc.freeze,
    ) -> None:
        self._collect, self._set_aside, self._give_back = collect, set_aside, give_back
        self._freeze = freeze
        self.nobody_is_here: Callable[[], bool] = lambda: True
        self._left = 0.0  # MB of garbage, estimated
        self._new = 0.0  # ... of visitors who left since the last check

    def begin(self, nobody_is_here: Callable[[], bool]) -> None:
        """Start to check; called on the event loop."""
        self.nobody_is_here = nobody_is_here
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            await asyncio.to_thread(self.look)

    def keep(self, visitors: int) -> None:
        """A visitor has a page; the first one's is set aside with the program that it imported."""
        if visitors == 1:
            self._freeze()

    def owe(self, parameters: int = 0) -> None:
        """A visitor has left, whose network had so many parameters."""
        garbage = PAGE + PARAMETER * parameters
        self._left += garbage
        self._new += garbage

    def look(self) -> None:
        """Free the garbage, if it is time.

        A session that ended since the last check may still be in use by its connection: when nobody
        is disturbed, its garbage is searched for once more at the next one.
        """
        new, self._new = self._new, 0.0
        if self._left and self.nobody_is_here():
            self._left = new
            self._set_aside()
        elif self._left >= ENOUGH:
            self._left = 0.0
            self._collect()
        else:
            return
        self._give_back()


MEMORY = Memory()

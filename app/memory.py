"""Gives back to the machine what visitors who have left no longer need.

The C library keeps what was freed for whoever comes next: of five hundred pages that were opened
and closed it kept 50 MB, though not an object of them was left.
"""

import asyncio
import ctypes
import sys
from collections.abc import Callable

EVERY = 20.0  # seconds from one look at who has left to the next


def give_back() -> None:
    """Have the C library return whole pages that nothing lies in, where it can."""
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "malloc_trim"):
        library.malloc_trim(0)  # on the side: the interpreter is free meanwhile


class Memory:
    """Looks now and then whether there are fewer visitors than there were."""

    def __init__(
        self, visitors: Callable[[], int], give_back: Callable[[], None] = give_back
    ) -> None:
        self._visitors, self._give_back = visitors, give_back
        self._most = 0  # since something was given back

    def begin(self) -> None:
        """Look from now on; called on the event loop."""
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            await asyncio.to_thread(self.look)

    def look(self) -> None:
        """Give back if somebody has left."""
        here = self._visitors()
        if here < self._most:
            self._give_back()
            self._most = 0
        self._most = max(self._most, here)

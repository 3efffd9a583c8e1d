"""Pages are completed one after the other, and only while nobody asks for one.

When a class opens its pages in the same minute, all at once would all be there at the end; and who
has plots that move can wait for the knobs.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

PATIENCE = 6.0  # seconds that a page waits for quiet at most
LOOK = 0.05  # seconds from one look at whether it is quiet to the next


class BuildQueue:
    """Whoever waits for a turn holds no thread."""

    def __init__(self, quiet: Callable[[], bool], patience: float = PATIENCE) -> None:
        self._quiet, self._patience = quiet, patience
        self._thread = ThreadPoolExecutor(1, "turns")
        self._lock = threading.Lock()
        self._waiting = 0

    @property
    def waited_for(self) -> bool:
        """Whether somebody waits, or has his turn."""
        return self._waiting > 0

    def wait(self, begin: Callable[[], None], over: threading.Event) -> None:
        """Call `begin` when it is its turn, which lasts until `over`; returns at once."""
        with self._lock:
            self._waiting += 1
        self._thread.submit(self._serve, begin, over)

    def _serve(self, begin: Callable[[], None], over: threading.Event) -> None:
        deadline = time.monotonic() + self._patience
        while not self._quiet() and not over.is_set() and time.monotonic() < deadline:
            time.sleep(LOOK)
        try:
            begin()
            over.wait()
        finally:
            with self._lock:
                self._waiting -= 1

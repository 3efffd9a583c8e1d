"""What visitors open is built one piece after the other, and only while nobody asks for a page.

When a class opens a panel in the same minute, all at once would all have it at the end. Who asks
for a page sees nothing yet; who opens a panel has plots that move, and can wait.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

PATIENCE = 0.3  # seconds that a piece waits for quiet at most
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

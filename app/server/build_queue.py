"""A queue of panel pieces to build: one after the other, and only while no page is requested.

When a class opens a panel in the same minute, building all panels at once would finish all of
them last. A visitor who requests a page sees nothing yet; one who opens a panel has moving plots
already, and can wait.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

PATIENCE = 0.3  # seconds that a piece waits for page requests to end, at most
HELD = 1.0  # ... that it holds up the next one: its page may have a hundred things to do before
POLL = 0.05  # seconds between two checks


class BuildQueue:
    """Runs one piece at a time on a thread of its own; a piece that waits holds no thread."""

    def __init__(
        self, quiet: Callable[[], bool], patience: float = PATIENCE, held: float = HELD
    ) -> None:
        self._quiet, self._patience, self._held = quiet, patience, held
        self._thread = ThreadPoolExecutor(1, "turns")
        self._lock = threading.Lock()
        self._waiting: set[threading.Event] = set()  # each is set when its piece is finished

    @property
    def waited_for(self) -> bool:
        """Whether a piece is waiting or being built."""
        return bool(self._waiting)

    def wait(self, begin: Callable[[], None], over: threading.Event) -> None:
        """Queue a piece and return: `begin` starts it, and `over` is set when it is finished."""
        with self._lock:
            self._waiting.add(over)
        self._thread.submit(self._serve, begin, over)

    def clear(self) -> None:
        """The server stops: wait for no piece any more, since none will be finished."""
        with self._lock:
            for over in self._waiting:
                over.set()

    def _serve(self, begin: Callable[[], None], over: threading.Event) -> None:
        deadline = time.monotonic() + self._patience
        while not self._quiet() and not over.is_set() and time.monotonic() < deadline:
            time.sleep(POLL)
        try:
            begin()
            over.wait(self._held)
        finally:
            with self._lock:
                self._waiting.discard(over)

"""Builds a panel in pieces, so that the server can serve everybody else between two of them.

A component takes 5 to 20 ms, and a panel has dozens: built at once, it would hold up all plots.
"""

import threading
from collections.abc import Callable, Iterator

from app.server.build_queue import BuildQueue

type Pieces = Iterator[None]  # each step builds one
type Locked = Callable[[Callable[[], None]], Callable[[], None]]

OVER = object()


class Building:
    """The building of one panel of one page; it can be stopped and go on later."""

    def __init__(self, pieces: Pieces, turns: BuildQueue, locked: Locked) -> None:
        self._pieces, self._turns = pieces, turns
        self._begin = locked(self.build_next)  # runs with the page's lock, later
        self._wanted = self._waits = self._ended = False
        self._over = threading.Event()  # set when the piece is built
        self.done = False

    def go_on(self) -> None:
        """Start, or go on after a stop."""
        self._wanted = True
        if not (self._waits or self.done):
            self._line_up()

    def stop(self) -> None:
        """Build no more for now."""
        self._wanted = False

    def end(self) -> None:
        """The session has ended: release the queue."""
        self._ended = True
        self._over.set()

    def _line_up(self) -> None:
        self._waits, self._over = True, threading.Event()
        if self._ended:
            self._over.set()
        self._turns.wait(self._begin, self._over)

    def build_next(self) -> None:
        """Build one piece, and queue for the next; called with the page's lock."""
        try:
            self.done = self._wanted and next(self._pieces, OVER) is OVER
        except BaseException:
            self.done = True  # no further piece can be built
            raise
        finally:
            self._waits = False
            self._over.set()
        if self._wanted and not self.done:
            self._line_up()

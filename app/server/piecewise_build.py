"""What takes long to build is built in pieces, with room between two for everybody else.

A component takes the server 5 to 20 ms, and a panel has dozens: at once they would keep everybody's
plots waiting.
"""

import threading
from collections.abc import Callable, Iterator

from app.server.build_queue import BuildQueue

type Pieces = Iterator[None]  # each step builds one
type Locked = Callable[[Callable[[], None]], Callable[[], None]]

OVER = object()


class Building:
    """Something of one page that is built as long as somebody wants it, each piece in its turn."""

    def __init__(self, pieces: Pieces, turns: BuildQueue, locked: Locked) -> None:
        self._pieces, self._turns = pieces, turns
        self._begin = locked(self._build)  # where the page may be changed; it returns at once
        self._wanted = self._waits = self._ended = False
        self._over = threading.Event()  # the turn of the piece
        self.done = False

    def go_on(self) -> None:
        """Build what is missing, from where it was left."""
        self._wanted = True
        if not (self._waits or self.done):
            self._line_up()

    def stop(self) -> None:
        """Nobody wants it now: the rest is not built."""
        self._wanted = False

    def end(self) -> None:
        """The page is gone: whoever waits for a turn shall not wait for this one's."""
        self._ended = True
        self._over.set()

    def _line_up(self) -> None:
        self._waits, self._over = True, threading.Event()
        if self._ended:
            self._over.set()
        self._turns.wait(self._begin, self._over)

    def _build(self) -> None:
        try:
            self.done = self._wanted and next(self._pieces, OVER) is OVER
        except BaseException:
            self.done = True  # as far as it can be
            raise
        finally:
            self._waits = False
            self._over.set()
        if self._wanted and not self.done:
            self._line_up()

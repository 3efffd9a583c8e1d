"""Computing beside the experiments what a visitor asks for by turning a knob.

One thread of the process does it for all visitors in turn: however many turn their knobs at once,
what trains has one rival. Nothing queues up: of a visitor's wishes only the last one that nobody
has begun is kept.
"""

import logging
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from engine import hold_blas

log = logging.getLogger(__name__)


_WORKER = ThreadPoolExecutor(1, "babysit-lab", initializer=hold_blas)


class Latest[W, R]:
    """One visitor's place with the worker; who drops it has no results delivered any more."""

    def __init__(self, fulfil: Callable[[W], R], deliver: Callable[[R], None]) -> None:
        self.fulfil = fulfil  # is called on the worker, and must not hold on to what asks for it
        self.deliver = deliver  # too: it must return at once
        self._lock = threading.Lock()
        self._wishes: list[W] = []  # at most one
        self._under_way = False

    def wish(self, wish: W) -> None:
        """Have this computed soon, in the place of what was wished before and has not begun."""
        with self._lock:
            self._wishes[:] = [wish]
            begin, self._under_way = not self._under_way, True
        if begin:
            self._line_up()

    def take(self) -> W:
        """What to compute next."""
        with self._lock:
            return self._wishes.pop()

    def go_on(self) -> None:
        """One wish has been dealt with; the next one waits its turn behind other visitors'."""
        with self._lock:
            self._under_way = bool(self._wishes)
        if self._under_way:
            self._line_up()

    def _line_up(self) -> None:
        _WORKER.submit(_serve, weakref.ref(self)).add_done_callback(_complain)


def _serve[W, R](whom: weakref.ref[Latest[W, R]]) -> None:
    latest = whom()
    if latest is None:
        return
    wish, fulfil = latest.take(), latest.fulfil
    del latest  # a visitor who leaves meanwhile is not held here
    try:
        result = fulfil(wish)
        if latest := whom():
            latest.deliver(result)
    finally:
        if latest := whom():
            latest.go_on()


def _complain(done: Future[None]) -> None:
    if error := done.exception():
        log.error("the laboratory could not compute", exc_info=error)

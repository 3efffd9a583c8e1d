"""Computes on a background thread what visitors request by moving a slider.

One thread of the process serves all visitors in turn, so that training has only one competitor.
Requests do not queue up: of each visitor only the latest one that has not started is kept.
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
    """One visitor's requests; when the object is deleted, no result is delivered any more."""

    def __init__(self, fulfil: Callable[[W], R], deliver: Callable[[R], None]) -> None:
        self.fulfil = fulfil  # called on the worker; must hold no reference to the visitor
        self.deliver = deliver  # called there too; must return at once
        self._lock = threading.Lock()
        self._wishes: list[W] = []  # at most one
        self._under_way = False

    def wish(self, wish: W) -> None:
        """Request this, in place of an earlier request that has not started."""
        with self._lock:
            self._wishes[:] = [wish]
            begin, self._under_way = not self._under_way, True
        if begin:
            self._line_up()

    def take(self) -> W:
        """The request to compute next."""
        with self._lock:
            return self._wishes.pop()

    def go_on(self) -> None:
        """One request is done; the next one waits behind those of other visitors."""
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
    del latest  # holds no reference, in case the visitor leaves meanwhile
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

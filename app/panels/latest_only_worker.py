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


class LatestOnly[Request, Result]:
    """One visitor's requests; when the object is deleted, no result is delivered any more."""

    def __init__(
        self, compute: Callable[[Request], Result], deliver: Callable[[Result], None]
    ) -> None:
        self.compute = compute  # called on the worker; must hold no reference to the visitor
        self.deliver = deliver  # called there too; must return at once
        self._lock = threading.Lock()
        self._pending: list[Request] = []  # at most one
        self._under_way = False

    def request(self, request: Request) -> None:
        """Request this, in place of an earlier request that has not started."""
        with self._lock:
            self._pending[:] = [request]
            begin, self._under_way = not self._under_way, True
        if begin:
            self._enqueue()

    def take(self) -> Request:
        """The request to compute next."""
        with self._lock:
            return self._pending.pop()

    def finish(self) -> None:
        """One request is done; the next one waits behind those of other visitors."""
        with self._lock:
            self._under_way = bool(self._pending)
        if self._under_way:
            self._enqueue()

    def _enqueue(self) -> None:
        _WORKER.submit(_serve, weakref.ref(self)).add_done_callback(_log_failure)


def _serve[Request, Result](reference: weakref.ref[LatestOnly[Request, Result]]) -> None:
    latest = reference()
    if latest is None:
        return
    request, compute = latest.take(), latest.compute
    del latest  # holds no reference, in case the visitor leaves meanwhile
    try:
        result = compute(request)
        if latest := reference():
            latest.deliver(result)
    finally:
        if latest := reference():
            latest.finish()


def _log_failure(done: Future[None]) -> None:
    if error := done.exception():
        log.error("the laboratory could not compute", exc_info=error)

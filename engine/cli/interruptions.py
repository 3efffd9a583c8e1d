"""Ctrl-C as a request to end at the next safe point."""

import contextlib
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def interruptions() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets; the work checks it where it can end safely."""
    interrupted = threading.Event()

    def note(signum: int, frame: object) -> None:
        interrupted.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)

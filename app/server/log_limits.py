"""Keeps the log short: neither a long message nor a thousand of a kind fill a disk."""

import logging
import time
from collections.abc import Callable

LONGEST = 2_000  # characters of a message, and of what is told of an error
PERIOD = 60.0  # seconds in which ...
MOST = 20  # ... so many lines come from one place in the program


class Brief(logging.Filter):
    """Cuts what is long, and passes over what has been said often enough."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._said: dict[tuple[str, int], tuple[float, int]] = {}  # since when, how often
        self._formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line is written; shortened, if it is."""
        missing = self._count(record)
        if missing is None:
            return False
        words = record.getMessage()
        if missing:
            words += f" (and {missing:,} lines more from there in the last minute)"
        record.msg, record.args = _cut(words), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = self._formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = _cut(record.exc_text)
        return True

    def _count(self, record: logging.LogRecord) -> int | None:
        """How many lines were passed over before this one; None: this one is, too."""
        place, now = (record.pathname, record.lineno), self._clock()
        since, times = self._said.get(place, (now, 0))
        if not 0 <= now - since < PERIOD:
            self._said[place] = now, 1
            return max(0, times - MOST)
        self._said[place] = since, times + 1
        return 0 if times < MOST else None


def _cut(words: str) -> str:
    """The beginning and the end: what happened, and what came of it; as text that can be written.

    A page can send half a surrogate pair, at which a log in UTF-8 would write a traceback.
    """
    words = words.encode(errors="backslashreplace").decode()
    if len(words) <= LONGEST:
        return words
    half = LONGEST // 2
    return f"{words[:half]} … {len(words) - 2 * half:,} characters … {words[-half:]}"


def install() -> None:
    """Keep everything short that the process logs."""
    for handler in logging.getLogger().handlers:  # each counts what it writes itself
        handler.addFilter(Brief())

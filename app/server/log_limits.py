"""Keeps the log short: cuts long messages, and drops messages that repeat too often."""

import logging
import re
import time
from collections.abc import Callable

LONGEST = 2_000  # characters of a message, and of a traceback
PERIOD = 60.0  # seconds in which ...
SECRET = re.compile(r"([?&#](?:teach|bokeh-session-id)=)[^&\s]+")  # that an address may hold
MOST = 20  # ... one line of code may log so many messages


class Brief(logging.Filter):
    """A logging filter that shortens long records and drops frequent ones."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._counts: dict[tuple[str, int], tuple[float, int]] = {}  # start of the period, count
        self._formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record; whether it is to be written."""
        missing = self._count(record)
        if missing is None:
            return False
        text = record.getMessage()
        if missing:
            text += f" (and {missing:,} lines more from there in the last minute)"
        record.msg, record.args = _cut(text), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = self._formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = _cut(record.exc_text)
        return True

    def _count(self, record: logging.LogRecord) -> int | None:
        """How many records from there were dropped before this one; None: drop this one too."""
        place, now = (record.pathname, record.lineno), self._clock()
        since, times = self._counts.get(place, (now, 0))
        if not 0 <= now - since < PERIOD:
            self._counts[place] = now, 1
            return max(0, times - MOST)
        self._counts[place] = since, times + 1
        return 0 if times < MOST else None


def _cut(text: str) -> str:
    """The beginning and the end of a long text, where the cause and the effect are.

    A page can send half a surrogate pair, at which a log in UTF-8 would write a traceback.
    """
    text = SECRET.sub(r"\1…", text.encode(errors="backslashreplace").decode())
    if len(text) <= LONGEST:
        return text
    half = LONGEST // 2
    return f"{text[:half]} … {len(text) - 2 * half:,} characters … {text[-half:]}"


def install() -> None:
    """Add the filter to all log handlers of the process."""
    for handler in logging.getLogger().handlers:  # each counts for itself
        handler.addFilter(Brief())

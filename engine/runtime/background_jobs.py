"""What is done for a visitor beside training: a search, the sanity checks; a little at a time.

Each is an iterator that does a few milliseconds of work and yields what it has to show so far, so
that one thread can serve everybody in turn. If it yields None, it has nothing to do for now.
"""

import dataclasses
import logging
from collections.abc import Callable, Iterator
from typing import Any

from engine.runtime.background_results import BackgroundResults

log = logging.getLogger(__name__)


class BackgroundJobs:
    """The work beside one experiment, by the names of the fields of `BackgroundResults`."""

    def __init__(self) -> None:
        self.shown = BackgroundResults()
        self.refusal = ""  # why one of them ended before its time
        self._going: dict[str, Iterator[object]] = {}
        self._new: set[str] = set()  # of these, those that nothing has been done of yet
        self._held: dict[str, Iterator[object]] = {}

    @property
    def busy(self) -> bool:
        """Whether there is something to do."""
        return bool(self._going)

    @property
    def new(self) -> bool:
        """Whether it is unknown of any how long a little of it takes."""
        return bool(self._new)

    def begin(self, name: str, work: Iterator[object]) -> None:
        """Take work on, in the place of what there was of this kind."""
        self.end(name)
        self.refusal = ""
        self._going[name] = work
        self._new.add(name)

    def end(self, name: str) -> None:
        """Do no more of it; what it has shown stays."""
        self._going.pop(name, None)
        self._new.discard(name)
        self._held.pop(name, None)

    def clear(self, name: str) -> None:
        """Do no more of it, and show nothing of it either."""
        self.end(name)
        self.shown = dataclasses.replace(self.shown, **{name: None})

    def hold(self, name: str) -> None:
        """Leave it for later."""
        if name in self._going:
            self._held[name] = self._going.pop(name)

    def go_on(self, name: str) -> None:
        """Take it up again."""
        if name in self._held:
            self._going[name] = self._held.pop(name)

    def advance(self, seconds: float, clock: Callable[[], float]) -> float:
        """Do for about so long what there is to do, each kind in its turn; the time it took."""
        start = clock()
        for name, work in list(self._going.items()):
            end = clock() + seconds / max(1, len(self._going))
            while name in self._going and clock() < end and self._do(name, work):
                pass
        return clock() - start

    def _do(self, name: str, work: Iterator[object]) -> bool:
        """Do a little; whether it could do more."""
        self._new.discard(name)
        try:
            shown = next(work)
        except StopIteration:
            self.end(name)
            return False
        except Exception as error:  # it ends; the experiment beside it goes on
            log.exception("the %s failed", name)
            self.end(name)
            self.refusal = f"The {name} failed: {error}"
            return False
        if shown is not None:
            new: dict[str, Any] = {name: shown}
            self.shown = dataclasses.replace(self.shown, **new)
        return shown is not None

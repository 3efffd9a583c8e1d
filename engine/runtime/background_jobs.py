"""Background work for a visitor: a search, the sanity checks, a lesson; a little at a time.

Each job is an iterator that works for a few milliseconds and yields its results so far, so that one
thread can serve all visitors in turn. It yields None if it has nothing to do at the moment.
"""

import dataclasses
import logging
from collections.abc import Callable, Iterator
from typing import Any

from engine.runtime.background_results import NO_RESULTS, LessonProgress

log = logging.getLogger(__name__)

# What a learner calls the jobs whose names are no nouns.
NOUNS = {"explained": "explanation of the step", "traced": "tracing of the weight"}


class BackgroundJobs:
    """The background jobs of one experiment, named like the fields of `BackgroundResults`."""

    def __init__(self) -> None:
        self.shown = NO_RESULTS
        self._active: dict[str, Iterator[object]] = {}
        self._new: set[str] = set()  # jobs that have not been advanced yet
        self._paused: dict[str, Iterator[object]] = {}

    @property
    def busy(self) -> bool:
        """Whether there is work to do."""
        return bool(self._active)

    @property
    def new(self) -> bool:
        """Whether there is a job whose cost is still unknown."""
        return bool(self._new)

    def begin(self, name: str, work: Iterator[object]) -> None:
        """Start a job in place of an earlier one of this kind."""
        self.end(name)
        self.shown = dataclasses.replace(self.shown, failed="", failure="")
        self._active[name] = work
        self._new.add(name)

    def end(self, name: str) -> None:
        """End a job; its results stay."""
        self._active.pop(name, None)
        self._new.discard(name)
        self._paused.pop(name, None)

    def clear(self, name: str) -> None:
        """End a job and drop its results."""
        self.end(name)
        nothing: dict[str, Any] = {name: None}
        self.shown = dataclasses.replace(self.shown, **nothing)

    def ask(self, lesson: LessonProgress) -> None:
        """Show that a lesson asks its question, before anything of it is played."""
        self.shown = dataclasses.replace(self.shown, lesson=lesson)

    def note_answered(self) -> None:
        """The verdict of the lesson is read: from now on nothing need be held back."""
        if lesson := self.shown.lesson:
            answered = dataclasses.replace(lesson, asks=False)
            self.shown = dataclasses.replace(self.shown, lesson=answered)

    def pause(self, name: str) -> None:
        """Pause a job."""
        if name in self._active:
            self._paused[name] = self._active.pop(name)

    def resume(self, name: str) -> None:
        """Resume a job."""
        if name in self._paused:
            self._active[name] = self._paused.pop(name)

    def advance(self, seconds: float, clock: Callable[[], float]) -> float:
        """Work on all jobs in turn for about so many seconds; returns the time taken."""
        start = clock()
        for name, work in list(self._active.items()):
            end = clock() + seconds / max(1, len(self._active))
            while name in self._active and clock() < end and self._do(name, work):
                pass
        return clock() - start

    def _do(self, name: str, work: Iterator[object]) -> bool:
        """Advance a job once; returns whether it could do more."""
        self._new.discard(name)
        try:
            shown = next(work)
        except StopIteration:
            self.end(name)
            return False
        except Exception as error:  # only the job ends, not the experiment
            log.exception("the %s failed", name)
            self.end(name)
            reason = f"The {NOUNS.get(name, name)} failed: {error}"
            self.shown = dataclasses.replace(self.shown, failed=name, failure=reason)
            return False
        if shown is not None:
            new: dict[str, Any] = {name: shown}
            self.shown = dataclasses.replace(self.shown, **new)
        return shown is not None

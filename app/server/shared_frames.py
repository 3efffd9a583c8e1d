"""The frames of one run for all watchers: composed and encoded once for pages in the same state.

A frame depends on what a page already has. Pages that request the same views are in the same state
as soon as they have got the same snapshot, so a class of forty takes as much work as one page.
"""

import threading
from collections.abc import Callable, Hashable
from typing import Protocol, Self


class PageState(Protocol):
    """The state of pages that were sent the same frames."""

    def fork(self) -> Self:
        """A copy for another page in this state."""

    def forget_but(self, views: tuple[str, ...]) -> None:
        """Forget all that belongs to other views, which may differ from page to page."""

    @property
    def key(self) -> Hashable:
        """Equal for pages that need the same frame of a snapshot."""


class SharedFrames[P: PageState]:
    """The frames of the latest snapshot, by the state and the request of a page."""

    def __init__(self, blank: P) -> None:
        self.blank = blank  # what a new page has
        self._lock = threading.Lock()
        self._version = 0
        self._made: dict[Hashable, tuple[P, str]] = {}
        self._states: dict[Hashable, P] = {}
        self.composed = 0  # frames that were not there yet

    def frame(
        self,
        page: P,
        version: int,
        request: Hashable,
        views: tuple[str, ...],
        compose: Callable[[P], str],
    ) -> tuple[P, str]:
        """The state of the page after the frame, and the frame itself.

        It depends on the request, and on the views asked for.
        """
        with self._lock:
            if version != self._version:
                self._version = version
                self._made.clear()
                self._states.clear()
            asked = page, request, views
            if asked not in self._made:
                after = page.fork()
                text = compose(after)
                self.composed += 1
                after.forget_but(views)
                self._made[asked] = self._states.setdefault((after.key, views), after), text
            return self._made[asked]

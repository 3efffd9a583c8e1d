"""The memory for checkpoints of all experiments of a process.

Each wants so much that any of its steps is soon replayed: little for a young run or a small
network, much for a long run. Where that is more than there is, all have the same part of what they
want, so that a replay takes as long in one as in the other.
"""

from collections.abc import Hashable

POOL = 40 * 2**20  # bytes: 1 MB for each of forty
LARGEST = 16 * 2**20  # bytes that one may have, however few are there
LESS = 0.9  # of the part that each had, a part that is worth telling those who wait


class CheckpointPool:
    """Divides so many bytes among those who want some."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._wanted: dict[Hashable, int] = {}
        self._total = 0
        self._told = 1.0  # the part of what they want that all know of

    def room(self, who: Hashable, wanted: int) -> int:
        """Bytes for one who wants so many."""
        wanted = min(LARGEST, wanted)
        self._total += wanted - self._wanted.get(who, 0)
        self._wanted[who] = wanted
        return int(wanted * self._part)

    @property
    def _part(self) -> float:
        return min(1.0, self._room / max(1, self._total))

    def leave(self, who: Hashable) -> None:
        """One wants nothing any more."""
        self._total -= self._wanted.pop(who, 0)

    def shrank(self) -> bool:
        """Whether all have to keep fewer than when this was last asked."""
        part = self._part
        fewer = part < LESS * self._told
        if fewer or part > self._told:
            self._told = part
        return fewer

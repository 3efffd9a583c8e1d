"""The memory for checkpoints of all experiments of a process.

An experiment requests enough to replay any of its steps soon: little for a young run or a small
network, much for a long run. If the requests exceed the pool, each gets the same share of its
request, so that replays take equally long in all.
"""

from collections.abc import Hashable

POOL = 40 * 2**20  # bytes: 1 MB for each of forty
LARGEST = 16 * 2**20  # bytes of one experiment at most
LESS = 0.9  # of the last announced share: a share below that is announced


class CheckpointPool:
    """Divides so many bytes among experiments, in proportion to their requests."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._wanted: dict[Hashable, int] = {}
        self._total = 0
        self._announced = 1.0  # the share of their requests that all experiments know of

    def grant(self, who: Hashable, wanted: int) -> int:
        """The bytes that an experiment gets if it requests `wanted`."""
        wanted = min(LARGEST, wanted)
        self._total += wanted - self._wanted.get(who, 0)
        self._wanted[who] = wanted
        return int(wanted * self._share)

    @property
    def _share(self) -> float:
        return min(1.0, self._max_bytes / max(1, self._total))

    def leave(self, who: Hashable) -> None:
        """Remove an experiment."""
        self._total -= self._wanted.pop(who, 0)

    def shrank(self) -> bool:
        """Whether the share has fallen since this was last called, so that all must drop some."""
        share = self._share
        fewer = share < LESS * self._announced
        if fewer or share > self._announced:
            self._announced = share
        return fewer

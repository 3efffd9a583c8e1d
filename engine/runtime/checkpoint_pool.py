"""The memory for checkpoints of all experiments of a process, in equal shares.

While few are there, each has more, and looking back at a step of a long run takes less time.
"""

POOL = 40 * 2**20  # bytes: 1 MB for each of forty
LARGEST = 16 * 2**20  # bytes that one may have, however few are there


def share(pool: int, experiments: int) -> int:
    """Bytes for the checkpoints of each."""
    return min(LARGEST, pool // max(1, experiments))

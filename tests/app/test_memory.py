"""Memory: given back once visitors have left, and never for nothing."""

import sys

import pytest

from app.memory import Memory, give_back


def test_memory_is_given_back_once_somebody_has_left():
    visitors, given = [0], []
    memory = Memory(lambda: visitors[0], lambda: given.append(True))
    for visitors[0], times in (
        (0, 0),
        (3, 0),
        (3, 0),
        (5, 0),
        (4, 1),
        (4, 1),
        (2, 2),
        (0, 3),
        (0, 3),
    ):
        memory.look()
        assert len(given) == times


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is given back")
def test_the_c_library_gives_it_back():
    psutil = pytest.importorskip("psutil")
    process = psutil.Process()
    hold = [bytearray(2_000) for _ in range(40_000)]
    fence = bytearray(2_000)  # after them, so that the heap cannot just be cut off
    full = process.memory_info().rss
    hold.clear()
    give_back()
    assert process.memory_info().rss < full - 30_000_000
    assert fence is not None

"""Memory is given back once visitors have left, and only then."""

import gc
import sys
import weakref

import pytest

from app.server import session
from app.server.memory import ENOUGH, PAGE, Memory, collect, give_back
from app.sharing.run_links import Wish


@pytest.fixture
def done() -> list[str]:
    return []


@pytest.fixture
def memory(done) -> Memory:
    return Memory(lambda: done.append("freed"), lambda: done.append("set aside"))


def test_memory_is_freed_only_after_visitors_have_left(memory, done):
    memory.look()
    assert done == []  # nobody has left
    memory.owe()
    memory.owe()
    assert done == ["set aside"] * 2  # not while the server is still working on it
    memory.look()
    memory.look()  # the end of a session may have been on its way at the first look
    memory.look()
    assert done[2:] == ["freed"] * 2


def test_a_few_departures_do_not_pause_present_visitors(memory, done):
    memory._nobody_is_here = lambda: False
    for _ in range(int(ENOUGH / PAGE)):
        memory.owe()
    memory.look()
    assert "freed" not in done
    memory.owe()
    memory.look()
    assert done.count("freed") == 1
    memory.owe(1_000_000)  # parameters of one visitor, enough by itself
    memory.owe(500_000)
    memory.look()
    assert done.count("freed") == 2


def test_live_objects_are_frozen_for_the_garbage_collector():
    class Left:
        pass

    left = Left()
    left.itself = left
    gone = weakref.ref(left)
    gc.collect()
    before = gc.get_freeze_count()
    try:
        Memory().keep()
        assert gc.get_freeze_count() > before
        del left
        gc.collect()  # as Bokeh does when a page is closed
        assert gone() is not None
        collect()
        assert gone() is None
    finally:
        gc.unfreeze()


def test_a_departure_is_counted(monkeypatch, memory, done):
    monkeypatch.setattr(session, "MEMORY", memory)
    session.Visit(Wish()).end()
    memory.look()
    assert done[-1] == "freed"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is given back")
def test_the_c_library_returns_memory_to_the_system():
    psutil = pytest.importorskip("psutil")
    process = psutil.Process()
    hold = [bytearray(2_000) for _ in range(40_000)]
    fence = bytearray(2_000)  # allocated last, so that the heap cannot simply shrink
    full = process.memory_info().rss
    hold.clear()
    give_back()
    assert process.memory_info().rss < full - 30_000_000
    assert fence is not None

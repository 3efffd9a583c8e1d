"""Memory is given back once visitors have left, and only then."""

import gc
import sys
import weakref

import pytest

from app.server import session
from app.server.memory import ENOUGH, PAGE, Memory, give_back, set_aside
from app.sharing.run_links import Wish


@pytest.fixture
def done() -> list[str]:
    return []


@pytest.fixture
def memory(done) -> Memory:
    names = ("collect", "aside", "back", "freeze")
    return Memory(*(lambda name=name: done.append(name) for name in names))


def test_memory_is_freed_only_after_visitors_have_left(memory, done):
    memory.look()
    assert done == []  # nobody has left
    memory.owe()
    memory.owe()
    assert done == []  # not while the server is still working on it
    memory.look()
    memory.look()  # the end of a session may have been on its way at the first look
    memory.look()
    assert done == ["aside", "back"] * 2


def test_a_few_departures_do_not_pause_present_visitors(memory, done):
    memory.nobody_is_here = lambda: False
    for _ in range(int(ENOUGH / PAGE)):
        memory.owe()
    memory.look()
    assert done == []
    memory.owe()
    memory.look()
    assert done == ["collect", "back"]  # pages alone, not the whole program
    memory.owe(1_000_000)  # parameters of one visitor, enough by itself
    memory.owe(500_000)
    memory.look()
    assert done == ["collect", "back"] * 2


def test_the_first_visitor_brings_the_rest_of_the_program(memory, done):
    memory.keep(visitors=1)
    memory.keep(visitors=2)
    assert done == ["freeze"]


class Circle:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.itself = self


def test_the_program_is_not_searched_while_visitors_are_here():
    program = Circle()
    set_aside()
    try:
        page = Circle()
        gone = weakref.ref(program), weakref.ref(page)
        del program, page
        gc.collect()
        assert [left() is None for left in gone] == [False, True]
        set_aside()
        assert [left() is None for left in gone] == [True, True]
    finally:
        gc.unfreeze()


def test_a_departure_is_counted(monkeypatch, memory, done):
    monkeypatch.setattr(session, "MEMORY", memory)
    session.Visit(Wish()).end()
    memory.look()
    assert done == ["aside", "back"]


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

"""Memory is given back once visitors have left, and only then."""

import gc
import sys
import weakref

import pytest

from app.server import session
from app.server.memory import (
    ALL,
    ASIDE,
    CAME,
    ENDS,
    NEW,
    OLD,
    PAGE,
    SEATED,
    SELDOM,
    STAY,
    YOUNG,
    Memory,
    give_back,
    set_aside,
)
from app.sharing.run_links import PageLink


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def done() -> list[object]:
    return []


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(done, clock) -> Memory:
    others = (lambda name=name: done.append(name) for name in ("aside", "back", "freeze"))
    memory = Memory(done.append, *others, clock)
    memory.nobody_is_here = lambda: False
    return memory


def test_memory_is_freed_only_after_visitors_have_left(memory, done, clock):
    memory.nobody_is_here = lambda: True
    memory.look()
    assert done == []  # nobody has left
    memory.owe(1)
    assert done == []  # not while the server is still working on it
    memory.look()
    clock.now += ENDS
    memory.look()  # the end of a session may have been on its way at the first look
    memory.look()
    assert done == ["aside", "back"] * 2


def test_few_departures_do_not_pause_present_visitors(memory, done, clock):
    before = memory.searches
    for _ in range(int(YOUNG / PAGE)):
        memory.owe(1, searches=before)
    clock.now += ENDS
    memory.look()
    assert done == []
    memory.owe(1, searches=before)
    memory.look()
    assert done == []  # its connection may still use its page
    clock.now += ENDS
    memory.look()
    assert done == [NEW, "back"]  # not the pages of those who stay
    memory.look()
    assert done == [NEW, "back"]


def test_visitors_who_had_been_here_longer_leave_older_garbage(memory, done, clock):
    before = memory.searches
    clock.now += SELDOM
    memory.look()
    assert done.pop(0) == NEW and memory.searches > before
    done.clear()
    for _ in range(int(OLD / PAGE) - 1):
        memory.owe(1, searches=before)
    clock.now += ENDS
    memory.look()
    assert done == []
    memory.owe(1, searches=before)
    clock.now += ENDS
    memory.look()
    assert done == [ALL, "back"]


def test_pages_are_searched_a_few_at_a_time_as_they_come(memory, done):
    for _ in range(CAME):
        memory.look()
        memory.come()
    assert done == []
    memory.look()
    memory.look()
    assert done == [NEW, "back"]


# ---- pages of those who stay --------------------------------------------------------------------


def come_and_stay(memory, clock, visitors: int, seconds: float = SEATED) -> None:
    """So many visitors come, and are here for so long."""
    for visitor in range(visitors):
        memory.come()
        memory.keep(visitor)
    memory.look()
    clock.now += seconds


def test_pages_of_visitors_who_stay_are_set_aside(memory, done, clock):
    come_and_stay(memory, clock, STAY)
    done.clear()
    memory.look()
    assert done == [NEW, "back", "freeze"]
    done.clear()
    memory.look()
    assert done == []


@pytest.mark.parametrize(("stay", "seconds"), [(STAY - 1, SEATED), (STAY, SEATED / 2)])
def test_pages_of_few_or_of_those_who_have_just_come_are_not(memory, done, clock, stay, seconds):
    come_and_stay(memory, clock, stay, seconds)
    memory.look()
    assert "freeze" not in done


def test_who_has_left_does_not_stay(memory, done, clock):
    come_and_stay(memory, clock, STAY, 0.0)
    memory.owe(0, searches=memory.searches)
    clock.now += SEATED
    memory.look()
    assert "freeze" not in done


def test_who_comes_and_goes_beside_a_class_has_the_rest_searched_but_not_the_class(
    memory, done, clock
):
    come_and_stay(memory, clock, STAY)
    memory.look()
    built = memory.searches
    clock.now += SELDOM
    memory.look()
    done.clear()
    for _ in range(int(OLD / PAGE)):
        memory.owe(99, searches=built)
    clock.now += ENDS
    memory.look()
    assert done == [ALL, "back"]


def test_pages_that_were_set_aside_are_not_searched_in_vain(memory, done, clock):
    come_and_stay(memory, clock, STAY)
    memory.look()
    done.clear()
    for visitor in range(int(ASIDE / PAGE) - 1):
        memory.owe(visitor, searches=0)
    clock.now += ENDS
    memory.look()
    assert done == []
    memory.owe(99, searches=0)
    clock.now += ENDS
    memory.look()
    assert done == ["aside", "back"]  # now very much is left of them
    memory.look()
    assert done == ["aside", "back"]


def test_when_nobody_is_here_pages_that_are_ready_are_set_aside_too(memory, done, clock):
    memory.nobody_is_here = lambda: True
    memory.owe(1)
    clock.now += ENDS
    memory.look()
    memory.nobody_is_here = lambda: False
    done.clear()
    for _ in range(int(OLD / PAGE)):  # visitors who were given them have left
        memory.owe(2, searches=memory.searches - 1)
    clock.now += ENDS
    memory.look()
    assert done == []


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
    session.Visit(PageLink()).end()
    memory.nobody_is_here = lambda: True
    memory.look()
    assert done == ["aside", "back"]


def test_a_page_built_ahead_is_as_old_as_it_is(monkeypatch, memory, done, clock):
    monkeypatch.setattr(session, "MEMORY", memory)
    pages = [session.Visit(PageLink()) for _ in range(int(OLD / PAGE))]
    clock.now += SELDOM
    memory.look()
    done.clear()
    for page in pages:
        page.request(PageLink())
        page.end()
    clock.now += ENDS
    memory.look()
    assert done == [ALL, "back"]


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

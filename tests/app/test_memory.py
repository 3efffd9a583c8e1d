"""Memory is given back once visitors have left, and only then."""

import gc
import os
import subprocess
import sys
import weakref
from types import SimpleNamespace

import numpy as np
import pytest
from bokeh.document import Document
from bokeh.document.callbacks import DocumentCallbackManager
from bokeh.model import Model
from bokeh.server.views.ws import WSHandler
from panel.io.state import set_curdoc
from param import Parameterized

from app.panels import PANELS, SidebarPanel
from app.panels.checks import Checks
from app.server import session
from app.server.memory import (
    ALL,
    ENDS,
    FEW,
    GROWN,
    MANY,
    NEW,
    SELDOM,
    Memory,
    give_back,
    resident,
    set_aside,
)
from app.server.workarounds.closed_components import components_below, cut_components
from app.server.workarounds.closed_documents import cut_what_is_closed
from app.sharing.run_links import PageLink
from app.weak_callback import weakly
from tests.app.seen import control, page_text
from tests.waiting import wait_until


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


class Size:
    """The bytes of a process, as the system tells them."""

    def __init__(self) -> None:
        self.bytes = 100 * GROWN

    def __call__(self) -> int:
        return self.bytes


@pytest.fixture
def size() -> Size:
    return Size()


@pytest.fixture
def memory(done, size, clock) -> Memory:
    others = (lambda name=name: done.append(name) for name in ("aside", "back"))
    memory = Memory(done.append, *others, size, clock)
    memory.nobody_is_here = lambda: False
    return memory


def leave(memory, done, clock, visitors: int) -> list[object]:
    """So many visitors leave; what is done then, but for their pages."""
    done.clear()
    for _ in range(visitors):
        memory.left(lambda: None)
    clock.now += ENDS
    memory.check()
    return done


def test_a_page_is_cut_apart_once_nothing_can_use_it(memory, done, clock):
    memory.left(lambda: done.append("cut"))
    memory.check()
    assert done == []  # its connection may still use its page
    clock.now += ENDS
    memory.check()
    memory.check()
    assert done == ["cut"]


def test_a_page_that_cannot_be_cut_apart_hinders_no_other(memory, done, clock, caplog):
    memory.left(lambda: 1 / 0)
    memory.left(lambda: done.append("cut"))
    clock.now += ENDS
    memory.check()
    assert done == ["cut"]
    assert "could not be cut apart" in caplog.text


def test_everything_is_searched_when_the_last_visitor_has_left(memory, done, clock):
    memory.nobody_is_here = lambda: True
    memory.check()
    assert done == []  # nobody has left
    assert leave(memory, done, clock, 1) == ["aside", "back"]
    memory.check()
    assert done == ["aside", "back"]


def test_who_leaves_does_not_pause_those_who_are_here(memory, done, clock):
    assert leave(memory, done, clock, MANY - 1) == []
    assert leave(memory, done, clock, 1) == [ALL, "back"]  # much may be left of so many
    assert leave(memory, done, clock, 1) == []


def test_pages_are_searched_a_few_at_a_time_as_they_come(memory, done):
    for _ in range(FEW):
        memory.check()
        memory.page_requested()
    assert done == []
    memory.check()
    memory.check()
    assert done == [NEW, "back"]


def test_what_is_new_is_searched_in_any_case(memory, done, clock):
    clock.now += SELDOM
    memory.check()
    memory.check()
    assert done == [NEW, "back"]


def test_empty_pages_are_returned_once_the_process_has_grown(memory, done, size):
    size.bytes += GROWN - 1
    memory.check()
    assert done == []
    size.bytes += 1
    memory.check()
    memory.check()
    assert done == ["back"]  # what is still there is needed
    size.bytes += GROWN
    memory.check()
    assert done == ["back", "back"]


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not say")
def test_the_size_of_the_process_is_that_of_what_it_has_touched():
    before = resident()
    touched = np.ones(8 * 2**20)
    assert resident() - before >= touched.nbytes // 2


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


def installed(monkeypatch) -> None:
    """Have the models of closed documents let go, in this test alone."""
    for owner, name in (
        (Model, "destroy"),
        (DocumentCallbackManager, "destroy"),
        (DocumentCallbackManager, "remove_session_callback"),
        (WSHandler, "on_close"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))
    cut_what_is_closed()


class Session:
    """What Panel and the visit know of a session that has ended."""

    id = ""

    def __init__(self, document: Document) -> None:
        self._document = document


def test_a_closed_page_is_freed_without_a_search(monkeypatch, memory, clock):
    installed(monkeypatch)
    monkeypatch.setattr(session, "MEMORY", memory)
    visit, document = session.Visit(PageLink()), Document()
    visit.parts.layout.page.server_doc(document)
    visit.run.handle.latest  # noqa: B018 - the experiment has been set up
    context = Session(document)
    document.callbacks.on_change_dispatch_to(context)
    over = list(document.callbacks.session_destroyed_callbacks)
    gc.collect()
    gc.disable()
    monkeypatch.setattr("bokeh.document.document.gc.collect", lambda: 0)
    try:
        document.destroy(context)
        for call in over:
            call(context)
        visit.close(context)
        gone = [weakref.ref(x) for x in (visit, visit.parts, visit.parts.layout.page, document)]
        del visit, document, context, over, call
        clock.now += ENDS
        memory.check()
        assert [left() for left in gone] == [None] * 4
        monkeypatch.undo()
        assert gc.collect() < 200  # of some four thousand
    finally:
        gc.enable()


def test_no_component_of_a_page_is_anothers():
    pages = [session.Visit(PageLink()) for _ in range(2)]
    of = [{id(x): x for x in components_below(page.parts.components)} for page in pages]
    assert min(map(len, of)) > 15
    assert not of[0].keys() & of[1].keys()


def with_panels(page: session.Visit) -> list[SidebarPanel]:
    """All panels of the sidebar, as the page would build them when they are opened."""
    handle, presses = page.handle, page.parts.presses
    with set_curdoc(Document()):
        panels = [panel.make(handle, handle.latest, presses) for panel in PANELS.values()]
        for panel in panels:
            list(panel.pieces())
    return panels


def components_of(panels: list[SidebarPanel]) -> list[Parameterized]:
    return components_below([x for panel in panels for x in (panel.sidebar, panel.main) if x])


def test_a_closed_page_takes_nothing_from_the_open_panels_of_another(monkeypatch):
    monkeypatch.setattr(Document, "locked_callback", lambda page, call, policy="": call)
    pages = [session.Visit(PageLink()) for _ in range(2)]
    closed, other = map(with_panels, pages)
    cut, kept = components_of(closed), components_of(other)
    assert min(len(cut), len(kept)) > 100
    assert not {*map(id, cut)} & {*map(id, kept)}
    (checks,) = (panel for panel in other if isinstance(panel, Checks))
    before = show(checks, pages[1])
    cut_components(cut)
    control(checks.sidebar, "Run all checks").clicks += 1
    wait_until(lambda: show(checks, pages[1]) != before)


def show(panel: SidebarPanel, page: session.Visit) -> str:
    """The text of a panel that has been shown the latest snapshot."""
    page.handle.wait("", 0, lambda snapshot, version: None)
    panel.show(page.handle.latest)
    return page_text(panel.sidebar)


def test_who_has_left_is_still_known_by_what_was_answered(monkeypatch, memory, clock):
    monkeypatch.setattr(session, "MEMORY", memory)
    visit = session.Visit(PageLink())
    visit.close(SimpleNamespace(id=""))
    clock.now += ENDS
    memory.check()
    assert (visit.over, visit.lesson, visit.answers) == (True, "", ())


class Bell:
    """Rings, and holds what calls it."""

    def __init__(self) -> None:
        self.rung: list[str] = []
        self.button = weakly(self.ring)

    def ring(self, how: str) -> None:
        self.rung.append(how)


def test_a_weak_callback_keeps_nobody_alive():
    bell = Bell()
    button, gone = bell.button, weakref.ref(bell)
    button("loud")
    assert bell.rung == ["loud"]
    gc.disable()
    try:
        del bell
        assert gone() is None
    finally:
        gc.enable()
    button("in vain")


# Prints how many heaps nine threads have that hold memory at the same time.
COUNT_HEAPS = """
import ctypes, os, threading
from app.server.memory import share_heaps
share_heaps()
library = ctypes.CDLL(None)
library.malloc.restype = library.fdopen.restype = ctypes.c_void_p
together = threading.Barrier(9)
def hold():
    library.malloc(1000)
    together.wait()
    together.wait()
for _ in range(8):
    threading.Thread(target=hold).start()
together.wait()
ours, theirs = os.pipe()
file = ctypes.c_void_p(library.fdopen(theirs, b"w"))
library.malloc_info(0, file)
library.fclose(file)
with open(ours, "rb") as report:
    print(report.read().count(b"<heap nr"))
together.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere heaps are not counted so")
@pytest.mark.parametrize(("setting", "heaps"), [({}, "1"), ({"MALLOC_ARENA_MAX": "3"}, "3")])
def test_threads_share_one_heap_unless_the_operator_says_else(setting, heaps):
    environment = {k: v for k, v in os.environ.items() if k != "MALLOC_ARENA_MAX"} | setting
    command = [sys.executable, "-c", COUNT_HEAPS]
    counted = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert counted.stdout.strip() == heaps


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

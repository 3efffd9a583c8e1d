"""Memory: given back once visitors have left, and never for nothing."""

import platform
import subprocess
import sys

import pytest

from app import session
from app.memory import ARENAS, Memory, give_back
from app.share import Wish


def test_memory_is_given_back_soon_after_somebody_has_left_and_once_more():
    given = []
    memory = Memory(lambda: given.append(True))
    memory.look()
    assert not given  # nobody has
    memory.owe()
    memory.owe()
    assert not given  # not while the server is busy with it
    for times in (1, 2, 2):
        memory.look()
        assert len(given) == times
    memory.owe()
    memory.look()
    assert len(given) == 3


def test_a_visitor_who_leaves_is_noticed(monkeypatch):
    given = []
    memory = Memory(lambda: given.append(True))
    monkeypatch.setattr(session, "MEMORY", memory)
    session.Visit(Wish()).end()
    memory.look()
    assert given


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


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it has no such places")
def test_many_threads_take_memory_from_few_places():
    code = """
import ctypes, threading
from app.memory import ARENAS, take_from_few_places
take_from_few_places()
ready = threading.Barrier(9)
hold = lambda: (ctypes.create_string_buffer(50_000), ready.wait())
for _ in range(8): threading.Thread(target=hold).start()
ready.wait()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, file)
libc.fflush(file)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 1 <= said.stdout.count("<heap nr=") <= ARENAS

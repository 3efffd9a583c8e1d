"""A separate process reads large files: same results, within limits, and it always ends."""

import io
import os
import resource
import signal
import subprocess
import sys
import threading
import zipfile

import numpy as np
import pytest

from engine import FileReader, Reading, read_upload
from engine.data import file_reader, file_reader_process
from engine.data.file_messages import Question
from engine.data.file_reader import ReadRequest, StoppedError
from engine.data.file_reader_process import Responder
from engine.data.file_source import SMALL, FileSource, is_large
from tests.waiting import wait_until

ROWS = 60_000
TABLE = b"a,b,word,label\n" + b"".join(
    b"%d.5,%d.25,%s,%s\n" % (n, n * n % 997, (b"red", b"blue")[n % 2], b"xyz"[n % 3 :][:1])
    for n in range(ROWS)
)
GAPS = TABLE.replace(b"\n7.5,49.25", b"\n7.5,", 1)


def npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


ARRAYS = npz(
    x_train=np.random.default_rng(0).integers(0, 256, (300, 16, 16), np.uint8),
    y_train=np.arange(300) % 3,
    x_test=np.random.default_rng(1).integers(0, 256, (30, 16, 16), np.uint8),
    y_test=np.arange(30) % 3,
)


class Timers:
    """Timers that fire when told to."""

    def __init__(self) -> None:
        self.pending: list[threading.Timer] = []

    def __call__(self, seconds, do):
        timers = self.pending

        class Timer:
            daemon = False

            def start(self):
                timers.append(self)

            def cancel(self):
                if self in timers:
                    timers.remove(self)

            def go_off(self):
                timers.remove(self)
                do()

        return Timer()


@pytest.fixture(scope="module")
def shared():
    """For all tests but those that end it or set it up; a process that was ended it replaces."""
    reader = FileReader()
    yield reader
    reader.close()


@pytest.fixture
def reader():
    reader = FileReader()
    yield reader
    reader.close()


def is_there(pid: int) -> bool:
    """Whether a process is running; a zombie is not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    ("raw", "file", "readings"),
    [
        (TABLE, "t.csv", [Reading(), Reading("a"), Reading("word", "classes")]),
        (GAPS, "gaps.csv", [Reading(missing="drop"), Reading(missing="median")]),
        (ARRAYS, "pictures.npz", [Reading()]),
    ],
)
def test_the_process_gives_the_same_result_as_reading_here(shared, raw, file, readings):
    beside, here = read_upload(raw, file, shared), read_upload(raw, file)
    assert isinstance(beside.source, FileSource) and beside.name == here.name
    for reading in readings:
        assert beside.source.describe(reading) == here.source.describe(reading)
        found, expected = beside.source.examples(reading), here.source.examples(reading)
        for one, other in zip(
            (found.x, found.y, found.for_validation),
            (expected.x, expected.y, expected.for_validation),
            strict=True,
        ):
            assert (one is None) == (other is None)
            if one is not None:
                assert one.dtype == other.dtype and not one.flags.writeable
                np.testing.assert_array_equal(one, other)
        assert (found.classes, found.shape, found.columns) == (
            expected.classes, expected.shape, expected.columns,
        )  # fmt: skip
        assert beside.source.examples(reading) is found


def test_small_files_are_read_here():
    assert not is_large(b"x" * SMALL, "a.csv") and is_large(b"x" * SMALL + b"x", "a.csv")
    assert is_large(b"x" * SMALL, "a.csv.gz") and is_large(b"x" * SMALL, "a.xlsx")
    reader = FileReader()
    read_upload(b"a,label\n" + b"1,x\n2,y\n" * 20, "small.csv", reader)
    assert reader.pid is None


def test_a_file_that_needs_a_choice_is_described_without_examples(shared):
    source = read_upload(GAPS, "gaps.csv", shared).source
    assert source.describe().missing == 1
    with pytest.raises(ValueError, match=r"line 9, column 'b'.*data\.missing=drop"):
        source.examples()


@pytest.mark.parametrize(
    ("raw", "file", "told"),
    [
        (TABLE + b"1,2\n", "short.csv", f"line {ROWS + 2}: has 2 cells; expected 4"),
        (b"PK nonsense" * 2**15, "a.npz", "expected an NPZ archive"),
        (TABLE, "table.xls", "expected a file that ends in"),
    ],
)
def test_a_refusal_is_the_same_sentence(shared, raw, file, told):
    assert_refused_alike(shared, raw, file, told)


def test_the_refusal_of_a_bomb_is_the_same_sentence(shared):
    bomb = npz(x=np.zeros((9, 9, 2**20), np.uint8), y=np.zeros(9))
    assert_refused_alike(shared, bomb, "bomb.npz", "unpacks to")


def assert_refused_alike(shared: FileReader, raw: bytes, file: str, told: str) -> None:
    with pytest.raises(ValueError, match=told) as here:
        read_upload(raw, file)
    with pytest.raises(ValueError, match=told) as beside:
        read_upload(raw, file, shared).source.describe()
    assert str(beside.value) == str(here.value)


def test_too_many_numbers_are_refused_and_not_offered(shared):
    source = FileSource(TABLE, "wide.csv", len(TABLE) // 8, shared)
    with pytest.raises(ValueError, match="holds 240,000 numbers, 960,000 bytes"):
        source.describe()


def test_the_next_file_is_read_by_the_same_process(shared):
    read_upload(TABLE, "a.csv", shared).source.describe()
    first = shared.pid
    read_upload(TABLE, "b.csv", shared).source.describe()
    assert shared.pid == first


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (signal.SIGKILL, "a.csv: the process that read it was ended"),
        (signal.SIGXCPU, "a.csv: takes too long to read"),
    ],
)
def test_a_killed_process_gives_one_sentence_and_the_next_file_is_read(
    shared, monkeypatch, end, told
):
    source = read_upload(TABLE, "a.csv", shared).source
    with monkeypatch.context() as patch:
        asking = meanwhile(lambda process: process.send_signal(end))
        patch.setattr(file_reader, "ask_process", asking)
        with pytest.raises(ValueError) as refusal:
            source.describe()
    assert str(refusal.value).startswith(told) and "\n" not in str(refusal.value)
    assert source.describe().examples == ROWS


def meanwhile(do):
    """A request during which something else happens."""
    ask = file_reader.ask_process

    def asking(process, question, raw):
        process.send_signal(signal.SIGSTOP)
        do(process)
        process.send_signal(signal.SIGCONT)
        return ask(process, question, raw)

    return asking


def test_a_process_that_died_between_two_files_is_replaced(shared):
    read_upload(TABLE, "a.csv", shared).source.describe()
    died = shared.pid
    os.kill(died, signal.SIGKILL)  # for a moment it looks alive
    assert read_upload(TABLE, "b.csv", shared).source.describe().examples == ROWS
    assert shared.pid != died


def test_the_process_has_limits(shared):
    read_upload(TABLE, "a.csv", shared).source.describe()
    for limit in (resource.RLIMIT_CPU, resource.RLIMIT_AS):
        assert resource.prlimit(shared.pid, limit)[0] != resource.RLIM_INFINITY
    assert resource.prlimit(shared.pid, resource.RLIMIT_CPU)[0] < 2 * file_reader.SECONDS


def test_a_file_that_needs_too_much_memory_is_refused(monkeypatch):
    def without_memory(raw, file, most):
        raise MemoryError

    monkeypatch.setattr(file_reader_process, "read_source", without_memory)
    answer, arrays = Responder().answer(Question("a.csv", 9, 9), b"")
    assert answer.refusal == "a.csv: needs more memory to read than is available" and not arrays


def test_stopping_a_request_kills_the_process(shared, monkeypatch):
    stopped = ReadRequest()
    with monkeypatch.context() as patch:
        patch.setattr(file_reader, "ask_process", meanwhile(lambda process: stopped.stop()))
        with pytest.raises(StoppedError):
            shared.read(Question("a.csv", len(TABLE), 2**30), TABLE, stopped)
    assert shared.pid is None
    assert read_upload(TABLE, "b.csv", shared).source.describe().examples == ROWS


def test_stopping_a_queued_request_kills_nothing(shared):
    read_upload(TABLE, "a.csv", shared).source.describe()
    left = ReadRequest()
    left.stop()
    with pytest.raises(StoppedError):
        shared.read(Question("b.csv", len(TABLE), 2**30), TABLE, left)


def test_the_process_ends_when_idle_and_starts_again():
    timers = Timers()
    reader = FileReader(timer=timers)
    read_upload(TABLE, "a.csv", reader).source.describe()
    pid = reader.pid
    (idle,) = timers.pending
    idle.go_off()
    assert reader.pid is None and not is_there(pid)
    read_upload(TABLE, "b.csv", reader).source.describe()
    assert len(timers.pending) == 1
    reader.close()
    assert not timers.pending


def test_the_process_ends_with_the_reader(reader):
    read_upload(TABLE, "a.csv", reader).source.describe()
    pid = reader.pid
    reader.close()
    assert not is_there(pid)
    with pytest.raises(StoppedError):
        read_upload(TABLE, "b.csv", reader).source.describe()


SERVER = """
import sys
from engine import FileReader, read_upload
reader = FileReader()
read_upload(sys.stdin.buffer.read(), "a.csv", reader).source.describe()
print(reader.pid, flush=True)
import time
while True:
    time.sleep(1000)
"""


def test_the_process_ends_with_a_killed_server():
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        server.stdin.write(TABLE)
        server.stdin.close()
        pid = int(server.stdout.readline())
        assert is_there(pid)
        server.kill()
    wait_until(lambda: not is_there(pid))


def test_the_process_has_lower_priority_than_the_server(reader):
    cores = os.sched_getaffinity(0)
    reader = FileReader(cores)
    try:
        os.sched_setaffinity(0, {min(cores)})  # as the server does with its threads
        read_upload(TABLE, "a.csv", reader).source.describe()
        assert os.sched_getaffinity(reader.pid) == cores
        assert os.getpriority(os.PRIO_PROCESS, reader.pid) > os.getpriority(os.PRIO_PROCESS, 0)
        with open(f"/proc/{reader.pid}/oom_score_adj") as file:
            assert int(file.read()) == 1000
    finally:
        os.sched_setaffinity(0, cores)
        reader.close()


def test_a_decompression_bomb_takes_no_memory(shared):
    """The unpacked size that a workbook declares is checked before it is unpacked."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * 2**27)
    with pytest.raises(ValueError, match=r"bomb\.xlsx: unpacks to 134,217,728 bytes"):
        read_upload(file.getvalue(), "bomb.xlsx", shared).source.describe()

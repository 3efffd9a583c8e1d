"""What others notice while a table is read: `python tests/bench/table_in_class.py`.

Twenty experiments train in this process, each watched; told are the gaps between their frames,
before, while each kind of table of tables.py is read, and while a run on it begins; and for how
long the thread that asks for it works, which others have to wait for on however busy a machine.
With `--here` that thread reads, as the server's did before it had a process for that.
"""

import os
import sys
import threading
import time

import numpy as np
from tables import KINDS, table

from engine import (
    Choice,
    Conductor,
    Experiment,
    ExperimentHandle,
    FileReader,
    Play,
    RunConfig,
    SetKnob,
    Upload,
    limits,
    read_upload,
    register_upload,
)

WATCHERS = 20
QUIET = 6.0  # seconds before a table is read
SWITCH = 5e-4  # switch interval of threads in seconds, as set by app_hooks.py


def watch(handle: ExperimentHandle, arrivals: list[float], version: int = 0) -> None:
    """Request frame after frame, and record when each arrives."""

    def deliver(snapshot: object, newer: int) -> None:
        arrivals.append(time.perf_counter())
        watch(handle, arrivals, newer)

    handle.wait("a page", version, deliver)


def gaps(arrivals: list[list[float]], begin: float) -> str:
    """The gaps between all frames since `begin`."""
    since = [np.diff([at for at in one if at >= begin]) for one in arrivals]
    p50, p99, worst = np.percentile(1000 * np.concatenate(since), (50, 99, 100))
    return f"gap {p50:.0f} ms p50, {p99:.0f} ms p99, {worst:.0f} ms worst\n"


def begin_run(handle: ExperimentHandle, upload: Upload) -> None:
    """Start a run on the upload in one of the watched experiments, and wait until it trains."""
    register_upload(upload)
    name = upload.name
    handle.send(SetKnob("data.dataset", Choice(name)))
    while handle.latest.config.data.dataset.name != name or handle.latest.step < 1:
        time.sleep(0.01)


def main(here: bool) -> None:
    """Watch, then read, then train."""
    sys.setswitchinterval(SWITCH)
    reader = None if here else FileReader(os.sched_getaffinity(0))
    tables = {kind: table(*form[:3]) for kind, form in KINDS.items()}
    conductor = Conductor(frame_rate=10)
    handles = [conductor.add(Experiment(RunConfig())) for _ in range(WATCHERS)]
    arrivals: list[list[float]] = [[] for _ in handles]
    for handle, seen in zip(handles, arrivals, strict=True):
        handle.send(Play())
        watch(handle, seen)
    time.sleep(1)
    begin = time.perf_counter()
    time.sleep(QUIET)
    sys.stdout.write(f"nothing read: {gaps(arrivals, begin)}")
    for kind, raw in tables.items():
        found: list[Upload] = []
        worked: list[float] = []

        def read(
            raw: bytes = raw, found: list[Upload] = found, worked: list[float] = worked
        ) -> None:
            found.append(read_upload(raw, "table.csv", reader))
            found[0].source.describe()
            worked.append(time.thread_time())

        thread = threading.Thread(target=read)
        begin = time.perf_counter()
        thread.start()
        thread.join()
        took = time.perf_counter() - begin
        sys.stdout.write(
            f"{kind}: read in {took:.1f} s, {worked[0]:.2f} s of them here, {gaps(arrivals, begin)}"
        )
        if not found[0].source.describe().missing:
            begin = time.perf_counter()
            begin_run(handles[0], found[0])
            took = time.perf_counter() - begin
            sys.stdout.write(f"{kind}: first step after {took:.1f} s, {gaps(arrivals, begin)}")
    conductor.close()
    if reader:
        reader.close()


if __name__ == "__main__":
    os.environ["BABYSIT_MAX_UPLOAD_MB"] = "64"
    limits.cache_clear()
    main(sys.argv[1:] == ["--here"])

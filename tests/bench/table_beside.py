"""What others notice while somebody's table is read: `python tests/bench/table_beside.py`.

Twenty experiments train in this process, each watched; told are the gaps between their frames,
before and while each kind of table of tables.py is read.
"""

import sys
import threading
import time

import numpy as np
from tables import KINDS, table

from engine import Conductor, Experiment, ExperimentHandle, Play, RunConfig
from engine.data import Reading, read_source

WATCHERS = 20
QUIET = 6.0  # seconds before anything is read
SWITCH = 5e-4  # seconds between two threads' turns, as app_hooks.py sets it


def watch(handle: ExperimentHandle, arrivals: list[float], version: int = 0) -> None:
    """Ask for frame after frame, and note when each arrives."""

    def deliver(snapshot: object, newer: int) -> None:
        arrivals.append(time.perf_counter())
        watch(handle, arrivals, newer)

    handle.wait("a page", version, deliver)


def gaps(arrivals: list[list[float]], begin: float) -> str:
    """The gaps of all since a moment."""
    since = [np.diff([at for at in one if at >= begin]) for one in arrivals]
    p50, p99, worst = np.percentile(1000 * np.concatenate(since), (50, 99, 100))
    return f"gap {p50:.0f} ms p50, {p99:.0f} ms p99, {worst:.0f} ms worst\n"


def main() -> None:
    """Watch, then read."""
    sys.setswitchinterval(SWITCH)
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
        reader = threading.Thread(
            target=lambda raw=raw: read_source(raw, "table.csv").describe(Reading())
        )
        begin = time.perf_counter()
        reader.start()
        reader.join()
        took = time.perf_counter() - begin
        sys.stdout.write(f"{kind}: read in {took:.1f} s, {gaps(arrivals, begin)}")
    conductor.close()


if __name__ == "__main__":
    main()

"""What reading a table of 100,000 rows and 50 columns takes: `python tests/bench/tables.py`."""

import io
import resource
import sys
import time
from pathlib import Path

import numpy as np

from engine.datasets import read_source

ROWS, COLUMNS = 100_000, 50


def table() -> bytes:
    """Numbers with five decimals, and one of three classes."""
    rng = np.random.default_rng(0)
    file = io.StringIO()
    file.write(",".join([*(f"c{n}" for n in range(COLUMNS - 1)), "label"]) + "\n")
    for row in rng.standard_normal((ROWS, COLUMNS - 1)):
        file.write(",".join([*map("{:.5f}".format, row.tolist()), "abc"[int(row[0] > 0)]]) + "\n")
    return file.getvalue().encode()


def main() -> None:
    """Read it once, and tell the seconds and the memory that it took."""
    if len(sys.argv) < 2:
        sys.exit("usage: tables.py FILE (written if it is not there)")
    path = Path(sys.argv[1])
    if not path.exists():
        path.write_bytes(table())
        return
    raw = path.read_bytes()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, spent = time.perf_counter(), time.process_time()
    examples = read_source(raw, "large.csv").examples()
    wall, spent = time.perf_counter() - wall, time.process_time() - spent
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sys.stdout.write(
        f"{len(raw) / 2**20:.0f} MB, {examples.x.shape}: {wall:.2f} s ({spent:.2f} s of processor),"
        f" {(peak - before) / 2**10:.0f} MB more, {peak / 2**10:.0f} MB in all\n"
    )


if __name__ == "__main__":
    main()

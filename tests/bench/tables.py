"""The cost of reading a table of 100,000 rows and 50 columns: `python tests/bench/tables.py`.

Each kind of table is read once in a process of its own, which tells its seconds and its memory.
"""

import io
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from engine.data import Missing, Reading, read_source

ROWS, COLUMNS = 100_000, 50
KINDS = {  # separator, decimal sign, share of cells that are empty, how gaps are filled
    "plain": (",", ".", 0.0, None),
    "decimal comma": (";", ",", 0.0, None),
    "one cell in a hundred missing": (",", ".", 0.01, "median"),
}


def table(separator: str, decimal: str, gaps: float) -> bytes:
    """Numbers with five decimals, and one of three classes."""
    rng = np.random.default_rng(0)
    file = io.StringIO()
    names = [*(f"c{n}" for n in range(COLUMNS - 1)), "label"]
    file.write(separator.join(names) + "\n")
    for row in rng.standard_normal((ROWS, COLUMNS - 1)):
        cells = [f"{x:.5f}".replace(".", decimal) for x in row.tolist()]
        if gaps:
            cells = ["" if gap else x for x, gap in zip(cells, rng.random(49) < gaps, strict=True)]
        file.write(separator.join([*cells, "abc"[int(row[0] > 0)]]) + "\n")
    return file.getvalue().encode()


def read(path: Path, missing: Missing | None) -> str:
    """The seconds and the memory of reading it."""
    raw = path.read_bytes()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, spent = time.perf_counter(), time.process_time()
    examples = read_source(raw, "large.csv").examples(Reading(missing=missing))
    wall, spent = time.perf_counter() - wall, time.process_time() - spent
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return (
        f"{len(raw) / 1e6:.0f} MB, {examples.x.shape}: {wall:.2f} s ({spent:.2f} s of CPU),"
        f" {(peak - before) / 1000:.0f} MB more than before, {peak / 1000:.0f} MB in all"
    )


def main() -> None:
    """Write each kind of table, and read it in another process."""
    with tempfile.TemporaryDirectory() as folder:
        for kind, (separator, decimal, gaps, missing) in KINDS.items():
            path = Path(folder) / "table.csv"
            path.write_bytes(table(separator, decimal, gaps))
            command = [sys.executable, __file__, str(path), *([missing] if missing else [])]
            told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            sys.stdout.write(f"{kind}: {told}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.stdout.write(read(Path(sys.argv[1]), *sys.argv[2:] or [None]) + "\n")
    else:
        main()

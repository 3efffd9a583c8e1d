"""Two checkouts of the project, measured in turn by processes of their own."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]
PEERS = Path(__file__).parent / "peers"
WARM_UP = 3  # turns, which are not counted


class Checkout:
    """A process with one thread, and the code of one checkout."""

    def __init__(self, root: Path, worker: str) -> None:
        threads = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
        environment = os.environ | dict.fromkeys(threads, "1") | {"PYTHONPATH": str(root)}
        self._process = subprocess.Popen(
            [sys.executable, str(PEERS / worker)],
            cwd=root,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **request: object) -> Any:
        """What its worker answers."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("a checkout's process died; its traceback is above")
        return json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._process.kill()
        self._process.communicate()


def in_turn(
    here: Checkout, there: Checkout, rounds: int, measure: Callable[[Checkout], float]
) -> tuple[list[float], list[float]]:
    """What is measured in each round; they work in turn, never at once, and begin alternately."""
    found: dict[Checkout, list[float]] = {here: [], there: []}
    for number in range(WARM_UP + rounds):
        for checkout in (here, there) if number % 2 else (there, here):
            took = measure(checkout)
            if number >= WARM_UP:
                found[checkout].append(took)
    return found[here], found[there]


def line(
    ours: list[float], theirs: list[float], ratios: list[float], spread: tuple[float, float]
) -> str:
    """The median of each and of their ratios, and between which two values the ratios are."""
    medians = "".join(f"{statistics.median(found):12.1f}" for found in (ours, theirs))
    low, high = spread
    return f"{medians}{statistics.median(ratios):9.3f}   ({low:.3f} to {high:.3f})"

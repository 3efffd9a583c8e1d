"""How long a training step takes here, against another checkout: the default network and two more.

    git worktree add --detach OTHER COMMIT
    uv run python tests/bench/steps.py --against OTHER [--rounds 40]

Each checkout is a process of its own with one thread, and they work in turn, never at once, on the
same steps of the same runs. CPU time, so that others on the machine disturb little; a ratio is the
median of the rounds' ratios, with its quartiles.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORKER = Path(__file__).parent / "peers" / "step_worker.py"
STEPS = {"default": 1000, "ten layers": 60, "convolution": 100}  # of a turn: some 0.1 s
WARM_UP = 3  # turns, which are not counted


class Checkout:
    """A process that trains with the engine of one checkout."""

    def __init__(self, root: Path) -> None:
        threads = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
        environment = os.environ | dict.fromkeys(threads, "1") | {"PYTHONPATH": str(root)}
        self._process = subprocess.Popen(
            [sys.executable, str(WORKER)],
            cwd=root,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def microseconds_per_step(self, net: str) -> float:
        """CPU time of a step, over the next turn."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({"net": net, "steps": STEPS[net]}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("a checkout's process died; its traceback is above")
        answer = json.loads(line)
        if answer["message"]:
            raise SystemExit(f"{net} stopped: {answer['message']}")
        return 1e6 * answer["seconds"] / STEPS[net]

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


def compare(here: Checkout, there: Checkout, net: str, rounds: int) -> str:
    """One line of the table; who begins changes with each round."""
    times: dict[Checkout, list[float]] = {here: [], there: []}
    for number in range(WARM_UP + rounds):
        for checkout in (here, there) if number % 2 else (there, here):
            took = checkout.microseconds_per_step(net)
            if number >= WARM_UP:
                times[checkout].append(took)
    ratios = [a / b for a, b in zip(times[here], times[there], strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    medians = "".join(f"{statistics.median(times[one]):12.1f}" for one in (here, there))
    return f"{net:<12}{medians}{middle:9.3f}   ({low:.3f} to {high:.3f})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--against", type=Path, required=True, help="the root of another checkout")
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    with ExitStack() as stack:
        checkouts = [Checkout(root) for root in (ROOT, options.against.resolve())]
        for checkout in checkouts:
            stack.callback(checkout.close)
        print(f"{'CPU µs a step':<12}{'here':>11}{'there':>12}{'here/there':>12}")
        for net in STEPS:
            print(compare(*checkouts, net, options.rounds), flush=True)


if __name__ == "__main__":
    main()

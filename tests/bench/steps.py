"""How long a training step takes here, against another checkout: the default network and two more.

    git worktree add --detach OTHER COMMIT
    uv run python tests/bench/steps.py --against OTHER [--rounds 40]

Each checkout is a process of its own with one thread, and they work in turn, never at once, on the
same steps of the same runs. CPU time, so that others on the machine disturb little; a ratio is the
median of the rounds' ratios, with its quartiles.
"""

import argparse
import functools
from pathlib import Path

from checkouts import ROOT, Checkout, compare

STEPS = {"default": 1000, "ten layers": 60, "convolution": 100}  # of a turn: some 0.1 s


def microseconds_per_step(checkout: Checkout, net: str) -> float:
    """CPU time of a step, over the next turn."""
    answer = checkout.ask(net=net, steps=STEPS[net])
    if answer["message"]:
        raise SystemExit(f"{net} stopped: {answer['message']}")
    return 1e6 * float(answer["seconds"]) / STEPS[net]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--against", type=Path, required=True, help="the root of another checkout")
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    worker = "step_worker.py"
    with Checkout(ROOT, worker) as here, Checkout(options.against.resolve(), worker) as there:
        print(f"{'CPU µs a step':<12}{'here':>11}{'there':>12}{'here/there':>12}")
        for net in STEPS:
            line = compare(
                here, there, options.rounds, functools.partial(microseconds_per_step, net=net)
            )
            print(f"{net:<12}{line}", flush=True)


if __name__ == "__main__":
    main()

"""How long a training step takes here, against another checkout: the default network and two more.

    git worktree add --detach OTHER COMMIT
    uv run python tests/bench/steps.py --against OTHER [--rounds 20] [--pairs 6]

Each checkout is a process of its own with one thread, and they work in turn, never at once, on the
same steps of the same runs. CPU time, so that others on the machine disturb little. Where a process
happens to have its arrays makes up to 10 % of a convolution's step, so there are several pairs of
processes: a ratio is the median of the pairs', with the lowest and the highest of them; that of a
pair is the median of its rounds' ratios.
"""

import argparse
import functools
from pathlib import Path
from statistics import median

from checkouts import ROOT, Checkout, in_turn, line

WORKER = "step_worker.py"
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
    parser.add_argument("--rounds", type=int, default=20, help="of each pair of processes")
    parser.add_argument("--pairs", type=int, default=6, help="of processes")
    options = parser.parse_args()
    found: dict[str, list[tuple[float, float, float]]] = {net: [] for net in STEPS}
    for _ in range(options.pairs):
        for net, pair in measure_pair(options.against.resolve(), options.rounds).items():
            found[net].append(pair)
    print(f"{'CPU µs a step':<12}{'here':>11}{'there':>12}{'here/there':>12}")
    for net, pairs in found.items():
        ours, theirs, ratios = (list(column) for column in zip(*pairs, strict=True))
        print(f"{net:<12}{line(ours, theirs, ratios, (min(ratios), max(ratios)))}")


def measure_pair(other: Path, rounds: int) -> dict[str, tuple[float, float, float]]:
    """The medians of both checkouts and of their ratios, by network, from two new processes."""
    with Checkout(ROOT, WORKER) as here, Checkout(other, WORKER) as there:
        found = {}
        for net in STEPS:
            measure = functools.partial(microseconds_per_step, net=net)
            ours, theirs = in_turn(here, there, rounds, measure)
            ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
            found[net] = (median(ours), median(theirs), median(ratios))
        return found


if __name__ == "__main__":
    main()

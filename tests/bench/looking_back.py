"""How long it takes to show any step of a run again, and what the checkpoints for it cost.

    uv run python tests/bench/looking_back.py [--steps 100000] [--looks 30] [--net default]
        [--most 16]

Steps are looked at in random order, each from the checkpoints alone: none is near the one before.
Then each is followed by a look at one a little earlier, as when the timeline is dragged.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable

from threadpoolctl import threadpool_limits

from engine import Choice, Experiment, RunConfig

IMAGES = RunConfig().replace("data.dataset", Choice("Fashion-MNIST"))
NETS = {
    "default": RunConfig(),
    "images": IMAGES,
    "convolutions": IMAGES.replace("model.convolutions", "8 of 5x5, 16 of 5x5"),
}
TURN = 500  # steps after which a run is told anew how many bytes it may use
ROUND = 500  # steps of each kind in turn, to compare them


def timed(work: Callable[[], object]) -> float:
    """CPU seconds of it, whoever else uses the machine."""
    start = time.process_time()
    work()
    return time.process_time() - start


def train(experiment: Experiment, steps: int, most: int) -> None:
    """Make so many steps, with as many bytes for checkpoints as the run wants, or only `most`."""
    for _ in range(0, steps, TURN):
        experiment.allow_checkpoints(min(most, experiment.wants_checkpoints))
        experiment.train(TURN)


def looks(experiment: Experiment, steps: list[int]) -> list[float]:
    """CPU seconds from the request for each step to a snapshot of it."""
    times = []
    for step in steps:
        begun = time.process_time()
        experiment.look_back(step)
        experiment.snapshot()
        times.append(time.process_time() - begun)
        experiment.look_ahead()
    return times


def second_looks(experiment: Experiment, steps: list[int], back: int) -> list[float]:
    """CPU seconds to look at a step so much earlier than one that is looked at."""
    times = []
    for step in steps:
        experiment.look_back(step)
        experiment.snapshot()
        times += looks(experiment, [max(0, step - back)])
    return times


def share(config: RunConfig, rounds: int) -> float:
    """How much longer a run takes with checkpoints than with none, the median of rounds."""
    kept, bare = Experiment(config), Experiment(config)
    bare.checkpoints.due = 10**12
    ratios = []
    for _ in range(rounds):
        ratios.append(timed(lambda: kept.train(ROUND)) / timed(lambda: bare.train(ROUND)))
    return statistics.median(ratios) - 1


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--looks", type=int, default=30)
    parser.add_argument("--net", choices=NETS, default="default")
    parser.add_argument("--most", type=float, default=16, help="MB at most; 1 for each of forty")
    arguments = parser.parse_args()
    with threadpool_limits(1, user_api="blas"):
        experiment, most = Experiment(NETS[arguments.net]), int(arguments.most * 2**20)
        seconds = timed(lambda: train(experiment, arguments.steps, most))
        trail = experiment.checkpoints
        print(
            f"{arguments.steps:,} steps in {seconds:.1f} s,"
            f" {1e6 * seconds / arguments.steps:.0f} µs each"
        )
        print(f"checkpoints          {len(trail.steps)} in {trail.nbytes:,} bytes")
        generator = random.Random(0)
        picked = [generator.randrange(arguments.steps) for _ in range(arguments.looks)]
        times = sorted(looks(experiment, picked))
        print(
            f"a look back          {statistics.median(times):.2f} s median, {times[-1]:.2f} s worst"
        )
        second = sorted(second_looks(experiment, picked, arguments.steps // 100))
        print(
            f"... 1 % before that  {statistics.median(second):.2f} s median,"
            f" {second[-1]:.2f} s worst"
        )
        first = looks(experiment, [x * 500 // arguments.looks for x in range(arguments.looks)])
        print(
            f"... in 500 first     {statistics.median(first):.2f} s median,"
            f" {max(first):.2f} s worst"
        )
        if arguments.net == "default":
            print(f"checkpoints add      {100 * share(NETS[arguments.net], 40):.1f} % to a step")


if __name__ == "__main__":
    main()

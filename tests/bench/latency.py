"""How long a visitor waits for what is computed meanwhile: the lab, the checks, a search.

    uv run python tests/bench/latency.py [--rounds 20]

The lab is redrawn while a slider is turned: 150 ms are felt. Checks and searches are done in slices
between those of everybody's training: what a slice takes beyond its share, all others wait.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator

import msgspec
from threadpoolctl import threadpool_limits

from engine import Choice, DataConfig, Experiment, Laboratory, RunConfig, run_checks, take_checkup
from engine.search import LECTURE_SEARCH, SearchRun

SLICE = 0.02  # seconds of a slice of the search


def timed(work: Callable[[], object]) -> float:
    """Duration in milliseconds."""
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


def lab(rounds: int) -> Iterator[float]:
    """The lecture's ten layers of 500 units, computed anew."""
    ten = Laboratory(activation=Choice("tanh"), initializer=Choice("Xavier"))
    yield from (timed(ten.show) for _ in range(rounds))


def checks(rounds: int) -> Iterator[float]:
    """Each slice of all sanity checks on images."""
    experiment = Experiment(RunConfig(data=DataConfig(dataset=Choice("Fashion-MNIST"))))
    experiment.train(20)
    for _ in range(max(1, rounds // 10)):
        slices, told = run_checks(take_checkup(experiment)), list[object]()
        while not told or told[-1] is not None:
            yield timed(lambda slices=slices, told=told: told.append(next(slices, None)))


def search(rounds: int) -> Iterator[float]:
    """Each slice of a search, which gets 20 ms."""
    hunt = SearchRun(msgspec.structs.replace(LECTURE_SEARCH, trials=4, epochs=rounds / 10))
    while not hunt.over:
        yield timed(lambda: hunt.advance(SLICE))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    print(f"{'ms':<8}{'median':>8}{'98 %':>8}{'worst':>8}{'of':>8}")
    with threadpool_limits(1, user_api="blas"):
        for measured in (lab, checks, search):
            times = sorted(measured(rounds))
            late = times[int(0.98 * len(times))]
            row = f"{statistics.median(times):>8.1f}{late:>8.1f}{times[-1]:>8.1f}{len(times):>8,}"
            print(f"{measured.__name__:<8}{row}", flush=True)


if __name__ == "__main__":
    main()

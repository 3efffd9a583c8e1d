"""What a search costs and what it finds, on the lecture's coarse search of bundled images.

    uv run python tests/bench/search.py [coarse pool strategies stopping]

`coarse`: the slides' 100 trials of 5 epochs, how long they take on two cores, and whether the fine
stage around the best finds better ones, from several seeds. `pool`: trials a second of a pool of
two processes against a pool of one, taking turns. `strategies`: random against grids at equal
budget over 20 seeds. `stopping`: the share of steps that early stopping saves, and whether it loses
the best trial, over 10 seeds.
"""

import argparse
import statistics
import time

import msgspec
import numpy as np

from engine import Choice
from engine.search import (
    LECTURE_SEARCH,
    ONE_MATTERS,
    Comparison,
    Continuous,
    Ending,
    Pool,
    Search,
    SearchRun,
    processes,
    refine,
)

CORES = 2
FINE = 30  # trials of the fine stage
FOUR = (
    *LECTURE_SEARCH.space,
    Continuous("model.initializer.scale", 1e-4, 1e-1),
    Continuous("model.dropout", 0.0, 0.8, "linear"),
)
ROUNDS = 5  # of pools with one and with two processes, in turn


def seeded(search: Search, seed: int, **fields: object) -> Search:
    """The search with other points, splits and first weights."""
    return msgspec.structs.replace(search, seed=seed, base=search.base.with_seed(seed), **fields)


def timed(search: Search, pool: Pool) -> tuple[SearchRun, float]:
    """Run a search, and measure its seconds."""
    start = time.perf_counter()
    hunt = SearchRun(search, pool)
    for _ in hunt:
        pass
    return hunt, time.perf_counter() - start


def best(hunt: SearchRun) -> float:
    """The best validation accuracy."""
    return hunt.best.validation_accuracy


def coarse(seeds: int) -> None:
    """The slides' coarse search, then a fine one around its best trials."""
    start = time.perf_counter()
    pool = processes(CORES)
    print(f"{'seed':>4}{'coarse s':>10}{'best':>8}{'median':>8}{'fine s':>8}{'best':>8}")
    for seed in range(seeds):
        wide, seconds = timed(seeded(LECTURE_SEARCH, seed), pool)
        if seed == 0:
            seconds = time.perf_counter() - start  # including the start of the processes
        fine, later = timed(refine(wide.search, wide.results.values(), trials=FINE), pool)
        every = np.nanmedian([x.validation_accuracy for x in wide.results.values()])
        print(
            f"{seed:>4}{seconds:>10.1f}{best(wide):>8.4f}{every:>8.4f}{later:>8.1f}{best(fine):>8.4f}"
        )
    pool.close()


def pool(rounds: int) -> None:
    """Two processes against one."""
    pools = {count: processes(count) for count in (1, 2)}
    search = msgspec.structs.replace(LECTURE_SEARCH, trials=40)
    found: dict[int, list[float]] = {1: [], 2: []}
    for turn in range(rounds + 1):
        for count, workers in pools.items():
            _, seconds = timed(search, workers)
            if turn:  # not the first round, which loads program and data
                found[count].append(seconds)
    for workers in pools.values():
        workers.close()
    ratios = [one / two for one, two in zip(found[1], found[2], strict=True)]
    for count, seconds in found.items():
        print(f"{count} processes: {search.trials / statistics.median(seconds):.2f} trials/s")
    print(f"ratio: median {statistics.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}")


def strategies(seeds: int) -> None:
    """Random against grids at equal budget: one axis that matters, the slides' two, and four."""
    slides = msgspec.structs.replace(LECTURE_SEARCH, trials=9)
    four = msgspec.structs.replace(LECTURE_SEARCH, trials=16, space=FOUR)
    for name, search in (("one matters", ONE_MATTERS), ("slides", slides), ("four", four)):
        comparison = Comparison(
            search,
            range(seeds),
            ("random", "grid", "shifted grid"),
            workers=lambda: processes(CORES),
        )
        while not comparison.advance(1.0):
            pass
        comparison.close()
        print(f"{name}: {search.trials} trials, {seeds} seeds: best validation accuracy")
        lines = comparison.frame().lines
        random = np.nan_to_num(lines[0].so_far[:, -1])
        for line in lines:
            found = np.nan_to_num(line.so_far[:, -1])
            low, middle, high = np.percentile(found, [25, 50, 75])
            print(
                f"  {line.strategy:<13} mean {found.mean():.4f}  median {middle:.4f}"
                f"  quartiles {low:.4f}-{high:.4f}  worst {found.min():.4f}"
                f"  random better {np.sum(random > found)}, worse {np.sum(random < found)}",
                flush=True,
            )


def stopping(seeds: int) -> None:
    """What early stopping saves and what it loses."""
    pool = processes(CORES)
    saved: dict[str, list[float]] = {"rule": [], "halving": []}
    kept: dict[str, list[bool]] = {"rule": [], "halving": []}
    behind: dict[str, list[float]] = {"rule": [], "halving": []}
    for seed in range(seeds):
        whole, _ = timed(seeded(LECTURE_SEARCH, seed, limit=0.0), pool)
        full = max(x.asked for x in whole.results.values()) * len(whole.trials)
        plans = {
            "rule": seeded(LECTURE_SEARCH, seed),
            "halving": seeded(LECTURE_SEARCH, seed, strategy=Choice("successive halving")),
        }
        for name, plan in plans.items():
            hunt = SearchRun(plan, pool)
            made = sum(x.steps for x in hunt if x.ending is not Ending.DROPPED)  # in all rounds
            saved[name].append(1 - made / full)
            kept[name].append(hunt.best.number == whole.best.number)
            behind[name].append(best(whole) - best(hunt))
        print(f"  seed {seed} done", flush=True)
    pool.close()
    for name in saved:
        print(
            f"{name:<8} saves {min(saved[name]):.1%} to {max(saved[name]):.1%} of the steps,"
            f" mean {statistics.mean(saved[name]):.1%}; the best trial kept on"
            f" {sum(kept[name])} of {seeds} seeds; best accuracy lost:"
            f" mean {statistics.mean(behind[name]):.4f}, at most {max(behind[name]):.4f}"
        )


def main() -> None:
    """Measure and print."""
    parts = {"coarse": (coarse, 5), "pool": (pool, ROUNDS)}
    parts |= {"strategies": (strategies, 20), "stopping": (stopping, 10)}
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(parts))
    for name in parser.parse_args().parts or parts:
        measure, times = parts[name]
        print(f"-- {name}", flush=True)
        measure(times)


if __name__ == "__main__":
    main()

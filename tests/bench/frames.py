"""What a frame costs apart from training: microseconds for a snapshot, and to compose the frame.

    uv run python tests/bench/frames.py [--frames 300]
    git worktree add --detach OTHER COMMIT
    uv run python tests/bench/frames.py --against OTHER [--rounds 15] [--pairs 4]

Between two frames a run makes a step and its instruments measure all that they have; neither is
timed. Each configuration is timed young and old, and with and without a new row of the history
since the last frame: of a long run only few frames bring one. Medians, then what of `compose` the
views of the opened page take.

With `--against`, snapshot and frame together are compared with those of another checkout, which
must have this bench: CPU time, a few frames here and a few there, in turn. One pair of processes
cannot tell below 10 %, so there are several, one after the other: a ratio is the median of the
pairs', with the lowest and the highest of them; that of a pair is the median of its rounds'.
"""

import argparse
import functools
import itertools
import math
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np
from checkouts import ROOT, Checkout, in_turn, line
from threadpoolctl import threadpool_limits

from app.plots import view_of
from app.plots.plot_cache import DRAWINGS
from app.server.frames import Composer, FrameRequest
from engine import (
    Choice,
    Convolution,
    DataConfig,
    Experiment,
    ModelConfig,
    OptimizationConfig,
    Play,
    RunConfig,
)

VIEWS = ["loss", "accuracy", "updates", "activations", "signal"]  # on the opened page
LOOKS = frozenset[str]().union(*(view_of(name).requested for name in VIEWS))
FRAME_RATE = 8
YOUNG, STEADY = 99, 3_000  # steps
LONG = 1_500  # rows
A_TURN = 30  # frames of one checkout before the other has its turn

CONFIGS = {
    "default": RunConfig(),
    "ten layers": RunConfig(model=ModelConfig(hidden=(100,) * 10)),
    "convolution": RunConfig(
        data=DataConfig(dataset=Choice("Fashion-MNIST"), examples=1000),
        model=ModelConfig(convolutions=(Convolution(filters=4),), hidden=(16,)),
        optimization=OptimizationConfig(batch_size=8),
    ),
}

type Case = tuple[str, int, int]  # the configuration, its rows, and new ones between two frames
CASES: list[Case] = list(itertools.product(CONFIGS, (YOUNG + 1, LONG), (0, 1)))


class Stopwatch:
    """Times by name, in microseconds."""

    def __init__(self) -> None:
        self._times: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Time the block."""
        start = time.perf_counter()
        yield
        self._times[name].append(1e6 * (time.perf_counter() - start))

    def __str__(self) -> str:
        return "".join(f"{median(times):12.0f}" for times in self._times.values())


def pad(experiment: Experiment, rows: int) -> None:
    """Extend the history by copies of its last rows, to the length of a run of many hours."""
    history, curves = experiment._run.recorder._history, experiment._run.recorder.curves
    table = np.stack([curves[name] for name in curves], axis=1)[-100:]
    for row in range(rows - len(history)):
        values = dict(zip(history.names, table[row % len(table)].tolist(), strict=True))
        history.append(experiment.step, values)


def measure(experiment: Experiment, frames: int, new: int) -> Stopwatch:
    """Compose so many frames for a page, with `new` rows between two of them."""
    watch, history = Stopwatch(), experiment._run.recorder._history
    seconds = itertools.count(step=1 / FRAME_RATE)
    composer, frame = Composer(clock=lambda: next(seconds)), None
    DRAWINGS.make(VIEWS, experiment.snapshot(LOOKS), "desk")
    for _ in range(frames):
        history._due = math.inf  # no rows except the requested ones
        experiment.train(1)
        pad(experiment, len(history) + new)
        experiment.instruments.measure(1.0)
        with watch("snapshot"):
            snapshot = experiment.cached_snapshot(LOOKS)
        since = frame.row if frame else -1
        with watch("compose"):
            frame = composer.compose(snapshot, FrameRequest(since, VIEWS))
        for name in VIEWS:
            with watch(name):
                view_of(name).columns(snapshot, since)
    return watch


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--against", type=Path, help="the root of another checkout")
    parser.add_argument("--rounds", type=int, default=15, help="of each pair of processes")
    parser.add_argument("--pairs", type=int, default=4, help="of processes")
    options = parser.parse_args()
    if options.against:
        measure_against(options.against.resolve(), options.rounds, options.pairs)
    else:
        measure_here(options.frames)


def measure_here(frames: int) -> None:
    """Measure this checkout, view by view."""
    columns = ["snapshot", "compose", *VIEWS]
    print(f"{'µs a frame':<14}{'rows':>6}{'new row':>9}{''.join(f'{x:>12}' for x in columns)}")
    for name, config in CONFIGS.items():
        for rows in (YOUNG + 1, LONG):
            experiment = Experiment(config)
            experiment.train(YOUNG if rows <= YOUNG + 1 else STEADY)
            pad(experiment, rows)
            experiment.apply(Play())
            for words, new in (("no", 0), ("yes", 1)):
                watch = measure(experiment, frames, new)
                print(f"{name:<14}{rows:>6}{words:>9}{watch}", flush=True)


def a_frame(checkout: Checkout, name: str, rows: int, new: int) -> float:
    """CPU time of a frame and its snapshot, over the next turn."""
    found = checkout.ask(config=name, rows=rows, new=new, frames=A_TURN)
    return float(found["snapshot"] + found["compose"])


def measure_against(other: Path, rounds: int, pairs: int) -> None:
    """Compare this checkout with another one, by so many pairs of processes."""
    found: dict[Case, list[tuple[float, float, float]]] = {case: [] for case in CASES}
    for _ in range(pairs):
        for case, medians in measure_pair(other, rounds).items():
            found[case].append(medians)
    titles = f"{'CPU µs a frame':<14}{'rows':>6}{'new row':>9}"
    print(f"{titles}{'here':>12}{'there':>12}{'here/there':>12}")
    for (name, rows, new), medians_of_pairs in found.items():
        ours, theirs, ratios = (list(column) for column in zip(*medians_of_pairs, strict=True))
        words = line(ours, theirs, ratios, (min(ratios), max(ratios)))
        print(f"{name:<14}{rows:>6}{'yes' if new else 'no':>9}{words}")


def measure_pair(other: Path, rounds: int) -> dict[Case, tuple[float, float, float]]:
    """The medians of both checkouts and of their ratios, from two new processes."""
    worker = "frame_worker.py"
    with Checkout(ROOT, worker) as here, Checkout(other, worker) as there:
        found = {}
        for name, rows, new in CASES:
            took = functools.partial(a_frame, name=name, rows=rows, new=new)
            ours, theirs = in_turn(here, there, rounds, took)
            ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
            found[name, rows, new] = (median(ours), median(theirs), median(ratios))
        return found


if __name__ == "__main__":
    with threadpool_limits(1, user_api="blas"):
        main()

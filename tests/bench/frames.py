"""What a frame costs apart from training: microseconds for a snapshot, and to compose the frame.

    uv run python tests/bench/frames.py [--frames 300]
    git worktree add --detach OTHER COMMIT
    uv run python tests/bench/frames.py --against OTHER [--rounds 40]

Between two frames a run makes a step and its instruments measure all that they have; neither is
timed. Each configuration is timed young and old, and with and without a new row of the history
since the last frame: of a long run only few frames bring one. Medians, then what of `compose` the
views of the opened page take.

With `--against`, snapshot and frame together are compared with those of another checkout, which
must have this bench: CPU time, a few frames here and a few there, in turn.
"""

import argparse
import functools
import itertools
import math
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from checkouts import ROOT, Checkout, compare
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
        return "".join(f"{statistics.median(times):12.0f}" for times in self._times.values())


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
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    if options.against:
        measure_against(options.against, options.rounds)
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


def measure_against(other: Path, rounds: int) -> None:
    """Compare this checkout with another one, in turn."""
    worker = "frame_worker.py"
    titles = f"{'CPU µs a frame':<14}{'rows':>6}{'new row':>9}"
    with Checkout(ROOT, worker) as here, Checkout(other.resolve(), worker) as there:
        print(f"{titles}{'here':>12}{'there':>12}{'here/there':>12}")
        for name, rows, new in itertools.product(CONFIGS, (YOUNG + 1, LONG), (0, 1)):
            took = functools.partial(a_frame, name=name, rows=rows, new=new)
            line = compare(here, there, rounds, took)
            print(f"{name:<14}{rows:>6}{'yes' if new else 'no':>9}{line}", flush=True)


if __name__ == "__main__":
    with threadpool_limits(1, user_api="blas"):
        main()

"""Composes frames with the code of whatever checkout it runs in, for `tests/bench/frames.py`.

Answers each line `{"config": "default", "rows": 1500, "new": 0, "frames": 30}` on standard input
with the CPU microseconds that a snapshot and a frame took. It calls only what the bench of every
version since a72427d has.
"""

import json
import sys
import time
from types import SimpleNamespace

sys.path.insert(0, "tests/bench")
import frames
from threadpoolctl import threadpool_limits

from engine import Experiment, Play


def ready(config: str, rows: int) -> Experiment:
    """A run of this length."""
    experiment = Experiment(frames.CONFIGS[config])
    experiment.train(frames.YOUNG if rows <= frames.YOUNG + 1 else frames.STEADY)
    frames.pad(experiment, rows)
    experiment.apply(Play())
    return experiment


def main() -> None:
    frames.time = SimpleNamespace(perf_counter=time.process_time)  # others disturb it little
    experiments: dict[tuple[str, int], Experiment] = {}
    for line in sys.stdin:
        request = json.loads(line)
        run = request["config"], request["rows"]
        if run not in experiments:
            experiments[run] = ready(*run)
        watch = frames.measure(experiments[run], request["frames"], request["new"])
        snapshot, compose, *_ = map(float, str(watch).split())
        print(json.dumps({"snapshot": snapshot, "compose": compose}), flush=True)


if __name__ == "__main__":
    with threadpool_limits(1, user_api="blas"):
        main()

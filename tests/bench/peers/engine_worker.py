"""Our engine with all that the page needs: curves, ratios, the check for divergence.

Answers each line `{"net": "a", "sizes": [64, 32, 10], "batch": 32, "filters": [], "steps": 200}` on
standard input with the seconds that so many further steps took. A line with "seconds" instead of
"steps" trains in slices of a tenth of a second, as the page does: `"watch": "snapshots"` takes one
after each slice, "curves" takes none, and "nothing" does not even write the curves down.
"""

import json
import sys
import time
from contextlib import nullcontext
from unittest.mock import patch

import numpy as np

import engine.training.config
from engine import Choice, Experiment, Play, RunConfig
from engine.data import DATASETS, Examples
from engine.training.config_sections import DataConfig, ModelConfig, OptimizationConfig
from engine.training.history import History

EXAMPLES = 2000  # of which a tenth is held out
SLICE = 0.1  # seconds


def register(sizes: list[int], *, image: bool) -> Choice:
    """A menu entry for a data set of this size: noise with random labels."""
    inputs, classes = sizes[0], sizes[-1]
    name = f"bench {inputs} {'pixels' if image else 'numbers'} to {classes}"
    side = round(inputs**0.5)

    def made(rng: np.random.Generator) -> Examples:
        """Standard normal inputs, and classes independent of them."""
        x = rng.standard_normal((EXAMPLES, inputs), dtype=np.float32)
        y = rng.integers(classes, size=EXAMPLES)
        shape = (side, side) if image else (inputs,)
        return Examples(x, y, tuple(map(str, range(classes))), shape)

    if name not in DATASETS:
        DATASETS.register(name)(made)
    return Choice(name)


def build(order: dict) -> Experiment:
    """The experiment that a request describes."""
    sizes = order["sizes"]
    if filters := order["filters"]:
        convolution = engine.training.config.Convolution
        stages = tuple(
            convolution(filters=count, size=5, stride=1, padding=0, pool=2) for count in filters
        )
        model = ModelConfig(convolutions=stages, hidden=())
    else:
        model = ModelConfig(hidden=tuple(sizes[1:-1]))
    data = DataConfig(
        dataset=register(sizes, image=bool(filters)),
        preprocessing=Choice("none"),
        held_out=0.1,
    )
    optimization = OptimizationConfig(
        batch_size=order["batch"], learning_rate=0.01, l2=1e-4, optimizer=Choice("momentum")
    )
    return Experiment(RunConfig(data=data, model=model, optimization=optimization))


def watched(experiment: Experiment, seconds: float, watch: str) -> dict[str, float]:
    """Steps and seconds of slices, with the measurements that `watch` names."""
    never = patch.object(History, "due", lambda history, step: False)
    with never if watch == "nothing" else nullcontext():
        experiment.apply(Play())
        first, start = experiment.step, time.perf_counter()
        while time.perf_counter() < start + seconds:
            experiment.advance(SLICE)
            if watch == "snapshots":
                experiment.cached_snapshot()
        return {"steps": experiment.step - first, "seconds": time.perf_counter() - start}


def answer(experiment: Experiment, order: dict) -> dict[str, float]:
    """The answer to one request."""
    if "watch" in order:
        return watched(experiment, order["seconds"], order["watch"])
    start = time.perf_counter()
    experiment.train(order["steps"])
    seconds = time.perf_counter() - start
    if experiment.message:
        return {"error": experiment.message}
    return {"seconds": seconds, "step": experiment.step}


def main() -> None:
    experiments: dict[str, Experiment] = {}
    for line in sys.stdin:
        order = json.loads(line)
        try:
            if order["net"] not in experiments:
                experiments[order["net"]] = build(order)
            reply = answer(experiments[order["net"]], order)
        except (AttributeError, TypeError, ValueError) as missing:  # a part that it lacks
            reply = {"error": f"not there yet: {missing}"}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()

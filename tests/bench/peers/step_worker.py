"""Trains the networks of `tests/bench/steps.py` with the engine of whatever checkout it runs in.

Answers each line `{"net": "default", "steps": 200}` on standard input with the CPU seconds that so
many further steps took. It calls only what every version since a72427d has.
"""

import json
import sys
import time

from engine import Choice, Convolution, DataConfig, Experiment, ModelConfig, RunConfig

CONFIGS = {
    "default": RunConfig(),
    "ten layers": RunConfig(model=ModelConfig(hidden=(100,) * 10)),
    "convolution": RunConfig(
        data=DataConfig(dataset=Choice("Fashion-MNIST"), examples=1000),
        model=ModelConfig(convolutions=(Convolution(filters=4),), hidden=(16,)),
    ),
}


def main() -> None:
    experiments: dict[str, Experiment] = {}
    for line in sys.stdin:
        request = json.loads(line)
        name = request["net"]
        if name not in experiments:
            experiments[name] = Experiment(CONFIGS[name])
        start = time.process_time()
        experiments[name].train(request["steps"])
        seconds = time.process_time() - start
        print(json.dumps({"seconds": seconds, "message": experiments[name].message}), flush=True)


if __name__ == "__main__":
    main()

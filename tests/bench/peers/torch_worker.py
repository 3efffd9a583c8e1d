"""PyTorch eager on the CPU, as a careful user writes it, with nothing but training.

Answers each line `{"net": "a", "sizes": [64, 32, 10], "batch": 32, "filters": [], "steps": 200}` on
standard input with the seconds that so many further steps took. Of the ways in which
`torch.optim.SGD` can make its step, each net takes the fastest, as measured when it is built.
"""

import json
import sys
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional

EXAMPLES = 1800
WAYS = {
    "default": {},
    "foreach": {"foreach": True},
    "loop": {"foreach": False},
    "fused": {"fused": True},
}


def build(order: dict) -> tuple[Callable[[int], None], str]:
    """A function that trains a new net for so many steps, and how its optimizer makes a step."""
    sizes = order["sizes"]
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.standard_normal((EXAMPLES, sizes[0]), dtype=np.float32))
    y = torch.from_numpy(rng.integers(sizes[-1], size=EXAMPLES))
    if filters := order["filters"]:
        side = round(sizes[0] ** 0.5)
        model, x = convolutional(filters, side, sizes[-1]), x.reshape(-1, 1, side, side)
    else:
        model = dense(sizes)
    candidates = {name: trainer(model, x, y, order["batch"], way) for name, way in WAYS.items()}
    seconds = dict.fromkeys(candidates, float("inf"))
    for _ in range(5):
        for name, train in candidates.items():
            start, steps = time.perf_counter(), 0
            while steps < 1 or time.perf_counter() - start < 0.05:
                train(1)
                steps += 1
            seconds[name] = min(seconds[name], (time.perf_counter() - start) / steps)
    fastest = min(seconds, key=seconds.__getitem__)
    return candidates[fastest], fastest


def dense(sizes: list[int]) -> nn.Sequential:
    """Dense layers with ReLU between them."""
    stages: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        stages += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*stages[:-1])


def convolutional(filters: list[int], side: int, classes: int) -> nn.Sequential:
    """5 x 5 convolution, ReLU and 2 x 2 max pooling, twice, then scores."""
    stages: list[nn.Module] = []
    inputs = 1
    for outputs in filters:
        stages += [nn.Conv2d(inputs, outputs, 5), nn.ReLU(), nn.MaxPool2d(2)]
        inputs, side = outputs, (side - 4) // 2
    return nn.Sequential(*stages, nn.Flatten(), nn.Linear(inputs * side * side, classes))


def trainer(
    model: nn.Module, x: torch.Tensor, y: torch.Tensor, batch: int, way: dict[str, bool]
) -> Callable[[int], None]:
    """The training loop with this optimizer."""
    optimizer = torch.optim.SGD(model.parameters(), 0.01, 0.9, weight_decay=1e-4, **way)
    permutation, place = torch.randperm(EXAMPLES), 0

    def train(steps: int) -> None:
        nonlocal permutation, place
        for _ in range(steps):
            if place + batch > EXAMPLES:
                permutation, place = torch.randperm(EXAMPLES), 0
            rows = permutation[place : place + batch]
            place += batch
            optimizer.zero_grad(set_to_none=True)
            loss = functional.cross_entropy(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()

    return train


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    nets: dict[str, tuple[Callable[[int], None], str]] = {}
    for line in sys.stdin:
        order = json.loads(line)
        if order["net"] not in nets:
            nets[order["net"]] = build(order)
        train, way = nets[order["net"]]
        start = time.perf_counter()
        train(order["steps"])
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "note": f"SGD {way}"}), flush=True)


if __name__ == "__main__":
    main()

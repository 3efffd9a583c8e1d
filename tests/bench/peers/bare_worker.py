"""A bare NumPy loop: the minimal careful implementation for dense layers and ReLU.

Answers each line `{"net": "a", "sizes": [64, 32, 10], "batch": 32, "filters": [], "steps": 200}` on
standard input with the seconds that so many further steps took. Everything is allocated once and
all parameters lie in one vector; the loss is computed, as PyTorch computes it, and dropped.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np

RATE, MU, L2 = 0.01, 0.9, 1e-4
EXAMPLES = 1800


def build(sizes: list[int], batch: int) -> Callable[[int], None]:
    """A function that trains a new net of these sizes for so many steps."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((EXAMPLES, sizes[0]), dtype=np.float32)
    target = np.eye(sizes[-1], dtype=np.float32)[rng.integers(sizes[-1], size=EXAMPLES)]
    batches = _batches(rng, batch)

    shapes = list(pairwise(sizes))
    depth, decayed = len(shapes), sum(i * o for i, o in shapes)
    theta, grad, velocity, scratch = np.zeros((4, decayed + sum(sizes[1:])), np.float32)
    W, dW = _views(theta, shapes), _views(grad, shapes)
    b, db = (_views(v[decayed:], [(o,) for o in sizes[1:]]) for v in (theta, grad))
    for w in W:
        w[...] = rng.standard_normal(w.shape) * np.sqrt(2 / len(w))
    a = [np.empty((batch, n), np.float32) for n in sizes]  # a[0] is the mini-batch
    d = [np.empty((batch, n), np.float32) for n in sizes]  # their gradients
    mask = [np.empty((batch, n), bool) for n in sizes]
    right, column = np.empty_like(a[-1]), np.empty((batch, 1), np.float32)
    weights, decaying, shrunk = theta[:decayed], grad[:decayed], scratch[:decayed]

    def train(steps: int) -> None:
        for _, rows in zip(range(steps), batches, strict=False):
            x.take(rows, axis=0, out=a[0], mode="clip")
            target.take(rows, axis=0, out=right, mode="clip")

            for n in range(depth):
                np.matmul(a[n], W[n], out=a[n + 1])
                a[n + 1] += b[n]
                if n < depth - 1:
                    np.maximum(a[n + 1], 0, out=a[n + 1])

            z, dz = a[-1], d[-1]
            z.max(axis=1, keepdims=True, out=column)
            np.subtract(z, column, out=dz)
            loss = -np.vdot(right, dz)
            np.exp(dz, out=dz)
            dz.sum(axis=1, keepdims=True, out=column)
            dz /= column
            np.log(column, out=column)
            loss = (loss + column.sum()) / batch
            dz -= right
            dz *= 1 / batch

            for n in reversed(range(depth)):
                np.matmul(a[n].T, d[n + 1], out=dW[n])
                d[n + 1].sum(axis=0, out=db[n])
                if n:
                    np.matmul(d[n + 1], W[n].T, out=d[n])
                    np.greater(a[n], 0, out=mask[n])
                    d[n] *= mask[n]

            np.multiply(weights, L2, out=shrunk)
            np.add(decaying, shrunk, out=decaying)
            np.multiply(velocity, MU, out=velocity)
            np.add(velocity, grad, out=velocity)
            np.multiply(velocity, RATE, out=scratch)
            np.subtract(theta, scratch, out=theta)

    return train


def _batches(rng: np.random.Generator, size: int) -> Iterator[np.ndarray]:
    order = np.arange(EXAMPLES)
    while True:
        rng.shuffle(order)
        for place in range(0, EXAMPLES - size + 1, size):
            yield order[place : place + size]


def _views(flat: np.ndarray, shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    stops = np.cumsum([np.prod(shape) for shape in shapes])
    return [
        part.reshape(shape) for part, shape in zip(np.split(flat, stops)[:-1], shapes, strict=True)
    ]


def main() -> None:
    nets: dict[str, Callable[[int], None]] = {}
    for line in sys.stdin:
        order = json.loads(line)
        if order["filters"]:
            print(json.dumps({"error": "only dense layers were written by hand"}), flush=True)
            continue
        if order["net"] not in nets:
            nets[order["net"]] = build(order["sizes"], order["batch"])
        train = nets[order["net"]]
        start = time.perf_counter()
        train(order["steps"])
        print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)


if __name__ == "__main__":
    main()

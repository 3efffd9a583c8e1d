"""The data sets that come with the program; `data/LICENSES.md` says whose they are."""

import functools
from importlib import resources

import numpy as np

from engine.datasets.examples import DATASETS, Examples


@DATASETS.register("digits")
def digits(rng: np.random.Generator) -> Examples:
    """1,797 handwritten digits of 8 x 8 grey pixels (Alpaydin & Kaynak 1998)."""
    return _digits()


@functools.cache
def _digits() -> Examples:
    with resources.files("engine.datasets").joinpath("data/digits.npz").open("rb") as file:
        archive = np.load(file, allow_pickle=False)
        images, labels = archive["x"], archive["y"]
    x = (images.reshape(len(images), -1) / 16).astype(np.float32)  # 0 ... 16 dots to 0 ... 1
    x.setflags(write=False)
    labels.setflags(write=False)
    return Examples(x, labels, tuple("0123456789"), images.shape[1:])

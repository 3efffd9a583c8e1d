"""The data sets that come with the program; `bundled_arrays/LICENSES.md` has their licences."""

import functools
from dataclasses import replace
from importlib import resources

import numpy as np

from engine.data.examples import DATASETS, Examples
from engine.data.files import pictures, read_only_examples

FASHION = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)


@DATASETS.register("digits")
def digits(rng: np.random.Generator) -> Examples:
    """1,797 handwritten digits of 8 x 8 grey pixels (Alpaydin & Kaynak 1998)."""
    return _pictures("digits", tuple("0123456789"), 16)


@DATASETS.register("Fashion-MNIST")
def fashion_mnist(rng: np.random.Generator) -> Examples:
    """6,000 of Zalando's clothes in 28 x 28 grey pixels (Xiao, Rasul & Vollgraf 2017)."""
    return _pictures("fashion_mnist", FASHION, 255)


@DATASETS.register("iris")
def iris(rng: np.random.Generator) -> Examples:
    """150 flowers of three species, by four measures in centimetres (Fisher 1936)."""
    return _table("iris")


@DATASETS.register("penguins")
def penguins(rng: np.random.Generator) -> Examples:
    """342 penguins of three species, by four measures: standardize them (Gorman 2014)."""
    return _table("penguins")


@DATASETS.register("wine")
def wine(rng: np.random.Generator) -> Examples:
    """178 wines of three cultivars, by 13 measures: standardize them (Forina 1991)."""
    return _table("wine")


@DATASETS.register("breast cancer")
def breast_cancer(rng: np.random.Generator) -> Examples:
    """569 tumours, malignant or benign, by 30 measures: standardize them (Wolberg 1995)."""
    return _table("breast_cancer")


@functools.cache
def _pictures(file: str, classes: tuple[str, ...], white: int) -> Examples:
    arrays = _arrays(file)
    return pictures(arrays["x"], arrays["y"], classes, white)


@functools.cache
def _table(file: str) -> Examples:
    arrays = _arrays(file)
    x, classes = arrays["x"], tuple(arrays["classes"].tolist())
    examples = read_only_examples(x, arrays["y"].astype(np.int64), classes, x.shape[1:])
    return replace(examples, columns=tuple(arrays["columns"].tolist()))


def _arrays(file: str) -> dict[str, np.ndarray]:
    path = resources.files("engine.data").joinpath(f"bundled_arrays/{file}.npz")
    with path.open("rb") as raw, np.load(raw, allow_pickle=False) as archive:
        return dict(archive)

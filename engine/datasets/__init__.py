"""Where examples come from."""

from engine.datasets import bundled
from engine.datasets.examples import DATASETS, DataSet, Examples, Split, split

__all__ = ["DATASETS", "DataSet", "Examples", "Split", "bundled", "split"]

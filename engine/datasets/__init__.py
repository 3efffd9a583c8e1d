"""Where examples come from."""

from engine.datasets.bundled import digits
from engine.datasets.examples import DATASETS, Examples, Split, split

__all__ = ["DATASETS", "Examples", "Split", "digits", "split"]

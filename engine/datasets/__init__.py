"""Where examples come from: the program's own data, made-up points, and what a user brings."""

from engine.datasets import bundled, toy  # the menu's order: real data, then toys
from engine.datasets.arrays import read_npz
from engine.datasets.cifar import find_cifar, read_cifar
from engine.datasets.examples import DATASETS, DataSet, Examples, Split
from engine.datasets.folder import register_folder
from engine.datasets.idx import read_idx, read_idx_folder
from engine.datasets.splitting import split
from engine.datasets.tables import read_csv
from engine.datasets.uploads import (
    Upload,
    files_named,
    find_files,
    keep,
    let_go,
    read_upload,
)

__all__ = [
    "DATASETS",
    "DataSet",
    "Examples",
    "Split",
    "Upload",
    "bundled",
    "files_named",
    "find_cifar",
    "find_files",
    "keep",
    "let_go",
    "read_cifar",
    "read_csv",
    "read_idx",
    "read_idx_folder",
    "read_npz",
    "read_upload",
    "register_folder",
    "split",
    "toy",
]

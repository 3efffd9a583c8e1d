"""Where examples come from: the program's own data, made-up points, and what a user brings."""

from engine.datasets import bundled, toy  # the menu's order: real data, then toys
from engine.datasets.arrays import read_npz
from engine.datasets.cifar import find_cifar, read_cifar
from engine.datasets.description import Column, DataDescription, Source
from engine.datasets.examples import DATASETS, DataSet, Examples, Split
from engine.datasets.folder import register_folder, source_of, unreadable
from engine.datasets.idx import read_idx, read_idx_folder
from engine.datasets.lecture import lecture_images
from engine.datasets.loading import describe, load
from engine.datasets.reading import AS_FOUND, Missing, Reading, Task
from engine.datasets.sources import ENDS, read_source
from engine.datasets.splitting import split, subset
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
    "AS_FOUND",
    "DATASETS",
    "ENDS",
    "Column",
    "DataDescription",
    "DataSet",
    "Examples",
    "Missing",
    "Reading",
    "Source",
    "Split",
    "Task",
    "Upload",
    "bundled",
    "describe",
    "files_named",
    "find_cifar",
    "find_files",
    "keep",
    "lecture_images",
    "let_go",
    "load",
    "read_cifar",
    "read_csv",
    "read_idx",
    "read_idx_folder",
    "read_npz",
    "read_source",
    "read_upload",
    "register_folder",
    "source_of",
    "split",
    "subset",
    "toy",
    "unreadable",
]

"""Data sets: those that come with the program, toy problems, and files of the user's own."""

from engine.data import (
    bundled,
    toy,  # in the order of the menu: real data, then toy problems
)
from engine.data.arrays import read_npz
from engine.data.cifar import find_cifar, read_cifar
from engine.data.description import Column, DataDescription, Source
from engine.data.examples import DATASETS, DataSet, Examples, Split
from engine.data.file_reader import FileReader
from engine.data.folder import register_folder, source_of, unreadable
from engine.data.idx import read_idx, read_idx_folder
from engine.data.lecture import lecture_images
from engine.data.loading import describe, load
from engine.data.reading import AS_FOUND, Missing, Reading, Task
from engine.data.sources import ENDS, read_source
from engine.data.splitting import split, subset
from engine.data.tables import read_csv
from engine.data.uploads import (
    Upload,
    files_named,
    find_files,
    read_upload,
    register_upload,
    unregister_upload,
)

__all__ = [
    "AS_FOUND",
    "DATASETS",
    "ENDS",
    "Column",
    "DataDescription",
    "DataSet",
    "Examples",
    "FileReader",
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
    "lecture_images",
    "load",
    "read_cifar",
    "read_csv",
    "read_idx",
    "read_idx_folder",
    "read_npz",
    "read_source",
    "read_upload",
    "register_folder",
    "register_upload",
    "source_of",
    "split",
    "subset",
    "toy",
    "unreadable",
    "unregister_upload",
]

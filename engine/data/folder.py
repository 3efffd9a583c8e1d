"""Adds the data sets in a folder to the menu; each is read only when it is chosen."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, cast

import numpy as np

from engine.data.cifar import SOURCES, find_cifar, read_cifar
from engine.data.description import Source
from engine.data.examples import DATASETS, DataSet, Examples
from engine.data.files import contents
from engine.data.idx import find_idx, read_idx_folder
from engine.data.reading import AS_FOUND, Reading
from engine.data.sources import READERS, ending, read_source
from engine.registry import Range

KEPT = 4  # data sets that stay in memory

_names: dict[Path, str] = {}  # the menu name of each path added so far


def register_folder(path: Path) -> list[str]:
    """Add the new data sets of a folder to the menu, and return their names; nothing is read yet.

    These are tables, workbooks, NumPy arrays, IDX files (in the folder or in folders of their own),
    and CIFAR-10 as archives or folders.
    """
    if not path.is_dir():
        return []
    added = []
    for source, name, data_set in _found(path):
        if source not in _names:
            _names[source] = _free(name)
            DATASETS.register(_names[source])(data_set)
            added.append(_names[source])
    return added


def file_named(name: str) -> Path | None:
    """The file of this name in a folder that has been added."""
    return next((path for path in _names if path.name == name and path.is_file()), None)


def _free(name: str) -> str:
    """The name, or a similar one if another data set has it."""
    while name in DATASETS:
        name += " (yours)"
    return name


def _found(folder: Path) -> Iterator[tuple[Path, str, DataSet]]:
    folder = folder.resolve()
    if _holds_idx(folder):
        yield folder, folder.name, _entry(read_idx_folder, IMAGES, folder)
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not path.name.isprintable():
            continue
        if end := ending(path.name):
            yield path, path.name, _chosen(path, READERS[end][1])
        elif path.is_dir() and _holds_idx(path):
            yield path, path.name, _entry(read_idx_folder, IMAGES, path)
    if cifar := find_cifar(folder):
        yield cifar, "CIFAR-10", _cifar(cifar)


def _holds_idx(folder: Path) -> bool:
    try:
        return bool(find_idx(folder))
    except OSError:  # not readable
        return False


def _entry(reader: Callable[[Path], Examples], summary: str, path: Path) -> DataSet:
    def read(rng: np.random.Generator) -> Examples:
        return _read(reader, path)

    read.__doc__ = summary  # shown in the menu
    return read


def _chosen(path: Path, summary: str) -> DataSet:
    """An entry for which target, task and missing values can be chosen."""

    def read(rng: np.random.Generator, reading: Reading = AS_FOUND) -> Examples:
        return _read(_source, path).examples(reading)

    read.__doc__ = summary
    return read


def source_of(path: Path) -> Source:
    """A file as a source, from which nothing has been chosen yet."""
    return _read(_source, path)


def unreadable(folder: Path) -> list[str]:
    """The names of the files in a folder for which there is no reader."""
    known = {*_names}
    return [
        path.name
        for path in sorted(folder.resolve().iterdir())
        if path.is_file() and path not in known and not path.name.startswith(".")
        and not _is_told_elsewhere(path)
    ]  # fmt: skip


def _is_told_elsewhere(path: Path) -> bool:
    """Whether a file is a part of a larger data set, or documents one."""
    part = path.parent in _names and "ubyte" in path.name
    written = path.name.endswith((".lesson.json", ".playlist.json", ".challenge.json"))
    return part or written or path.name in SOURCES or path.suffix.lower() in (".md", ".rst", ".pdf")


def _cifar(path: Path) -> DataSet:
    def read(
        rng: np.random.Generator,
        *,
        per_class: Annotated[
            int, Range(10, 6000, "log", whole=True), "Images taken of each class, at most."
        ] = 200,
    ) -> Examples:
        """Your own copy of CIFAR-10: 32 x 32 colour pictures of ten kinds (Krizhevsky 2009)."""
        return _read(read_cifar, path, per_class)

    return read


def _source(path: Path) -> Source:
    return read_source(contents(path), path.name)


IMAGES = "Pictures of your own, from a folder of IDX files as MNIST has them."


def _read[*Args, Found](
    reader: Callable[[Path, *Args], Found], path: Path, *arguments: *Args
) -> Found:
    """The result of the reader for this path, cached until the file changes."""
    try:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        stamps = tuple((file, file.stat().st_mtime_ns, file.stat().st_size) for file in files)
        return cast(Found, _remembered(reader, path, arguments, stamps))
    except OSError as error:
        raise ValueError(f"{path.name}: cannot be read: {error.strerror}") from None


@functools.lru_cache(KEPT)
def _remembered(
    reader: Callable[..., object], path: Path, arguments: tuple[object, ...], stamps: object
) -> object:
    return reader(path, *arguments)

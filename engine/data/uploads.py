"""Files that a visitor brings: no menu lists them, and they are gone when nobody has them any more.

What is learned from such a file names it and its bytes, as in "flowers.csv #3f2a91c04d5e0f11": who
wants to repeat the run needs that very file.
"""

import hashlib
import re
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.data.description import Source, check_size
from engine.data.examples import DATASETS, DataSet, Examples
from engine.data.file_reader import FileReader
from engine.data.file_source import FileSource, is_large
from engine.data.folder import file_named
from engine.data.reading import AS_FOUND, Reading
from engine.data.sources import read_source
from engine.limits import limits

UNPACKED = 2  # bytes that one of a packed file may become
MARKED = re.compile(r'"([^"\\]+) #([0-9a-f]{16})"')  # the name of such a data set, in JSON

_lock = threading.Lock()
_kept: Counter[str] = Counter()  # how many have each


@dataclass(frozen=True)
class Upload:
    """What a file holds, and the name under which one can learn from it."""

    file: str
    name: str
    source: Source

    def stop(self) -> None:
        """End the look at it that goes on, if there is one: nobody waits for it."""
        if isinstance(self.source, FileSource):
            self.source.stop()


def read_upload(raw: bytes, file: str, reader: FileReader | None = None) -> Upload:
    """What a file holds; ValueError says in one sentence what is wrong with it.

    Given a reader, a large file is read by that, not here and now but at the first look.
    """
    file, most = _plain(file), limits().upload
    if len(raw) > most:
        raise ValueError(f"{file}: has {len(raw):,} bytes; at most {most:,} can be brought")
    name, most = f"{file} #{hashlib.sha256(raw).hexdigest()[:16]}", UNPACKED * most
    if reader and is_large(raw, file):
        return Upload(file, name, FileSource(raw, file, most, reader))
    source = read_source(raw, file, most)
    check_size(source.describe(), file, most)
    return Upload(file, name, source)


def _plain(file: str) -> str:
    """A file's name, whatever a browser sends as such."""
    name = re.split(r"[/\\]", file)[-1].replace('"', "'")
    name = "".join(letter for letter in name if letter.isprintable()).strip()
    return f"…{name[-40:]}" if len(name) > 40 else name or "file"


def register_upload(upload: Upload) -> None:
    """Let those who know its name learn from it, until each of them lets it go."""
    with _lock:
        _kept[upload.name] += 1
        if _kept[upload.name] == 1:
            DATASETS.admit(upload.name, _entry(upload))


def unregister_upload(upload: Upload) -> None:
    """Of those who have it, one has it no more."""
    with _lock:
        _kept[upload.name] -= 1
        if not _kept[upload.name]:
            del _kept[upload.name]
            DATASETS.dismiss(upload.name)


def _entry(upload: Upload) -> DataSet:
    def read(rng: np.random.Generator, reading: Reading = AS_FOUND) -> Examples:
        return upload.source.examples(reading)

    read.__doc__ = f"Your own file {upload.file}, which nobody else sees."
    return read


def files_named(text: str) -> Iterator[tuple[str, str]]:
    """The files that a run told as JSON has learned from, and the names of their data sets."""
    for match in MARKED.finditer(text):
        yield match[1], f"{match[1]} #{match[2]}"


def find_files(text: str) -> None:
    """Look in the data folder for the files that a run told as JSON has learned from."""
    for file, name in files_named(text):
        if name in DATASETS:
            continue
        path = file_named(file)
        if path is None:
            raise ValueError(f"the run learns from {file}: name the folder that it is in, --data")
        found = read_upload(path.read_bytes(), file)
        if found.name != name:
            raise ValueError(f"the run learns from another {file} than there is in the folder")
        register_upload(found)

"""Files that visitors upload: in no menu, and freed when their last user has left.

The name of such a data set contains the file's name and a hash of its bytes, as in
"flowers.csv #3f2a91c04d5e0f11", because only that very file can repeat the run.
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

UNPACKED = 2  # bytes that one byte of a packed file may unpack to
MARKED = re.compile(r'"([^"\\]+) #([0-9a-f]{16})"')  # the name of such a data set, in JSON

_lock = threading.Lock()
_kept: Counter[str] = Counter()  # how many visitors use each


@dataclass(frozen=True)
class Upload:
    """An uploaded file, and the name of its data set."""

    file: str
    name: str
    source: Source

    def stop(self) -> None:
        """Stop the request that reads it, if there is one: its result is not needed."""
        if isinstance(self.source, FileSource):
            self.source.stop()


def read_upload(raw: bytes, file: str, reader: FileReader | None = None) -> Upload:
    """Read an uploaded file; ValueError says in one sentence what is wrong with it.

    If a reader is given, a large file is read by that reader, and only when it is first needed.
    """
    file, most = _plain(file), limits().upload
    if len(raw) > most:
        raise ValueError(f"{file}: has {len(raw):,} bytes; at most {most:,} can be uploaded")
    name, most = f"{file} #{hashlib.sha256(raw).hexdigest()[:16]}", UNPACKED * most
    if reader and is_large(raw, file):
        return Upload(file, name, FileSource(raw, file, most, reader))
    source = read_source(raw, file, most)
    check_size(source.describe(), file, most)
    return Upload(file, name, source)


def _plain(file: str) -> str:
    """The name of the file without folders, whatever the browser sends."""
    name = re.split(r"[/\\]", file)[-1].replace('"', "'")
    name = "".join(letter for letter in name if letter.isprintable()).strip()
    return f"…{name[-40:]}" if len(name) > 40 else name or "file"


def register_upload(upload: Upload) -> None:
    """Make it available under its name, until each visitor calls `unregister_upload`."""
    with _lock:
        _kept[upload.name] += 1
        if _kept[upload.name] == 1:
            DATASETS.admit(upload.name, _entry(upload))


def unregister_upload(upload: Upload) -> None:
    """One visitor no longer uses it; it is freed after the last one."""
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
    """The uploaded files in a run's JSON, and the names of their data sets."""
    for match in MARKED.finditer(text):
        yield match[1], f"{match[1]} #{match[2]}"


def find_files(text: str) -> None:
    """Find the uploaded files of a run's JSON in the data folder; ValueError names one missing."""
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

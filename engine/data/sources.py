"""Chooses the reader of a file by the ending of its name."""

from collections.abc import Callable, Mapping

from engine.data.arrays import read_arrays, read_npy
from engine.data.description import Source
from engine.data.excel import read_xlsx
from engine.data.files import MAX_BYTES
from engine.data.packed import check_plain, unzipped
from engine.data.tables import read_table

type Reader = Callable[[bytes, str, int], Source]


def _text(raw: bytes, name: str, most: int) -> Source:
    check_plain(raw, name)
    return read_table(raw, name)


def _packed_text(raw: bytes, name: str, most: int) -> Source:
    return read_table(unzipped(raw, name, most), name)


def _npy(raw: bytes, name: str, most: int) -> Source:
    return read_npy(raw, name)


TABLE = "A table of your own, from a text file."
ARRAYS = "Arrays of your own, from NumPy."
WORKBOOK = "A table of your own, from an Excel workbook."
READERS: Mapping[str, tuple[Reader, str]] = {
    **{end: (_text, TABLE) for end in (".csv", ".tsv", ".txt", ".data")},
    **{f"{end}.gz": (_packed_text, TABLE) for end in (".csv", ".tsv", ".txt", ".data")},
    ".npz": (read_arrays, ARRAYS),
    ".npy": (_npy, ARRAYS),
    ".xlsx": (read_xlsx, WORKBOOK),
}
ENDS = tuple(READERS)
SAID = ".csv, .tsv, .txt, .data, any of these with .gz, .npz, .npy or .xlsx"


def ending(file: str) -> str | None:
    """The ending of a file's name, if there is a reader for it."""
    return next((end for end in READERS if file.lower().endswith(end)), None)


def is_packed(file: str) -> bool:
    """Whether a file may unpack to many times its size."""
    return file.lower().endswith((".gz", ".npz", ".xlsx"))


def read_source(raw: bytes, file: str, most: int = MAX_BYTES) -> Source:
    """Read a file; ValueError says in one sentence why it cannot be read."""
    end = ending(file)
    if end is None:
        macros = ": macros are not run" if file.lower().endswith((".xlsm", ".xlsb")) else ""
        raise ValueError(f"{file}: expected a file that ends in {SAID}{macros}")
    return READERS[end][0](raw, file, most)

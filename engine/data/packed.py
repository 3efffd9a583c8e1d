"""Unpacks gzip files within limits, and checks ZIP files before they are unpacked."""

import gzip
import io
import zipfile
import zlib

from engine.data.files import MAX_BYTES

GZIP, ZIP, OLD_EXCEL = b"\x1f\x8b", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
PIECE = 2**20
NESTED = (".zip", ".gz", ".7z", ".rar", ".tar", ".bz2", ".xz", ".xlsx", ".xlsm", ".npz")
BROKEN = (OSError, EOFError, zlib.error)


def unzipped(raw: bytes, name: str, most: int = MAX_BYTES) -> bytes:
    """The content of a gzip file, at most `most` bytes; refuses content that is packed again."""
    parts, size = [], 0
    try:
        with gzip.open(io.BytesIO(raw)) as file:
            while piece := file.read(PIECE):
                size += len(piece)
                if size > most:
                    raise ValueError(f"{name}: unpacks to more than {most:,} bytes")
                parts.append(piece)
    except BROKEN as error:
        raise ValueError(f"{name}: expected a gzip file, found a broken one: {error}") from None
    found = b"".join(parts)
    check_plain(found, name)
    return found


def check_plain(raw: bytes, name: str) -> None:
    """Refuse an archive or a spreadsheet that has the name of a text file."""
    for start, what in ((GZIP, "a gzip file"), (ZIP, "a ZIP file"), (OLD_EXCEL, "an Excel file")):
        if raw.startswith(start):
            raise ValueError(f"{name}: expected text, found {what}: unpack it, or save it as CSV")


def check_workbook(raw: bytes, name: str, most: int = MAX_BYTES) -> None:
    """Refuse a workbook with macros or archives, or too large a one, before it is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, *BROKEN, NotImplementedError, ValueError) as error:
        raise ValueError(
            f"{name}: expected an Excel workbook, found other bytes: {error}"
        ) from None
    size = sum(member.file_size for member in members)
    if size > most:
        raise ValueError(f"{name}: unpacks to {size:,} bytes; at most {most:,} can be read")
    for member in members:
        inner = member.filename.lower()
        if "vbaproject" in inner or "macrosheets" in inner:
            raise ValueError(f"{name}: has macros; save it as .xlsx without them, or as CSV")
        if inner.endswith(NESTED) or "/embeddings/" in inner:
            raise ValueError(f"{name}: has another file in it, {member.filename}; remove it")
    if "xl/workbook.xml" not in {member.filename for member in members}:
        raise ValueError(f"{name}: expected an Excel workbook, found another ZIP file")

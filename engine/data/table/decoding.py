"""Decodes the bytes of a table to text: finds its encoding."""

import codecs
import re

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
WESTERN = "windows-1252"
SAMPLE = 2**16  # bytes that the detector examines
WEB_PAGE = re.compile(rb"\s*<(?:!doctype html|html)\b", re.IGNORECASE)
WORD = re.compile(r"[^\W\d_]+")


def decode(raw: bytes) -> tuple[str, str]:
    """The text and the name of its encoding; ValueError if no known encoding fits."""
    for mark, codec, name in MARKS:
        if raw.startswith(mark):
            return _strict(raw, codec, name), name
    if WEB_PAGE.match(raw):
        raise ValueError("expected a table, found a web page: save the table itself, as CSV")
    if codec := _wide(raw):
        return _strict(raw, codec, "UTF-16"), "UTF-16"
    try:
        return raw.decode(), "UTF-8"
    except UnicodeDecodeError:
        return _other(raw)


def _strict(raw: bytes, codec: str, name: str) -> str:
    try:
        return raw.decode(codec)
    except UnicodeDecodeError as error:
        raise ValueError(f"expected {name} text, found other bytes at {error.start:,}") from None


def _wide(raw: bytes) -> str:
    """UTF-16 without a byte order mark: in mostly ASCII text every other byte is 0."""
    head = raw[: SAMPLE & ~1]
    if len(head) < 4 or len(raw) % 2:
        return ""
    zeros = head[0::2].count(0), head[1::2].count(0)
    most = 0.4 * len(head) / 2
    if max(zeros) < most or min(zeros) > most / 10:
        return ""
    return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"


def _other(raw: bytes) -> tuple[str, str]:
    """A single-byte encoding. Western text with few accents needs no detector."""
    if b"\0" in raw[:SAMPLE]:
        raise ValueError("expected text, found other bytes")
    try:
        text = raw.decode("cp1252")
    except UnicodeDecodeError:
        text = ""
    if text and _western(text):
        return text, WESTERN
    if codec := _detected(raw):
        return raw.decode(codec), codec
    return (text, WESTERN) if text else (raw.decode("latin-1"), "latin-1")


def _western(text: str) -> bool:
    """Whether words with non-ASCII letters are mostly ASCII."""
    words = [word for word in WORD.findall(text[:SAMPLE]) if not word.isascii()]
    letters = "".join(words)
    return sum(map(str.isascii, letters)) >= len(letters) / 2


def _detected(raw: bytes) -> str | None:
    from charset_normalizer import from_bytes  # large and rarely needed

    lines = b"\n".join(line for line in raw.splitlines() if not line.isascii())
    best = from_bytes(lines[:SAMPLE]).best()
    if best is None:
        return None
    try:
        raw.decode(best.encoding)
    except UnicodeDecodeError:
        return None
    return best.encoding

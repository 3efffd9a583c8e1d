"""Files by their name in an argument, where `-` is standard input or output."""

import json
import re
import sys
from pathlib import Path

import msgspec

from engine.json_reader import from_json

STANDARD = "-"


def read(name: str) -> bytes:
    """All of a file."""
    return sys.stdin.buffer.read() if name == STANDARD else Path(name).read_bytes()


def decode[T](name: str, kind: type[T]) -> T:
    """What the JSON in a file says; ValueError names the file and says what is wrong with it."""
    return decoded(read(name), name, kind)


def decoded[T](raw: bytes, name: str, kind: type[T]) -> T:
    """What this JSON, from the file of that name, says."""
    try:
        return from_json(raw, kind)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def check_writable(name: str | None) -> None:
    """Fail now rather than after the work, if a file cannot be written; all is left as it is."""
    if name and name != STANDARD:
        existed = Path(name).exists()
        with open(name, "ab"):
            pass
        if not existed:
            Path(name).unlink()


def write(name: str, text: str) -> None:
    """Write a whole file."""
    if name == STANDARD:
        sys.stdout.write(text)
        return
    try:
        Path(name).write_text(text, encoding="utf-8", newline="")
    except OSError as error:  # a full disk names no file
        raise OSError(error.errno, error.strerror, name) from error


def to_json(value: object) -> str:
    """One line of JSON, all ASCII for any console; numbers that are not finite are null in it."""
    # The hook is for what msgspec does not know: NumPy's own floats.
    text = msgspec.json.encode(value, enc_hook=float).decode()
    return re.sub(r"[^\x00-\x7f]+", lambda found: json.dumps(found[0])[1:-1], text) + "\n"

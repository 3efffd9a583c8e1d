"""Reads and writes files named by arguments, where `-` is standard input or output."""

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

import msgspec

from engine.json_reader import from_json
from engine.number_format import JOINED

STANDARD = "-"


def read(name: str) -> bytes:
    """The whole content of a file."""
    return sys.stdin.buffer.read() if name == STANDARD else Path(name).read_bytes()


def decode[T](name: str, kind: type[T]) -> T:
    """The value in a JSON file; ValueError names the file and says what is wrong with it."""
    return decoded(read(name), name, kind)


def decoded[T](raw: bytes, name: str, kind: type[T]) -> T:
    """The value in this JSON text; ValueError names the file and says what is wrong with it."""
    try:
        return from_json(raw, kind)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def check_writable(name: str | None) -> None:
    """Raise OSError before the work begins if a file cannot be written; nothing is changed."""
    if name and name != STANDARD:
        existed = Path(name).exists()
        with open(name, "ab"):
            pass
        if not existed:
            Path(name).unlink()


def write(name: str, text: str) -> None:
    """Write a whole file; OSError names the file, also when the disk is full."""
    if name == STANDARD:
        sys.stdout.write(text)
        return
    try:
        Path(name).write_text(text, encoding="utf-8", newline="")
    except OSError as error:  # a full disk names no file
        raise OSError(error.errno, error.strerror, name) from error


def tell(lines: Iterable[str], out: TextIO | None = None) -> None:
    """Write lines for people, with plain spaces before units, as other tools look for them."""
    (out or sys.stdout).writelines(f"{line}\n".replace(JOINED, " ") for line in lines)


def to_json(value: object) -> str:
    """One line of ASCII JSON, which any console can print; infinite numbers and NaN are null."""
    # The hook converts NumPy's floats, which msgspec cannot encode.
    text = msgspec.json.encode(value, enc_hook=float).decode()
    return re.sub(r"[^\x00-\x7f]+", lambda found: json.dumps(found[0])[1:-1], text) + "\n"

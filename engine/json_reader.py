"""Reads JSON files in any Unicode encoding; error messages are plain sentences."""

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeAliasType, get_args, get_origin, get_type_hints

import msgspec

from engine.suggestions import instead_of, quoted

_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "text",
    "array": "a list [ ]",
    "object": "an object { }",
    "null": "null",
}

_BOUNDS = {">=": "{} or more", "<=": "at most {}", ">": "above {}", "<": "below {}"}
_FAULTS = {
    "Input data was truncated": "it ends too early",
    "object keys must be strings": "expected a name in double quotes",
}


def text_of(raw: bytes) -> str:
    """The text of a file, in UTF-8, UTF-16 or UTF-32, with or without a byte order mark.

    A ValueError says that it is none of these, or empty.
    """
    try:
        return raw.decode(json.detect_encoding(raw))
    except UnicodeDecodeError:
        raise ValueError("is no text that can be read: expected UTF-8 or UTF-16") from None


def from_json[T](raw: str | bytes, kind: type[T]) -> T:
    """The value in JSON text; ValueError says in words what is wrong with it, and where."""
    text = raw if isinstance(raw, str) else text_of(raw)
    if not text.strip():
        raise ValueError("is empty: expected JSON")
    try:
        return msgspec.json.decode(text.removeprefix("\ufeff"), type=kind)
    except msgspec.ValidationError as error:
        raise ValueError(_in_words(error, kind)) from None
    except msgspec.DecodeError as error:
        raise ValueError(f"is no JSON: {_fault(error, text)}") from None
    except RecursionError:
        raise ValueError("is no JSON: its brackets are nested too deep") from None


def converted(value: object, kind: Any, name: str) -> Any:
    """A plain value converted to `kind`; ValueError says what it must be."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        refusal = _in_words(error, kind, name)
        if isinstance(value, int | float | str):  # the value itself is shown, not its type
            refusal, got, _ = refusal.partition(", got ")
            refusal += f"{got}{quoted(value)}" if got else ""
        raise ValueError(refusal) from None


def _fault(error: msgspec.DecodeError, text: str) -> str:
    """Where the JSON is malformed: in which line, where there are several."""
    said = str(error).removeprefix("JSON is malformed: ")
    for theirs, ours in _FAULTS.items():
        said = said.replace(theirs, ours)
    place = re.search(r"\(byte (\d+)\)$", said)
    if place is None or "\n" not in text:
        return said
    line = text.removeprefix("\ufeff").encode()[: int(place[1])].count(b"\n") + 1
    return f"{said[: place.start()]}in line {line}"


def _in_words(error: msgspec.ValidationError, kind: Any, name: str = "it") -> str:
    if isinstance(error.__cause__, ValueError):  # the refusal of its constructor, which is complete
        return str(error.__cause__)
    what, _, place = str(error).partition(" - at `$")
    path = place.rstrip("`").removeprefix(".")
    where = path or name
    if names := re.search(r"unknown field `(.*)`", what):
        known = instead_of(names[1], _fields(_kind_at(kind, path)))
        return f"{where} has no field {quoted(names[1])}; {known}"
    if names := re.search(r"missing required field `(.*)`", what):
        return f"{where} has no {names[1]!r}"
    if names := re.match(
        r"Expected `(.*?)`(?: of length)?(?: ([<>]=?) (\S+?))?(?:, got `(.*)`)?$", what
    ):
        got = f", got {_kind(names[4])}" if names[4] else ""
        return f"{where} must be {_kind(names[1])}{_bound(*names.group(1, 2, 3))}{got}"
    value = re.sub("^Invalid (enum )?value ", "", what)
    at = _kind_at(kind, path)
    choices = f"; {instead_of(value, get_args(at))}" if get_origin(at) is Literal else ""
    return f"{where} cannot be {value}{choices}"


def _bound(kind: str, sign: str | None, limit: str) -> str:
    """The limit that a value breaks, if it breaks one: of a length or of a size."""
    if not sign:
        return ""
    before, after = {"str": (", ", " letters"), "array": (" of ", "")}.get(kind, (", ", ""))
    return f"{before}{_BOUNDS[sign].format(limit + after)}"


def _kind(names: str) -> str:
    return " or ".join(_KINDS.get(name, name) for name in names.split(" | "))


def _fields(kind: Any) -> Iterator[str]:
    """The names of the fields that an object of this type can have."""
    yield from getattr(kind, "__struct_fields__", ())


def _kind_at(kind: Any, where: str) -> Any:
    """The type at a place such as "runs[0].steps", as far as the types determine it, else None."""
    for name, place in re.findall(r"([^.\[\]]+)|\[(.*?)\]", where):
        if place:
            kind = next(iter(get_args(kind)), None)
        else:
            kind = get_type_hints(kind).get(name) if isinstance(kind, type) else None
        kind = _plain(kind)
    return kind


def _plain(kind: Any) -> Any:
    """A type without its limits and names, and of a value that may be missing the value's."""
    if isinstance(kind, TypeAliasType):
        return _plain(kind.__value__)
    if get_origin(kind) is Annotated:
        return _plain(get_args(kind)[0])
    others = [one for one in get_args(kind) if one is not type(None)]
    return _plain(others[0]) if len(others) < len(get_args(kind)) and others else kind

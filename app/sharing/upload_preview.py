"""A preview of a visitor's file, shown before a run is started on it."""

import base64
import html
import struct
import zlib
from collections.abc import Iterable, Sequence

import numpy as np

from app import numbers
from engine import AS_FOUND, Column, DataDescription, Examples, Reading, Upload

COLUMNS = 12  # columns shown of a table's first rows
LISTED = 40  # columns described one by one
PICTURES = 12
SIGNS = {",": "comma", ";": "semicolon", "|": "pipe", ".": "point"}


def preview(upload: Upload, reading: Reading = AS_FOUND) -> str:
    """How many examples, of which kind, the use of each column, and the first rows."""
    found = upload.source.describe(reading)
    parts = [_headline(upload.file, found, upload), _notices(found)]
    if found.first:
        return "".join([*parts, _columns(found.columns), _rows(found)])
    examples = upload.source.examples(reading)
    return "".join([*parts, _pictures(examples) if len(examples.shape) > 1 else _numbers(examples)])


def _headline(file: str, found: DataDescription, upload: Upload) -> str:
    if found.first:
        inputs = f"{found.inputs:,}"
    else:
        shape = upload.source.examples().shape
        inputs = " x ".join(f"{length:,}" for length in shape)
    what = "pixels" if not found.first and " x " in inputs else "inputs"
    what = "input" if inputs == "1" else what
    kinds = "values to predict"
    if found.classes is not None:
        counted = [f"{name} ({count:,})" for name, count in found.classes.items()]
        kinds = f"{len(counted)} classes: {_listed(counted)}"
    told = (
        f"{found.examples:,} examples of {inputs} {what}."
        f" Target “{html.escape(str(found.target))}”: {html.escape(kinds)}."
    )
    how = ""
    if found.encoding:
        decimal = f", decimal {SIGNS[found.decimal]}" if found.decimal else ""
        separator = SIGNS.get(found.separator or "", found.separator)
        how = f" Read as {found.encoding}, separator {separator}{decimal}."
    return f"<p role='status'><b>{html.escape(file)}</b>: {told}{html.escape(how)}</p>"


def _notices(found: DataDescription) -> str:
    told = list(found.notices)
    if found.missing:
        rows = "1 row has" if found.missing == 1 else f"{found.missing:,} rows have"
        told.append(f"{rows} a missing value: choose what to do with it.")
    if found.asks:
        told.append("Choose whether the target holds classes or values.")
    items = "".join(f"<li>{html.escape(notice)}</li>" for notice in told)
    return f"<ul aria-label='Notices'>{items}</ul>" if items else ""


def _listed(names: Sequence[str], most: int = 10) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def _table(label: str, head: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    names = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in head)
    body = "".join(
        f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}"><table>'
        f"<thead><tr>{names}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _columns(columns: Sequence[Column]) -> str:
    rows = [(x.name, x.kind, x.span, x.use) for x in columns[:LISTED]]
    if len(columns) > LISTED:
        rows.append((f"and {len(columns) - LISTED:,} more", "", "", ""))
    return _table("The columns", ("column", "kind", "range", "becomes"), rows)


def _rows(found: DataDescription) -> str:
    """The first rows as text; the target is always among them."""
    places = list(range(len(found.columns)))
    if len(places) > COLUMNS:
        target = next(n for n, x in enumerate(found.columns) if x.use == "target")
        places = [*[n for n in places if n != target][: COLUMNS - 1], target]
    head = [found.columns[n].name for n in places]
    return _table("The first rows", head, ([row[n] for n in places] for row in found.first))


def _numbers(examples: Examples) -> str:
    shown = min(COLUMNS, examples.x.shape[1])
    names = examples.columns or tuple(str(n + 1) for n in range(shown))
    more = ["…"] if shown < examples.x.shape[1] else []
    rows = [
        [*(f"{x:.4g}" for x in examples.x[row, :shown]), *more, _answer(examples, row)]
        for row in range(min(5, len(examples)))
    ]
    return _table("The first rows", [*names[:shown], *more, "answer"], rows)


def _answer(examples: Examples, row: int) -> str:
    if examples.classes:
        return examples.classes[int(examples.y[row])]
    return ", ".join(numbers.number(float(value)) for value in examples.y[row][:3])


def _pictures(examples: Examples) -> str:
    shown = []
    for row in range(min(PICTURES, len(examples))):
        answer = html.escape(_answer(examples, row))
        url = base64.b64encode(png(_pixels(examples, row))).decode()
        shown.append(
            f'<figure class="example"><img alt="{answer}" src="data:image/png;base64,{url}">'
            f"<figcaption>{answer}</figcaption></figure>"
        )
    return f'<div class="examples">{"".join(shown)}</div>'


def _pixels(examples: Examples, row: int) -> np.ndarray:
    """An image `(rows, columns, 3)` of bytes, scaled from its darkest to its brightest number."""
    x = examples.x[row].reshape(examples.shape)
    low, high = float(x.min()), float(x.max())
    scaled = (x - low) / ((high - low) or 1) * 255
    scaled = scaled.reshape(*examples.shape[:2], -1)
    return np.broadcast_to(scaled, (*examples.shape[:2], 3)).astype(np.uint8)


def png(pixels: np.ndarray) -> bytes:  # (rows, columns, 3) of uint8
    """An image as PNG bytes."""
    rows, columns, _ = pixels.shape
    lines = np.concatenate([np.zeros((rows, 1), np.uint8), pixels.reshape(rows, -1)], axis=1)
    header = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes())), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )

"""A preview of a visitor's file, shown before a run is started on it."""

import base64
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from app import numbers
from app.templates import render
from engine import AS_FOUND, Column, DataDescription, Examples, Reading, Upload

COLUMNS = 12  # columns shown of a table's first rows
LISTED = 40  # columns described one by one
PICTURES = 12
SIGNS = {",": "comma", ";": "semicolon", "|": "pipe", ".": "point"}

type Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]  # its name, headings and rows


def preview(upload: Upload, reading: Reading = AS_FOUND) -> str:
    """How many examples, of which kind, the use of each column, and the first rows, as HTML."""
    found = upload.source.describe(reading)
    tables, pictures = [], []
    if found.first:
        tables = [_columns(found.columns), _rows(found)]
    elif len((examples := upload.source.examples(reading)).shape) > 1:
        pictures = _pictures(examples)
    else:
        tables = [_numbers(examples)]
    return render(
        "upload_preview",
        file=upload.file,
        headline=_headline(found, upload),
        notices=_notices(found),
        tables=tables,
        pictures=pictures,
    )


def _headline(found: DataDescription, upload: Upload) -> str:
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
    text = f"{found.examples:,} examples of {inputs} {what}. Target “{found.target}”: {kinds}."
    how = ""
    if found.encoding:
        decimal = f", decimal {SIGNS[found.decimal]}" if found.decimal else ""
        separator = SIGNS.get(found.separator or "", found.separator)
        how = f" Read as {found.encoding}, separator {separator}{decimal}."
    return text + how


def _notices(found: DataDescription) -> list[str]:
    notices = list(found.notices)
    if found.missing:
        rows = "1 row has" if found.missing == 1 else f"{found.missing:,} rows have"
        notices.append(f"{rows} a missing value: choose what to do with it.")
    if found.asks:
        notices.append("Choose whether the target holds classes or values.")
    return notices


def _listed(names: Sequence[str], most: int = 10) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def _columns(columns: Sequence[Column]) -> Table:
    rows = [(x.name, x.kind, x.span, x.use) for x in columns[:LISTED]]
    if len(columns) > LISTED:
        rows.append((f"and {len(columns) - LISTED:,} more", "", "", ""))
    return "The columns", ("column", "kind", "range", "becomes"), rows


def _rows(found: DataDescription) -> Table:
    """The first rows as text; the target is always among them."""
    places = list(range(len(found.columns)))
    if len(places) > COLUMNS:
        target = next(n for n, x in enumerate(found.columns) if x.use == "target")
        places = [*[n for n in places if n != target][: COLUMNS - 1], target]
    head = [found.columns[n].name for n in places]
    return "The first rows", head, [[row[n] for n in places] for row in found.first]


def _numbers(examples: Examples) -> Table:
    shown = min(COLUMNS, examples.x.shape[1])
    names = examples.columns or tuple(str(n + 1) for n in range(shown))
    more = ["…"] if shown < examples.x.shape[1] else []
    rows = [
        [*(f"{x:.4g}" for x in examples.x[row, :shown]), *more, _answer(examples, row)]
        for row in range(min(5, len(examples)))
    ]
    return "The first rows", [*names[:shown], *more, "answer"], rows


def _answer(examples: Examples, row: int) -> str:
    if examples.classes:
        return examples.classes[int(examples.y[row])]
    return ", ".join(numbers.number(float(value)) for value in examples.y[row][:3])


def _pictures(examples: Examples) -> list[tuple[str, str]]:
    """The first images: the answer, and the picture as base64."""
    return [
        (_answer(examples, row), base64.b64encode(_png(_pixels(examples, row))).decode())
        for row in range(min(PICTURES, len(examples)))
    ]


def _pixels(examples: Examples, row: int) -> np.ndarray:
    """An image `(rows, columns, 3)` of bytes, scaled from its darkest to its brightest number."""
    x = examples.x[row].reshape(examples.shape)
    low, high = float(x.min()), float(x.max())
    scaled = (x - low) / ((high - low) or 1) * 255
    scaled = scaled.reshape(*examples.shape[:2], -1)
    return np.broadcast_to(scaled, (*examples.shape[:2], 3)).astype(np.uint8)


def _png(pixels: np.ndarray) -> bytes:  # (rows, columns, 3) of uint8
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()

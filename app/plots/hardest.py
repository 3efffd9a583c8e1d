"""The hardest validation examples of a network: as images, or as rows of text."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.models import BooleanFilter, CDSView, ColumnDataSource, Range1d
from bokeh.plotting import figure

from app import numbers, palette, theme
from app.plots import pictures
from app.plots.plot_data import Columns
from app.plots.view import source
from app.short_names import short_input, short_names
from engine import HardExample, Snapshot

ROWS, FEW_ROWS = 8, 5  # rows of text in a column, and how many fit if the type is large
ACROSS = 8  # pictures in a row
CELL = (2.08, 1.9)  # width and height of a cell, in image sizes
LETTERS = (13, 5)  # of the true and of the predicted class below an image
LONGEST = 24  # letters of an input's name
BELOW = 0.86  # height of the text below, in image sizes


def predicted_label(hard: HardExample, classes: Sequence[str]) -> str:
    """The true class, the prediction, and its probability."""
    is_it, said, sure = _lines(hard, classes, (40, 40))
    return f"{is_it}, {said} ({sure})" if sure else f"{is_it}, {said}"


def _lines(
    hard: HardExample, classes: Sequence[str], most: tuple[int, int]
) -> tuple[str, str, str]:
    if not classes:
        return f"is {numbers.number(hard.right)}", f"said {numbers.number(hard.predicted)}", ""
    sure = "" if math.isnan(hard.probability) else numbers.percent(hard.probability)
    right, said = (
        short_names(tuple(classes), letters)[int(label)]
        for label, letters in zip((hard.right, hard.predicted), most, strict=True)
    )
    return f"is {right}", f"said {said}", sure


# ---- pictures -----------------------------------------------------------------------------------


def picture_columns(snapshot: Snapshot, hardest: Sequence[HardExample]) -> dict[str, Columns]:
    """The images in rows, hardest first, with two lines of text below each."""
    shown, boxes = [], []
    columns: dict[str, list[Any]] = {name: [] for name in ("x", "y", "is", "said", "colour")}
    for number, hard in enumerate(hardest):
        if hard.picture is None:
            continue
        row, column = divmod(number, ACROSS)
        x, y = column * CELL[0], -row * CELL[1]
        height, width = (side / max(hard.picture.shape[:2]) for side in hard.picture.shape[:2])
        shown.append(pictures.natural(pictures.stretched(hard.picture))[::-1])
        boxes.append((x + (1 - width) / 2, y, width, height))
        is_it, *said = _lines(hard, snapshot.data.classes, LETTERS)
        values = (x + 0.5, y, is_it, " ".join(said).strip(), _colour(hard, snapshot.data.classes))
        for name, value in zip(columns, values, strict=True):
            columns[name].append(value)
    return {"data.pictures": pictures.placed(shown, boxes), "data.captions": {**columns}}


def _colour(hard: HardExample, classes: Sequence[str]) -> str:
    return palette.ACCENT if classes and hard.right != hard.predicted else palette.TICKS


def draw_hard_pictures(drawn: figure, snapshot: Snapshot, style: theme.Style) -> None:
    """Draw sixteen images with text, or four with large text."""
    across, down = (ACROSS, 2) if style is theme.DESK else (ACROSS // 2, 1)
    first = BooleanFilter(booleans=[True] * across * down)  # the hardest
    palette = pictures.palette_of(snapshot.data.shape)
    pictures.draw_pictures(drawn, "data.pictures", palette).view = CDSView(filter=first)
    data = source("data.captions", ["x", "y", "is", "said", "colour"])
    for number, column in enumerate(("is", "said")):
        drawn.text(
            "x",
            "y",
            column,
            source=data,
            view=CDSView(filter=first),
            y_offset=1 + number * pictures.line_height(style.tiny),
            text_align="center",
            text_baseline="top",
            text_font_size=style.tiny,
            text_color="colour",
        )
    right, bottom = (across - 1) * CELL[0] + 1.4, (1 - down) * CELL[1] - BELOW
    corners = ColumnDataSource({"x": [-0.4, right], "y": [bottom, 1.0]})
    pictures.fit(drawn, drawn.scatter("x", "y", source=corners, size=0, alpha=0))


# ---- words --------------------------------------------------------------------------------------


def word_columns(
    snapshot: Snapshot, hardest: Sequence[HardExample], across: int
) -> dict[str, Columns]:
    """Rows of text, hardest first, in so many columns."""
    shown = hardest[: ROWS * across]
    return {
        "data.rows": {
            "x": [float(n // ROWS) for n in range(len(shown))],
            "y": [-float(n % ROWS) for n in range(len(shown))],
            "words": [sentence(hard, snapshot) for hard in shown],
            "colour": [_colour(hard, snapshot.data.classes) for hard in shown],
        }
    }


def sentence(hard: HardExample, snapshot: Snapshot) -> str:
    """A sentence about a hard example."""
    text = f"{predicted_label(hard, snapshot.data.classes)}: loss {numbers.number(hard.loss)}"
    if np.isfinite(hard.deviation) and abs(hard.deviation) >= 2:
        sign = "+" if hard.deviation > 0 else "\N{MINUS SIGN}"
        far = f"{sign}{abs(hard.deviation):.1f} \N{GREEK SMALL LETTER SIGMA}"
        text += f"; {short_input(snapshot.data, hard.unusual, LONGEST)}: {far}"
    return text


def draw_words(drawn: figure, style: theme.Style, across: int) -> None:
    """Draw rows of text; of large ones only the first few."""
    if style is not theme.DESK:
        rows, across = FEW_ROWS, 1
    else:
        rows = ROWS
    drawn.axis.visible = False
    drawn.grid.visible = False
    drawn.x_range = Range1d(start=0, end=across)
    drawn.y_range = Range1d(start=0.5 - rows, end=0.6)
    drawn.text(
        "x",
        "y",
        "words",
        source=source("data.rows", ["x", "y", "words", "colour"]),
        text_baseline="middle",
        text_font_size=style.small,
        text_color="colour",
    )

"""Data: where is the network wrong? Its decision surface, its mistakes, the hardest examples."""

import math
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from bokeh.models import DataRange1d, FixedTicker, Range1d
from bokeh.plotting import figure

from app import numbers, palette, theme
from app.explanations.explanation import explain
from app.plots import pictures, plot_data
from app.plots.figures import entitle, further
from app.plots.hardest import (
    draw_hard_pictures,
    draw_words,
    picture_columns,
    sentence,
    word_columns,
)
from app.plots.plane import draw_plane, is_plane, plane_columns, reach
from app.plots.plot_data import Columns, Part
from app.plots.view import VIEWS, plot, source
from app.short_names import short_names
from engine import Predictions, Snapshot

MOST_COUNTED = 14  # classes up to which counts fit into the cells
MOST_NAMED = 10  # ... and names fit along the axes
LETTERS = 52  # of all class names along the horizontal axis
MOST_LETTERS = 12  # of one along the vertical axis
COUNTS_WIDTH, HARDEST_WIDTH = 240, 600  # pixels that keep text apart
MOST_POINTS = 200  # of predicted values


def data_columns(snapshot: Snapshot, since: int) -> Part:
    """The confusion matrix, the hardest examples, and for points the decision surface."""
    answers = snapshot.on_demand.predictions
    hardest = answers.hardest if answers else ()
    parts: dict[str, Columns] = plane_columns(snapshot) if is_plane(snapshot) else {}
    if _counted(snapshot):
        parts |= _confusion_columns(answers)
    elif not snapshot.data.classes:
        parts |= _value_columns(answers)
    if len(snapshot.data.shape) > 1:
        parts |= picture_columns(snapshot, hardest)
    else:
        parts |= word_columns(snapshot, hardest, _across(snapshot))
    texts = _text(snapshot, answers)
    return Part(set=parts, text=texts, alternative=lambda: _alternative(snapshot, answers, texts))


def _counted(snapshot: Snapshot) -> bool:
    """Whether there are classes, and not too many for a confusion matrix."""
    return 0 < len(snapshot.data.classes) <= 100


def _across(snapshot: Snapshot) -> int:
    return 1 if is_plane(snapshot) else 2


# ---- words --------------------------------------------------------------------------------------


def _text(snapshot: Snapshot, answers: Predictions | None) -> dict[str, str]:
    texts = {key: "–" for key, _, _ in _keys(snapshot) if key}
    if answers is None:
        return texts
    if snapshot.data.classes:
        texts |= {"data.errors": _errors(answers), "data.confused": _confused(snapshot, answers)}
    else:
        off = answers.predicted - answers.right
        texts["data.error"] = numbers.number(float(np.sqrt(np.mean(np.square(off)))))
        texts["data.worst"] = numbers.number(float(np.abs(off).max()))
        if (surface := snapshot.on_demand.decision_surface) and is_plane(snapshot):
            low, high = reach(surface)
            texts |= {"data.low": _end(low), "data.high": _end(high)}
    return texts


def _alternative(snapshot: Snapshot, answers: Predictions | None, texts: Mapping[str, str]) -> str:
    if answers is None:
        return "The answers have not been looked at yet."
    if snapshot.data.classes:
        summary = f"Wrong on {texts['data.errors']}; most often {texts['data.confused']}."
    else:
        summary = f"Typical error {texts['data.error']}, largest {texts['data.worst']}."
    hard = "; ".join(sentence(hard, snapshot) for hard in answers.hardest[:5])
    return f"{summary} Hardest: {hard}."


def _end(value: float) -> str:
    return numbers.tick(value)


def _errors(answers: Predictions) -> str:
    wrong, all_of_them = int(np.sum(answers.right != answers.predicted)), len(answers.right)
    return f"{wrong} of {all_of_them} ({numbers.decimal_percent(wrong / all_of_them)})"


def _confused(snapshot: Snapshot, answers: Predictions) -> str:
    """The most confused pair of classes."""
    if answers.confusion is None:
        return "–"
    mistakes = answers.confusion - np.diag(np.diag(answers.confusion))
    if not mistakes.any():
        return "none"
    right, said = np.unravel_index(int(mistakes.argmax()), mistakes.shape)
    count = int(mistakes[right, said])
    names = snapshot.data.classes
    times = "once" if count == 1 else f"{count} times"
    return f"{names[int(right)]} taken for {names[int(said)]}: {times}"


def _keys(snapshot: Snapshot) -> list[tuple[str, str, str]]:
    if snapshot.data.classes:
        keys = [
            ("data.errors", "wrong on validation", palette.PLAIN),
            ("data.confused", "most often", palette.PLAIN),
        ]
        return [*keys, ("", "wrong", palette.ACCENT)]
    keys = [
        ("data.error", "typical error on validation", palette.PLAIN),
        ("data.worst", "largest", palette.PLAIN),
    ]
    if is_plane(snapshot):
        keys += [("data.low", "", palette.NEGATIVE), ("data.high", "", palette.POSITIVE)]
    return keys


# ---- the confusion matrix -----------------------------------------------------------------------


def _confusion_columns(answers: Predictions | None) -> dict[str, Columns]:
    """A cell for each pair of classes; correct predictions are on the diagonal."""
    empty: Columns = {"x": [], "y": [], "count": []}
    if answers is None or answers.confusion is None:
        return {"data.confusion": pictures.placed([], []), "data.counts": empty}
    counts = answers.confusion
    classes = len(counts)
    share = np.sqrt(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))
    shown = np.where(np.eye(classes, dtype=bool), 128 + 127 * share, 127 * share)
    cells = np.ceil(shown).clip(0, 255).astype(np.uint8)
    known = np.argwhere(counts > 0).tolist() if classes <= MOST_COUNTED else []
    return {
        "data.confusion": pictures.placed([cells[::-1]], [(-0.5, 0.5 - classes, classes, classes)]),
        "data.counts": {
            "x": [float(said) for _, said in known],
            "y": [-float(right) for right, _ in known],
            "count": [str(counts[right, said]) for right, said in known],
        },
    }


def _value_columns(answers: Predictions | None) -> dict[str, Columns]:
    """Predicted over true values, and the line on which both are equal."""
    if answers is None:
        return {"data.values": {"x": [], "y": []}, "data.same": {"x": [], "y": []}}
    right, said = answers.right[:MOST_POINTS], answers.predicted[:MOST_POINTS]
    ends = plot_data.rounded(np.array([right.min(), right.max()]))
    return {
        "data.values": {"x": plot_data.rounded(right), "y": plot_data.rounded(said)},
        "data.same": {"x": ends, "y": ends},
    }


# ---- the view -----------------------------------------------------------------------------------


def _hardest_words(snapshot: Snapshot) -> str:
    unusual = (
        "; \N{GREEK SMALL LETTER SIGMA}: deviations from an input's mean"
        if len(snapshot.data.shape) == 1
        else ""
    )
    return f"hardest validation examples{unusual}"


def _drawn_for(snapshot: Snapshot) -> Hashable:
    data = snapshot.config.data
    shown = snapshot.data
    return shown.shape, shown.classes, shown.columns, str(data.dataset), data.preprocessing.name


@VIEWS.register("data")
class DataView:
    """The network's predictions, its confusions, and the hardest examples."""

    title = "Data"
    tab = "Data"
    requested: frozenset[str] = frozenset({"predictions", "decision_surface"})
    columns = staticmethod(data_columns)
    drawn_for = staticmethod(_drawn_for)

    def __init__(self, snapshot: Snapshot, style: theme.Style) -> None:
        self._style = style
        self.keys = _keys(snapshot)
        self.figures: list[figure] = []
        if is_plane(snapshot):
            title = "its answers; ringed are validation examples"
            plane = self._figure("What the network answers at every point", title)
            pictures.keep_width(plane, theme.SURFACE_WIDTH)
            draw_plane(plane, snapshot, style)
        if _counted(snapshot):
            self._draw_confusion(snapshot.data.classes)
        elif not snapshot.data.classes:
            self._draw_values()
        self._draw_hardest(snapshot)

    def _figure(self, description: str, title: str, **options: Any) -> figure:
        make = further if self.figures else plot
        drawn = make("data", description, self._style, **options)
        entitle(drawn, title, self._style)
        self.figures.append(drawn)
        return drawn

    def _draw_confusion(self, classes: tuple[str, ...]) -> None:
        count = len(classes)
        drawn = self._figure(
            "How often each class is taken for each other one",
            "rows: true, columns: predicted",
            x_range=Range1d(start=-0.5, end=count - 0.5),
            y_range=Range1d(start=0.5 - count, end=0.5),
        )
        drawn.grid.visible = False
        pictures.share_width(drawn, 2, COUNTS_WIDTH)
        pictures.draw_pictures(drawn, "data.confusion", palette.MISTAKES)
        drawn.text(
            "x",
            "y",
            "count",
            source=source("data.counts", ["x", "y", "count"]),
            text_align="center",
            text_baseline="middle",
            text_font_size=self._style.tiny,
            text_color=palette.TICKS,
        )
        self._name_classes(drawn, classes)

    def _name_classes(self, drawn: figure, classes: tuple[str, ...]) -> None:
        """Names of classes along both axes, as many as fit."""
        larger = pictures.line_height(self._style.small) / pictures.line_height(theme.DESK.small)
        every = math.ceil(len(classes) * larger / MOST_NAMED)
        shown = range(0, len(classes), every)
        most = max(3, int(LETTERS / larger) // len(shown))
        narrow, wide = (short_names(classes, letters) for letters in (most, MOST_LETTERS))
        drawn.xaxis.ticker = FixedTicker(ticks=list(shown))
        drawn.yaxis.ticker = FixedTicker(ticks=[-n for n in shown])
        drawn.xaxis.major_label_overrides = {n: narrow[n] for n in shown}
        drawn.yaxis.major_label_overrides = {-n: wide[n] for n in shown}

    def _draw_values(self) -> None:
        drawn = self._figure(
            "What was predicted over what is right, in the units of the data",
            "predicted over right values",
        )
        pictures.share_width(drawn, 1)
        same = source("data.same", ["x", "y"])
        line = drawn.line("x", "y", source=same, color=palette.QUIET, line_dash="dashed")
        drawn.x_range = DataRange1d(syncable=False, range_padding=0.06, renderers=[line])
        drawn.y_range = DataRange1d(syncable=False, range_padding=0.15, renderers=[line])
        drawn.scatter(
            "x",
            "y",
            source=source("data.values", ["x", "y"]),
            size=theme.POINT * self._style.line_width / theme.DESK.line_width,
            color=palette.VALIDATION,
            alpha=0.6,
        )

    def _draw_hardest(self, snapshot: Snapshot) -> None:
        drawn = self._figure(
            "The validation examples with the largest loss",
            _hardest_words(snapshot),
        )
        if len(snapshot.data.shape) > 1:
            pictures.share_width(drawn, 3.6, HARDEST_WIDTH)
            draw_hard_pictures(drawn, snapshot, self._style)
        else:
            across = _across(snapshot)
            pictures.share_width(drawn, 2.4 * across)
            draw_words(drawn, self._style, across)


explain(
    ("view data", "tab Data"),
    "Data",
    "What the network answers on the validation examples: which classes it takes for which, and the"
    " examples that are hardest for it.",
    healthy="Answers on the diagonal: each class is taken for itself.",
    moved_by="Training; a class with few examples is learned last.",
)
explain("number data.errors", "Wrong", "How many validation examples are answered wrong, of all.")
explain(
    "number data.confused",
    "Most often",
    "The class that is most often taken for another one. Look at such examples: often you"
    " understand why.",
)
explain(
    ("number data.error", "number data.worst"),
    "Error",
    "How far predictions lie from the true values: the root mean square, and the largest. Both are"
    " in the units of the data.",
)
explain(
    ("number data.low", "number data.high"),
    "Colours",
    "The values at the ends of the colours of the plane.",
)

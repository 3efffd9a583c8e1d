"""All trials of a search as a table that sorts by any column, and as a CSV file."""

import csv
import io
import math

from panel import ui
from panel.layout import Column
from panel.pane import HTML

from app import numbers
from app.explanations.explanation import explain
from app.panels.search.space import ENDED, SORT, TRIAL, score_of
from app.sharing.file_button import NamedFile, file_button
from app.stylesheets import css
from app.templates import render
from engine import SearchFrame, TrialFrame, in_words, label_of


def heads(frame: SearchFrame) -> list[str]:
    """The names of the columns."""
    axes = [label_of(axis.path) for axis in frame.search.space]
    return ["Trial", frame.measure.capitalize(), "Cost", "Steps", *axes, "How it went"]


def keys(trial: TrialFrame) -> tuple[float | str, ...]:
    """The sort keys of a trial by column; best first where there is a best."""
    return (
        trial.number,
        -_known(trial.validation_accuracy, -1.0),
        _known(trial.cost, math.inf),
        -trial.steps,
        *trial.places,
        f"{trial.status.value} {trial.reason}",
    )


def _known(value: float, otherwise: float) -> float:
    return otherwise if math.isnan(value) else value


def ordered(frame: SearchFrame, column: int, reverse: bool) -> list[TrialFrame]:
    """The trials that have ended, sorted by a column."""
    ended = [trial for trial in frame.trials if trial.status in ENDED]
    return sorted(ended, key=lambda trial: keys(trial)[column], reverse=reverse)


def to_csv(frame: SearchFrame) -> str:
    """The trials as CSV text, in the order in which they were started."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    axes = [axis.path for axis in frame.search.space]
    head = ["trial", "status", "reason", "validation_accuracy", "cost", "steps", "seed", *axes]
    writer.writerow(head)
    for trial in frame.trials:
        point = [x if isinstance(x, float) else in_words(x) for x in trial.point]
        writer.writerow(
            [
                *(trial.number + 1, trial.status.value, trial.reason),
                *(trial.validation_accuracy, trial.cost, trial.steps, trial.config.seed),
                *point,
            ]
        )
    return text.getvalue()


def to_html(frame: SearchFrame, column: int, reverse: bool) -> str:
    """The trials as a table whose headings and rows can be clicked."""
    trials = ordered(frame, column, reverse)
    return render(
        "trials",
        heads=heads(frame),
        rows=[{"number": trial.number, "cells": _cells(frame, trial)} for trial in trials],
        **{"column": column, "reverse": reverse, "sort": SORT, "trial": TRIAL},
    )


def _cells(frame: SearchFrame, trial: TrialFrame) -> list[str]:
    return [
        score_of(frame, trial),
        numbers.number(trial.cost),
        f"{trial.steps:,}",
        *(in_words(value) for value in trial.point),
        trial.reason or trial.status.value,
    ]


class TrialTable:
    """The dialog with the table and the file; built when it is first opened."""

    def __init__(self) -> None:
        self.place = Column(width=0, height=0, margin=0)  # the dialog's place in the page
        self._dialog: ui.Dialog | None = None
        self._frame: SearchFrame | None = None
        self._column, self._reverse = 1, False
        self._table = HTML("", stylesheets=[css("trials")], sizing_mode="stretch_width")

    def _build(self) -> ui.Dialog:
        file = file_button("Trials (CSV)", self._file)
        return ui.Dialog(
            Column(file, self._table, stylesheets=[css("dialog")], sizing_mode="stretch_width"),
            title="Trials", title_variant="h6", width_option="lg", show_close_button=True,
            close_on_click=True, sizing_mode="stretch_width",
        )  # fmt: skip

    def open(self) -> None:
        """Show it."""
        if self._dialog is None:
            self._dialog = self._build()
            self.place.append(self._dialog)
        self._draw()
        self._dialog.open = True

    def close(self) -> None:
        """Close the dialog."""
        if self._dialog:
            self._dialog.open = False

    def show(self, frame: SearchFrame | None) -> None:
        """Follow the search."""
        if frame is not self._frame:
            self._frame = frame
            if self._dialog and self._dialog.open:
                self._draw()

    def sort(self, column: int) -> None:
        """Sort by a column; a second time reverses the order."""
        self._reverse = not self._reverse if column == self._column else False
        self._column = column
        self._draw()

    def _draw(self) -> None:
        if self._frame:
            column = min(self._column, len(heads(self._frame)) - 1)
            self._table.object = to_html(self._frame, column, self._reverse)

    def _file(self) -> NamedFile:
        return "babysit-search.csv", to_csv(self._frame).encode() if self._frame else b""


explain(
    (f"button {SORT}", f"button {TRIAL}"),
    "Table of trials",
    "A press on a column sorts by it; a press on a trial makes it your run, from its first step.",
)
explain(
    ("dialog Trials", "field Trials *"),
    "Trials",
    "All trials of the search with their settings and how far they came.",
)

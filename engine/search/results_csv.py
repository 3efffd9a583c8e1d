"""Writes the results of a search to a CSV file, from which an interrupted search continues.

A row is written once and never changed; a trial's last row shows how it ended. In successive
halving each round has a row, and so has the end of a trial that was dropped.
"""

import csv
import io
import json
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.number_format import written
from engine.registry import Choice
from engine.search.description import Search, Trial
from engine.search.space import Value, in_words
from engine.search.trial import Ending, Result

FIGURES = ("first_cost", "cost", "train_accuracy", "validation_accuracy", "seconds")
HEAD = ("trial", "round", "ending")
COUNTS = ("steps", "asked")
TAIL = ("digest", "message", "config", DESCRIBED := "search")


class ResultsFile:
    """The CSV file of one search; results that it contains are not computed again."""

    def __init__(self, path: Path, search: Search) -> None:
        self._path = path
        self._search = search
        self._trials = search.draw()
        self._axes = tuple(one.path for one in search.space)
        self.columns = (*HEAD, *self._axes, *COUNTS, *FIGURES, *TAIL)
        self.results = self._read()
        self._known = {(x.number, x.rung, x.ending) for x in self.results}

    def append(self, result: Result) -> None:
        """Write a result to disk, unless the file already has it; OSError names the file."""
        key = result.number, result.rung, result.ending
        if key in self._known:
            return
        empty = not self._path.exists() or not self._path.stat().st_size
        line = (self._line(self.columns) if empty else b"") + self._line(self._row(result))
        try:
            with self._path.open("ab") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:  # a full disk names no file
            raise OSError(error.errno, error.strerror, str(self._path)) from error
        self._known.add(key)

    # ---- writing ------------------------------------------------------------------------------

    def _row(self, result: Result) -> Iterator[object]:
        trial = self._trials[result.number]
        yield from (result.number, result.rung + 1, result.ending.name.lower())
        yield from map(_plain, trial.point)
        yield from (getattr(result, name) for name in COUNTS)
        for name in FIGURES:
            value = getattr(result, name)
            yield "" if math.isnan(value) else value
        described = json.dumps(self._search.described)
        yield from (result.digest, result.message, trial.config.to_json(), described)

    def _line(self, cells: Iterator[object] | Sequence[object]) -> bytes:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(list(cells))
        return text.getvalue().encode()

    # ---- reading ------------------------------------------------------------------------------

    def _read(self) -> list[Result]:
        """The results in the file; a last row that was cut short by a crash is removed."""
        if not self._path.exists():
            return []
        raw = self._path.read_bytes()
        whole = raw[: raw.rfind(b"\n") + 1]
        try:
            if not json.detect_encoding(raw).startswith("utf-8"):  # we append rows in UTF-8
                raise ValueError("it is not in UTF-8, as something has saved it since")
            table = csv.DictReader(io.StringIO(whole.decode("utf-8-sig"), newline=""), strict=True)
            if whole:
                self._check_columns(table.fieldnames or ())
            results = [self._result(row) for row in table]
        except (csv.Error, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{self._path} is not the table of this search: {error}") from None
        if len(whole) < len(raw):
            os.truncate(self._path, len(whole))
        return results

    def _result(self, row: dict[str, str]) -> Result:
        number = int(row["trial"])
        if not 0 <= number < len(self._trials):
            raise ValueError(f"it has a trial {number}, but the search {len(self._trials)} of them")
        self._refuse_other_search(json.loads(row[DESCRIBED]))
        self._refuse_other_run(self._trials[number], row["config"])
        return Result(
            number=number,
            rung=int(row["round"]) - 1,
            ending=Ending[row["ending"].upper()],
            message=row["message"],
            digest=row["digest"],
            steps=int(row["steps"]),
            asked=int(row["asked"]),
            first_cost=_number(row["first_cost"]),
            cost=_number(row["cost"]),
            train_accuracy=_number(row["train_accuracy"]),
            validation_accuracy=_number(row["validation_accuracy"]),
            seconds=_number(row["seconds"]),
        )

    def _check_columns(self, columns: Sequence[str]) -> None:
        if DESCRIBED not in columns:
            raise ValueError("it does not name its search; write to another file")
        if tuple(columns) != self.columns:
            raise ValueError("it has other columns")

    def _refuse_other_search(self, there: dict[str, object]) -> None:
        """Refuse results of a search with other settings, which cannot be ranked with these."""
        here = self._search.described
        if self._search.goes_on:
            there = {**there, "trials": here["trials"]}
        for name, value in here.items():
            if there.get(name) != value:
                found = "none" if name not in there else _short(there[name])
                raise ValueError(f"{name} there: {found}, here: {_short(value)}")

    def _refuse_other_run(self, trial: Trial, config: str) -> None:
        if config != trial.config.to_json():
            raise ValueError(f"trial {trial.number} of it is another run")


def _short(value: object) -> str:
    """A short text for a part of a description."""
    match value:
        case {"name": name, "knobs": dict(knobs)}:
            return in_words(Choice(str(name), knobs))
        case {"path": path, "low": low, "high": high}:
            return f"{path} from {written(low)} to {written(high)}"
        case {"path": path, "options": options}:
            return f"{path} one of {_short(options)}"
        case list(parts) | tuple(parts):
            return ", ".join(map(_short, parts))
    return written(value) if isinstance(value, float) else str(value)


def _number(cell: str) -> float:
    return float(cell) if cell else math.nan


def _plain(value: Value) -> object:
    """Numbers at full precision for programs; anything else as text."""
    return in_words(value) if isinstance(value, Choice) else value

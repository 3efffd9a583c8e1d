"""`data`: describes a file or a data set of the menu before anything is trained on it."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from engine.cli.files import tell, to_json
from engine.data import (
    AS_FOUND,
    DATASETS,
    DataDescription,
    Examples,
    Reading,
    Source,
    describe,
    load,
    source_of,
    unreadable,
)
from engine.data.folder import file_named
from engine.number_format import counted
from engine.registry import Choice

SHOWN = 30  # columns that are listed one by one


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The file, and how to read it."""
    add = parser.add_argument
    add("file", metavar="FILE", help="a file, or the name of a data set")
    add("--target", metavar="NAME", help="the column to predict")
    add("--task", choices=("classes", "values"), help="what the column holds")
    add("--missing", choices=("drop", "median"), help="what to do with missing values")


def run(arguments: argparse.Namespace) -> int:
    """Describe a file or a data set, and how it would be used."""
    reading = Reading(arguments.target, arguments.task, arguments.missing)
    found = describe(_source(arguments.file), reading)
    if found.missing:  # training refuses them and names the first
        _source(arguments.file).examples(reading)
    if arguments.json:
        sys.stdout.write(to_json(found.plain()))
        return 0
    tell(_lines(found))
    if arguments.data and (left := unreadable(arguments.data)):
        sys.stderr.write(f"Not read in {arguments.data}: {', '.join(left)}\n")
    return 0


def _source(name: str) -> Source:
    """A file of that name, here or in the data folder; else a data set of the menu."""
    path = Path(name)
    if not path.is_file():
        path = file_named(name) or path
    if path.is_file():
        return source_of(path)
    if name not in DATASETS:
        raise ValueError(f"{name}: is no file here, in the data folder, nor a data set")
    return _Known(Choice(name))


class _Known:
    """A data set of the menu as a source."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice

    def examples(self, reading: Reading = AS_FOUND) -> Examples:
        """Its examples."""
        return load(DATASETS.build(self._choice), reading, np.random.default_rng(0))

    def describe(self, reading: Reading = AS_FOUND) -> DataDescription:
        """The data set's description."""
        return describe(self.examples(reading))


def _named(sign: str | None) -> str:
    """A separator or decimal sign by its name, if it has one."""
    names = {",": "comma", ";": "semicolon", "\t": "tab", " ": "space", ".": "point"}
    return names.get(sign, sign) if sign else ""


def _lines(found: DataDescription) -> Iterator[str]:
    inputs = "one input" if found.inputs == 1 else f"{found.inputs:,} inputs"
    yield f"{counted(found.examples, 'examples')} of {inputs}; target: {found.target}"
    if found.classes is None:
        yield "values to predict"
    else:
        sizes = ", ".join(f"{name} ({count:,})" for name, count in found.classes.items())
        yield f"{len(found.classes)} classes: {sizes}"
    if found.encoding:
        yield (
            f"encoding {found.encoding}, separator {_named(found.separator)},"
            f" decimal {_named(found.decimal) or 'differs by column'}"
        )
    width = max(len(column.name) for column in found.columns)
    for column in found.columns[:SHOWN]:
        yield f"  {column.name:<{width}}  {column.kind:<8}  {column.use:<8}  {column.span}"
    if len(found.columns) > SHOWN:
        yield f"  ... and {counted(len(found.columns) - SHOWN, 'columns')} more"
    yield from (f"Note: {notice}" for notice in found.notices)

"""The command line. Exit status: 0, 1 for a different result, 2 for an error, 130 for Ctrl-C.

A subcommand is a module with `add_arguments` and `run`, and a line in `SUBCOMMANDS`. Every error
is an exception whose text is printed as one line.
"""

import argparse
import io
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn, Protocol

from engine.cli import (
    challenge,
    data,
    grade,
    lesson,
    lessons,
    listing,
    replaying,
    searching,
    training,
)
from engine.data import register_folder
from engine.lessons.written import register_lessons
from engine.training.blas_threads import hold_blas


class Subcommand(Protocol):
    """A subcommand; the docstring of `run` is its help."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add its own arguments; all subcommands have `--json` and `--data`."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Run the subcommand and return the exit status."""


SUBCOMMANDS: Mapping[str, Subcommand] = {
    "list": listing,
    "train": training,
    "replay": replaying,
    "search": searching,
    "data": data,
    "lessons": lessons,
    "lesson": lesson,
    "grade": grade,
    "challenge": challenge,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the given arguments, by default those of this process; returns the exit status."""
    _write_anything()
    try:
        # One BLAS thread, as behind the page: the number of threads decides how sums are rounded.
        hold_blas()
        status = _run(argv)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader has closed the pipe, as `head` does
        _drop_output()
        return 1
    except OSError as error:
        if error.filename is None:  # standard output itself
            _drop_output()
        where = f"{error.filename}: " if error.filename else ""
        return _refuse(f"{where}{error.strerror or error}")
    except (ValueError, MemoryError, RecursionError) as error:
        return _refuse(str(error) or "out of memory")


def _write_anything() -> None:
    """Print characters that the console lacks as question marks instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _run(argv: Sequence[str] | None) -> int:
    arguments = _parser().parse_args(argv)
    if arguments.data:
        if not arguments.data.is_dir():
            raise ValueError(f"{arguments.data}: is not a folder")
        register_folder(arguments.data)
        for refusal in register_lessons(arguments.data):
            sys.stderr.write(f"babysit: {' '.join(refusal.split())}\n")
    return SUBCOMMANDS[arguments.subcommand].run(arguments)


def _refuse(reason: str) -> int:
    sys.stderr.write(f"babysit: {' '.join(reason.split())}\n")
    return 2


def _drop_output() -> None:
    """Discard unwritten output, which Python would otherwise try to write at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Parser(argparse.ArgumentParser):
    """Raises ValueError, so that `main` prints the error."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message}; see {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m engine", description="Babysit without a page.")
    subparsers = parser.add_subparsers(dest="subcommand", metavar="SUBCOMMAND", required=True)
    for name, subcommand in SUBCOMMANDS.items():
        summary = subcommand.run.__doc__ or ""
        of_its_own = subparsers.add_parser(name, help=summary, description=summary)
        of_its_own.add_argument("--json", action="store_true", help="print one JSON object")
        of_its_own.add_argument(
            "--data", type=Path, metavar="FOLDER", help="the folder of your own data sets"
        )
        subcommand.add_arguments(of_its_own)
    return parser

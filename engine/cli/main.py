"""From arguments to an exit status: 0, 1 for bits that differ, 2 for an error, 130 for Ctrl-C.

A subcommand is a module with `add_arguments` and `run`, and a line in `SUBCOMMANDS`. Whatever
goes wrong raises an exception whose text becomes the one line that is told.
"""

import argparse
import io
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn, Protocol

from engine.cli import data, lesson, lessons, listing, replaying, searching, training
from engine.data import register_folder
from engine.training.blas_threads import hold_blas


class Subcommand(Protocol):
    """What the command line can be asked to do; the docstring of `run` is its help."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Describe its own arguments; `--json` and `--data` are everybody's."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it, and return the exit status."""


SUBCOMMANDS: Mapping[str, Subcommand] = {
    "list": listing,
    "train": training,
    "replay": replaying,
    "search": searching,
    "data": data,
    "lessons": lessons,
    "lesson": lesson,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the arguments say, by default those of this process; returns the exit status."""
    _write_anything()
    try:
        # One core, as behind the page: how many share a sum decides how it is rounded.
        hold_blas()
        status = _run(argv)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever reads has had enough, as `head` has
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
    """What a console has no sign for becomes a question mark: it must not end the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _run(argv: Sequence[str] | None) -> int:
    arguments = _parser().parse_args(argv)
    if arguments.data:
        if not arguments.data.is_dir():
            raise ValueError(f"{arguments.data}: is not a folder")
        register_folder(arguments.data)
    return SUBCOMMANDS[arguments.subcommand].run(arguments)


def _refuse(reason: str) -> int:
    sys.stderr.write(f"babysit: {' '.join(reason.split())}\n")
    return 2


def _drop_output() -> None:
    """What could not be written cannot be later either; Python would try, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Parser(argparse.ArgumentParser):
    """Leaves it to `main` to tell what is wrong."""

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
            "--data", type=Path, metavar="FOLDER", help="where data sets of your own are"
        )
        subcommand.add_arguments(of_its_own)
    return parser

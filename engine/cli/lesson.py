"""`lesson`: plays one claim of the lecture and judges it."""

import argparse
import sys
import textwrap
from collections.abc import Iterator

from engine.cli.files import to_json
from engine.lessons.play import Played, play

COLUMNS = 100
WIDEST = 52  # characters of a figure's label


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which lesson."""
    parser.add_argument("name", metavar="NAME", help="as `lessons` lists it")


def run(arguments: argparse.Namespace) -> int:
    """Play one lesson of the lecture and judge its claim: exit status 1 if it does not hold."""
    played = play(arguments.name)
    if arguments.json:
        sys.stdout.write(to_json(played))
    else:
        sys.stdout.writelines(f"{line}\n" for line in lines(played))
    return 0 if played.verdict.holds else 1


def lines(played: Played) -> Iterator[str]:
    """A lesson as text: the claim, our figures beside the lecture's, and the verdict."""
    verdict = played.verdict
    yield f"{played.name.upper()}  ({played.section}; {played.data}; {played.seconds:.1f} s)"
    yield from textwrap.wrap(played.claim, COLUMNS, initial_indent="  ", subsequent_indent="  ")
    for figure in verdict.figures:
        beside = f"the lecture: {figure.lecture}" if figure.lecture else ""
        yield f"    {figure.label:<{WIDEST}} {figure.text:>12}   {beside}".rstrip()
    mark = "holds: " if verdict.holds else "DOES NOT HOLD: "
    yield from textwrap.wrap(
        mark + verdict.sentence, COLUMNS, initial_indent="  ", subsequent_indent="    "
    )
    yield ""

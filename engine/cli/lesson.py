"""`lesson`: plays one claim of the lecture and judges it."""

import argparse
import sys
import textwrap
from collections.abc import Iterator

from engine.cli.files import read, tell, to_json
from engine.lessons import LESSONS
from engine.lessons.play import Played, play
from engine.lessons.written import add, read_lesson

COLUMNS = 100
WIDEST = 52  # characters of a figure's label


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which lesson."""
    parser.add_argument(
        "name", metavar="NAME", help="as `lessons` lists it, or a file of a written lesson"
    )


def run(arguments: argparse.Namespace) -> int:
    """Play one lesson of the lecture and judge its claim: exit status 1 if it does not hold."""
    played = play(_named(arguments.name))
    if arguments.json:
        sys.stdout.write(to_json(played))
    else:
        tell(lines(played))
    return 0 if played.verdict.holds else 1


def _named(name: str) -> str:
    """The name of a lesson; one in a file is added to the course."""
    if not name.endswith(".json"):
        return name
    try:
        lesson = read_lesson(read(name))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if lesson.name not in LESSONS:  # in the folder of one's own data it is there already
        add(lesson)
    return lesson.name


def lines(played: Played) -> Iterator[str]:
    """A lesson as text: the claim, our figures beside the lecture's, and the verdict."""
    verdict = played.verdict
    yield f"{played.name.upper()}  ({played.section}; {played.data}; {played.seconds:.1f} s)"
    yield from textwrap.wrap(played.claim, COLUMNS, initial_indent="  ", subsequent_indent="  ")
    for figure in verdict.figures:
        reference = f"the lecture: {figure.lecture}" if figure.lecture else ""
        yield f"    {figure.label:<{WIDEST}} {figure.text:>12}   {reference}".rstrip()
    mark = "holds: " if verdict.holds else "DOES NOT HOLD: "
    yield from textwrap.wrap(
        mark + verdict.sentence, COLUMNS, initial_indent="  ", subsequent_indent="    "
    )
    yield ""

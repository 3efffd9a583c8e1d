"""`lessons`: plays every claim of the lecture and judges it."""

import argparse
import os
import sys
import time

from engine.cli.files import read, to_json
from engine.cli.lesson import lines
from engine.lessons import LESSONS
from engine.lessons.play import Played, play_all
from engine.lessons.written import Playlist, read_playlist


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The number of processes."""
    parser.add_argument(
        "--processes",
        type=processes,
        default=min(os.cpu_count() or 1, 4),
        metavar="N",
        help="processes that play lessons at once; default: %(default)s",
    )

    parser.add_argument(
        "--playlist", metavar="FILE", help="only its lessons, in its order; default: all"
    )


def run(arguments: argparse.Namespace) -> int:
    """Play all lessons of the lecture and judge their claims: exit status 1 if one fails."""
    start = time.perf_counter()
    all_played = []
    names = _playlist(arguments.playlist).names if arguments.playlist else list(LESSONS)
    for played in play_all(names, arguments.processes, arguments.data):
        all_played.append(played)
        if not arguments.json:
            sys.stdout.writelines(f"{line}\n" for line in lines(played))
            sys.stdout.flush()
    failed = [played.name for played in all_played if not played.verdict.holds]
    seconds = time.perf_counter() - start
    if arguments.json:
        sys.stdout.write(to_json({"lessons": all_played, "failed": failed, "seconds": seconds}))
    else:
        sys.stdout.write(_summary(all_played, failed, seconds))
    return 1 if failed else 0


def _playlist(name: str) -> Playlist:
    try:
        return read_playlist(read(name))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _summary(played: list[Played], failed: list[str], seconds: float) -> str:
    told = f"{len(played) - len(failed)} of {len(played)} claims hold, in {seconds:.0f} s."
    return f"{told} These do not: {', '.join(failed)}.\n" if failed else f"{told}\n"


def processes(text: str) -> int:
    """The number of processes that an argument asks for."""
    if not text.isdecimal() or not 1 <= int(text) <= 64:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to 64, got {text!r}")
    return int(text)

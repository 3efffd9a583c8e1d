"""`lessons`: plays every claim of the lecture and judges it."""

import argparse
import os
import sys
import time

from engine.cli.files import read, tell, to_json
from engine.cli.lesson import lines
from engine.lessons import LESSONS
from engine.lessons.play import Played, play_all
from engine.lessons.playlists import Playlist, RepeatedItem, read_playlist, repeat_item
from engine.number_format import counted


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
        "--playlist", metavar="FILE", help="its lessons, and its shared runs; default: all lessons"
    )


def run(arguments: argparse.Namespace) -> int:
    """Play all lessons of the lecture and judge their claims: exit status 1 if one fails."""
    start = time.perf_counter()
    all_played = []
    playlist = _playlist(arguments.playlist) if arguments.playlist else None
    names = playlist.lessons if playlist else list(LESSONS)
    for played in play_all(names, arguments.processes, arguments.data):
        all_played.append(played)
        if not arguments.json:
            tell(lines(played))
            sys.stdout.flush()
    failed = [played.name for played in all_played if not played.verdict.holds]
    runs = [repeat_item(item) for item in playlist.items if item.run] if playlist else []
    other = [repeated.title for repeated in runs if repeated.same is False]
    seconds = time.perf_counter() - start
    if arguments.json:
        summary = {"lessons": all_played, "failed": failed, "seconds": seconds}
        shared = {"runs": runs, "other": other} if playlist else {}
        sys.stdout.write(to_json(summary | shared))
    else:
        tell(_line(repeated) for repeated in runs)
        tell([_summary(all_played, failed, seconds)])
    return 1 if failed or other else 0


def _playlist(name: str) -> Playlist:
    try:
        return read_playlist(read(name))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _line(repeated: RepeatedItem) -> str:
    verdicts = {
        True: "the weights are the same, to the bit",
        False: "the weights are NOT the same: another version, kind of machine, or file",
        None: "it says nothing of its weights",
    }
    where = f"{repeated.data}; {counted(repeated.steps, 'steps')}; {repeated.seconds:.1f} s"
    return f"SHARED RUN: {repeated.title}  ({where})\n  {verdicts[repeated.same]}\n"


def _summary(played: list[Played], failed: list[str], seconds: float) -> str:
    summary = f"{len(played) - len(failed)} of {len(played)} claims hold, in {seconds:.0f} s."
    return f"{summary} These do not: {', '.join(failed)}." if failed else summary


def processes(text: str) -> int:
    """The number of processes that an argument asks for; refuses anything but 1 to 64."""
    if not text.isdecimal() or not 1 <= int(text) <= 64:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to 64, got {text!r}")
    return int(text)
